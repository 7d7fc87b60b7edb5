"""The command `staging`."""

from datetime import UTC, datetime

import click

from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration.instance import opened


def show_staging(remove: bool) -> bool:
    """Print the staging tables; with `remove`, drop those whose run has ended. False where one of those is left."""
    from nba_pipeline.automation import staging_cleanup as sweeping
    from nba_pipeline.warehouse.bigquery.staging import staging_tables

    settings = Settings.from_environment()
    if settings.bigquery is None:
        click.echo(sweeping.NOTHING_STAGED)
        return True
    connection = sweeping.connection_of(settings.bigquery)
    with opened(settings) as instance:
        verdicts = sweeping.verdicts(staging_tables(connection), instance)
        dropped = {v.table for v in sweeping.sweep(connection, instance)} if remove else set()
    now = datetime.now(UTC)
    for v in verdicts:
        t = v.table
        done = "dropped" if t in dropped else "ended  " if v.ended else "kept   "
        minutes = t.age(now).total_seconds() / 60
        click.echo(
            f"{done} {t.name}: {t.rows} rows for {t.table or 'unknown'}, {minutes:.0f} min old, run {t.run or '-'}; {v.why}"
        )
    left = [v for v in verdicts if v.ended and v.table not in dropped]
    click.echo(f"{len(verdicts)} staging tables, {len(dropped)} dropped")
    if left:
        click.echo(f"{len(left)} outlived their run\n  Fix: nba-pipeline staging --remove")
    return not left
