"""The command `quarantine`."""

import click

from nba_pipeline.common.json_text import json_text
from nba_pipeline.config.settings import Settings
from nba_pipeline.tables.catalog import find_table


def show_quarantine(table: str | None, limit: int, as_json: bool) -> None:
    """Print rejected rows, or how many there are by reason. Raises ConfigurationError for an unknown table."""
    wanted = [find_table(table).id] if table else None
    rows = Settings.from_environment().open_warehouse().quarantine(wanted).to_pylist()
    if as_json:
        for row in rows:
            click.echo(json_text(row))
        return
    totals: dict[tuple[str, str], int] = {}
    for row in rows:
        totals[row["table_id"], row["reason"]] = totals.get((row["table_id"], row["reason"]), 0) + 1
    click.echo(f"{len(rows)} rows in quarantine")
    for (name, reason), n in sorted(totals.items(), key=lambda item: -item[1])[:limit]:
        click.echo(f"{n:>8}  {name}: {reason[:160]}")
    for row in rows[:limit]:
        click.echo(f"{row['table_id']} {row['day']}: {row['reason'][:160]}\n    {row['row'][:300]}")
