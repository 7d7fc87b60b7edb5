"""The command `dashboard`: the index, the season pages and the checks."""

from datetime import date

import click

from nba_pipeline.automation.alert_store import alerts_of
from nba_pipeline.cli.console import print_json
from nba_pipeline.common.errors import MissingHistoryError
from nba_pipeline.config.settings import Settings
from nba_pipeline.reporting.overview_pages import context_of, read_checks, write_overview


def write_dashboard(start: date | None, end: date | None, as_json: bool) -> bool:
    """Write the pages and print their locations, or print the checks as JSON; False where a day is refused or waits.

    Args:
        start: First day of the checks; without it, thirty days up to the last that was run.
        end: Last day of the checks; without it, the last that was run.
        as_json: Print the figures of checks.json and write no page.

    Raises:
        MissingHistoryError: Nothing was ever published.
    """
    settings = Settings.from_environment()
    warehouse, context = settings.open_warehouse(), context_of(settings, alerts_of(settings))
    checked = (start, end) if start else None
    if as_json:
        found = read_checks(warehouse, context, checked)
    else:
        store = settings.open_artifacts()
        written = write_overview(warehouse, store, context, checked=checked)
        found = written.checks
        for stored in written.pages.values():
            click.echo(store.address(stored.location))
    if found is None:
        raise MissingHistoryError("nothing was ever published", "run `nba-pipeline backfill START END`")
    if as_json:
        print_json(found.as_json())
    return not found.problems
