"""The command `corrections`."""

from datetime import date, timedelta

import click

from nba_pipeline.asof.reads import CORRECTED_FOR
from nba_pipeline.cli.console import print_json
from nba_pipeline.cli.rows import last_run
from nba_pipeline.common import clock
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between, last_asked, ranges
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.tables.plans import stored_plans
from nba_pipeline.verification.corrections import REPAIRED, corrections, days_within


def show_corrections(start: date | None, end: date | None, hours: int | None, as_json: bool) -> bool:
    """Print where the source differs from published facts, and the commands that publish the corrected values.

    Args:
        start: First day; without it, the days of the last `hours`.
        end: Last day, inclusive; without it, the last that was run.
        hours: How far to look back without `start`; without it, as long as results are corrected.
        as_json: Print JSON.

    Returns:
        True when nothing differs.
    """
    now = clock.now()
    span = timedelta(hours=hours) if hours else CORRECTED_FOR
    settings = Settings.from_environment()
    warehouse = settings.open_warehouse()
    days = days_between(start, last_asked(start, end, last_run(warehouse))) if start else days_within(span, now)
    run = RunContext(
        "corrections", now, settings.markets, settings.open_artifacts(), plans=stored_plans(settings.cache)
    )
    differences = corrections(warehouse, settings.open_source(), days, run)
    if as_json:
        print_json([d.as_json() for d in differences])
        return not differences
    for difference in differences:
        click.echo(str(difference))
    affected_days = sorted({d.day for d in differences})
    click.echo(f"{len(differences)} differences on {len(affected_days)} of the days {days[0]}..{days[-1]}")
    if differences:
        selects = " ".join(f"--select {t.split('.')[1]}" for t in REPAIRED)
        click.echo("  Fix: publish facts and grades of these days again; forecasts made earlier do not change:")
        for first, last in ranges(affected_days):
            click.echo(f"  nba-pipeline backfill {first} {last} {selects}")
    return not differences
