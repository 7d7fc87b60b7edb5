"""The command `report`."""

from contextlib import nullcontext
from datetime import date

import click

from nba_pipeline.cli.console import errors, table_days
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.orchestration import backfill as runs


def write_reports(start: date, end: date) -> None:
    """Write the pages of the days and print where they lie; of a range, the first and the last."""
    runs.check_range(start, end, runs.latest_day())
    from nba_pipeline.reporting.asset import write_pages

    settings = Settings.from_environment()
    store = settings.open_artifacts()
    days = days_between(start, end)
    with table_days(len(days), errors) if len(days) > 1 else nullcontext():
        written = write_pages(settings.open_warehouse(), store, days)
    for day in dict.fromkeys((start, end)):
        click.echo(store.address(written[day].location))
