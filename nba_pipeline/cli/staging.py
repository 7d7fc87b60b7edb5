"""The command `staging`."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from nba_pipeline.cli.console import print_json
from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration.instance import opened

if TYPE_CHECKING:
    from nba_pipeline.automation.staging_cleanup import Verdict
    from nba_pipeline.warehouse.bigquery.staging import StagingTable


def show_staging(remove: bool, as_json: bool) -> bool:
    """Print the staging tables; with `remove`, drop those whose run has ended. False where one of those is left."""
    from nba_pipeline.automation import staging_cleanup as sweeping
    from nba_pipeline.warehouse.bigquery.staging import staging_tables

    settings = Settings.from_environment()
    if settings.bigquery is None:
        if as_json:
            print_json([])
        else:
            click.echo(sweeping.NOTHING_STAGED)
        return True
    connection = sweeping.connection_of(settings.bigquery)
    with opened(settings) as instance:
        verdicts = sweeping.verdicts(staging_tables(connection), instance)
        dropped = {v.table for v in sweeping.sweep(connection, instance)} if remove else set()
    now = datetime.now(UTC)
    left = [v for v in verdicts if v.ended and v.table not in dropped]
    if as_json:
        print_json([_as_json(v, dropped, now) for v in verdicts])
        return not left
    for v in verdicts:
        t = v.table
        done = "dropped" if t in dropped else "ended  " if v.ended else "kept   "
        minutes = t.age(now).total_seconds() / 60
        click.echo(
            f"{done} {t.name}: {t.rows} rows for {t.table or 'unknown'}, {minutes:.0f} min old, run {t.run or '-'}; {v.why}"
        )
    click.echo(f"{len(verdicts)} staging tables, {len(dropped)} dropped")
    if left:
        click.echo(f"{len(left)} outlived their run\n  Fix: nba-pipeline staging --remove")
    return not left


def _as_json(verdict: "Verdict", dropped: "Collection[StagingTable]", now: datetime) -> dict[str, Any]:
    table = verdict.table
    return {
        "name": table.name,
        "table": table.table or None,
        "run": table.run or None,
        "rows": table.rows,
        "age_seconds": table.age(now).total_seconds(),
        "ended": verdict.ended,
        "dropped": table in dropped,
        "reason": verdict.why,
    }
