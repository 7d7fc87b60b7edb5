"""Writes what follows from the declarations: `python -m nba_pipeline.cli.docs docs`.

The landing layout, the data dictionary, and the formulas of versions of the features that are not published yet.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from nba_pipeline.common.files import write_atomically
from nba_pipeline.contracts.checks import CHECKS
from nba_pipeline.contracts.table import Column
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources.landing import FEEDS, Feed

COST_BEGIN = "<!-- Generated from the plan by `make docs`. -->"
COST_END = "<!-- End of the generated table. -->"
MAY_BE_MISSING = "Optional: without it the table is empty, and coverage reports that."
COLUMNS = "| column | type | null | unit | meaning | formula | range |"
GENERATED = "Generated from the declarations by `make docs`; change them there."


def landing_page() -> str:
    """docs/landing.md: what a source directory must hold."""
    lines = [
        "# The landing layout",
        "",
        GENERATED,
        "",
        "A source directory holds one file per feed, `<feed>.parquet`, `<feed>.csv` or `<feed>.csv.gz`, with a header. Dates are",
        "US-Eastern calendar dates of games, times are UTC. Columns that are not listed are ignored. A value",
        "that cannot be read as its type puts its row into quarantine, with the value and the reason; a missing required",
        "column stops the feed.",
        "",
        "Instead of a file, a feed may be a directory `<feed>/` of Parquet files. Those of a daily feed are named by the day of",
        "their rows, `<feed>/2024-10-22.parquet`; a row of another day than its file's goes into quarantine. A required feed",
        "needs a file for every day that is asked for, without rows on a day without games: a day that has no file was never",
        "brought in, and asking for it is an error. `nba-pipeline ingest` writes such directories (docs/sources.md).",
        "",
    ]
    for feed in FEEDS.values():
        lines += list(_feed(feed))
    return "\n".join(lines)


def _feed(feed: Feed) -> Iterator[str]:
    yield f"## {feed.name}"
    yield ""
    yield f"{feed.grain} {MAY_BE_MISSING if feed.optional else 'Required.'}"
    if feed.known:
        yield f"\nKnown {feed.known.text}."
    yield ""
    yield "| column | type | required | meaning |"
    yield "|---|---|---|---|"
    for c in feed.columns:
        yield f"| {c.name} | {c.kind} | {'yes' if c.required else ''} | {c.meaning} |"
    yield ""


def dictionary_page(transforms: list[Transform]) -> str:
    """docs/tables.md: every table, what it reads, and every column with unit, formula and range."""
    lines = ["# Data dictionary", "", GENERATED, ""]
    lines += [f"- [{t.table.id}](#{t.table.id.replace('.', '')})" for t in transforms]
    lines.append("")
    for transform in transforms:
        lines += list(_table(transform))
    return "\n".join(lines)


def table_page(transform: Transform, read_by: Sequence[str]) -> str:
    """Return the page of one table: what a row is, lineage in both directions, checks, and every column.

    Args:
        transform: The table.
        read_by: Ids of the tables that read it.
    """
    lines = list(_table(transform, "#"))
    columns = lines.index(COLUMNS)
    lineage = [f"- read by `{t}`" for t in read_by]
    checks = [f"- `{name}`: {text}" for name, text in CHECKS.items()]
    return "\n".join([*lines[: columns - 1], *lineage, "", "Checks of every day:", "", *checks, "", *lines[columns:]])


def _table(transform: Transform, heading: str = "##") -> Iterator[str]:
    table = transform.table
    yield f"{heading} {table.id}"
    yield ""
    yield table.description
    yield ""
    yield f"Key: {', '.join(table.key)}. Partition: {table.partition}. Clustered by: {', '.join(table.cluster) or 'nothing'}."
    yield ""
    for name, read in transform.reads.items():
        yield f"- reads `{read.table.id}` as {name}: {read.window_text}"
    for feed in transform.feeds.values():
        yield f"- reads the source feed `{feed.name}`"
    aside = list(table.rules) if table.on_bad_row == "quarantine" else []
    broken = [r for r in (*table.rules, *table.group_rules, *transform.cross_checks) if r not in aside]
    if aside:
        yield f"- a row goes to quarantine when: {'; '.join(aside)}"
    if broken:
        yield f"- a day is refused when: {'; '.join(broken)}"
    yield ""
    yield COLUMNS
    yield "|---|---|---|---|---|---|---|"
    for c in table.columns.values():
        yield _row(c)
    yield ""


def _row(c: Column) -> str:
    kind = f"{c.type}" + (f", {c.precision} decimals" if c.is_float else "")
    cells = (c.name, kind, "yes" if c.nullable else "", c.unit, c.description, c.formula, c.range_text)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def with_cost_table(page: str) -> str:
    """Replace the table of costs in the text of docs/sources.md by that of the plan."""
    from nba_pipeline.sources.costs import cost_table

    head, _, rest = page.partition(COST_BEGIN)
    _, _, tail = rest.partition(COST_END)
    return f"{head}{COST_BEGIN}\n{cost_table()}{COST_END}{tail}"


def pages(target: Path) -> dict[str, str]:
    """Return the generated pages by name; docs/sources.md is the one in the directory `target` with a new table of costs."""
    from nba_pipeline.definitions import ASSETS
    from nba_pipeline.tables.catalog import CATALOG

    assert ASSETS
    return {
        "landing.md": landing_page(),
        "sources.md": with_cost_table((target / "sources.md").read_text(encoding="utf-8")),
        "tables.md": dictionary_page(list(CATALOG.values())),
    }


def publish_features() -> Path:
    """Add new versions of the features to the record of published ones, and return its file; known versions stay."""
    from nba_pipeline.tables.predictions import ml_feature_store_v2, published_features
    from nba_pipeline.tables.predictions.versions import VERSIONS

    path = Path(published_features.__file__).with_name(published_features.FILE)
    write_atomically(path, published_features.with_new(VERSIONS, ml_feature_store_v2.TRANSFORM).encode())
    return path


@click.command()
@click.argument("target", default="docs", type=click.Path(file_okay=False, path_type=Path))
def main(target: Path) -> None:
    """Write landing.md, tables.md and the costs of sources.md into the directory TARGET; publish new versions of the features."""
    for name, text in pages(target).items():
        write_atomically(target / name, f"{text.rstrip()}\n".encode())
        click.echo(f"wrote {target / name}")
    click.echo(f"wrote {publish_features()}")


if __name__ == "__main__":
    main()
