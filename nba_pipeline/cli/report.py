"""The command `report`."""

from contextlib import nullcontext
from datetime import date

import click

from nba_pipeline.cli.console import errors, print_json, table_days
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between


def write_reports(start: date, end: date, as_json: bool = False, quiet: bool = False) -> None:
    """Write the report pages of the days and print the locations of the first and the last, or of all as JSON."""
    from nba_pipeline.automation.alert_store import alerts_of
    from nba_pipeline.reporting.overview_pages import context_of, write_overview
    from nba_pipeline.reporting.pages import write_pages

    settings = Settings.from_environment()
    store = settings.open_artifacts()
    days = days_between(start, end)
    with table_days(len(days), errors) if len(days) > 1 else nullcontext():
        warehouse = settings.open_warehouse()
        written = write_pages(warehouse, store, days, simulated=settings.is_simulated)
        write_overview(warehouse, store, context_of(settings, alerts_of(settings)), seasons=[])
    if as_json:
        print_json([{"day": d, "path": store.address(s.location), "bytes": s.bytes} for d, s in written.items()])
        return
    for day in () if quiet else dict.fromkeys((start, end)):
        click.echo(store.address(written[day].location))
