"""The commands `tables` and `describe`: what the catalog declares."""

from typing import Any

import click

from nba_pipeline.cli.console import print_json
from nba_pipeline.contracts.table import Table
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.catalog import CATALOG, all_tables, find_table, group_of

NARROW = 80


def show_tables(as_json: bool) -> None:
    """Print every table with its grain, in the order of the graph."""
    tables = all_tables()
    if as_json:
        print_json([{"table": t.id, "group": group_of(CATALOG[t.id]), "grain": grain(t)} for t in tables])
        return
    for t in tables:
        click.echo(click.wrap_text(f"{t.id}: {grain(t)}", NARROW, subsequent_indent="    "))


def grain(table: Table) -> str:
    """Return the sentence of a table's description that begins with `One row per`."""
    text = " ".join(table.description.split())
    return text[text.rindex("One row per") :] if "One row per" in text else text


def describe_table(name: str, as_json: bool) -> None:
    """Print the contract and the lineage of a table. Raises ConfigurationError for an unknown table."""
    description = description_of(CATALOG[find_table(name).id])
    if as_json:
        print_json(description)
        return
    click.echo(description["table"])
    click.echo(click.wrap_text(description["description"], NARROW))
    for label in ("key", "partition", "group"):
        value = description[label]
        click.echo(f"{label}: {', '.join(value) if isinstance(value, list) else value}")
    for read in description["reads"]:
        click.echo(click.wrap_text(f"reads {read['table']}: {read['window']}", NARROW, subsequent_indent="    "))
    for feed in description["feeds"]:
        click.echo(f"reads the source feed {feed}")
    for reader in description["read_by"]:
        click.echo(f"read by {reader}")
    for rule in description["rules"]:
        click.echo(click.wrap_text(f"rule: {rule}", NARROW, subsequent_indent="    "))
    click.echo("columns:")
    for c in description["columns"]:
        unit = f" [{c['unit']}]" if c["unit"] else ""
        head = f"  {c['name']} ({c['type']}{', may be NULL' if c['nullable'] else ''}){unit}: {c['description']}"
        formula = f"; formula: {c['formula']}" if c["formula"] else ""
        click.echo(click.wrap_text(f"{head}{formula}", NARROW, initial_indent="  ", subsequent_indent="      "))


def description_of(transform: Transform) -> dict[str, Any]:
    """Return what the catalog declares of a table: contract, lineage in both directions, rules and columns."""
    table = transform.table
    return {
        "table": table.id,
        "description": " ".join(table.description.split()),
        "group": group_of(transform),
        "key": list(table.key),
        "partition": table.partition,
        "reads": [{"table": r.table.id, "window": r.window_text} for r in transform.reads.values()],
        "feeds": [f.name for f in transform.feeds.values()],
        "read_by": [
            t for t, other in CATALOG.items() if any(u.id == table.id for u in other.upstream()) and t != table.id
        ],
        "rules": [*table.rules, *table.group_rules, *transform.cross_checks],
        "columns": [
            {
                "name": c.name,
                "type": c.type,
                "nullable": c.nullable,
                "unit": c.unit,
                "description": c.description,
                "formula": c.formula,
                "range": c.range_text,
            }
            for c in table.columns.values()
        ],
    }
