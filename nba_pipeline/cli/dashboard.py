"""The command `dashboard`: the index, the season pages and the checks."""

from datetime import date

import click

from nba_pipeline.automation.alert_store import alerts_of
from nba_pipeline.cli.console import print_json
from nba_pipeline.common.errors import MissingHistoryError
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.reporting.overview_pages import checks, context_of, latest_days, write_overview


def write_dashboard(start: date | None, end: date | None, as_json: bool) -> bool:
    """Write the pages and print their locations, or print the checks as JSON; False where a day is refused or waits.

    Args:
        start: First day of the checks; without it, thirty days up to the last that was run.
        end: Last day of the checks; without it, `start`.
        as_json: Print the figures of checks.json and write no page.

    Raises:
        MissingHistoryError: Nothing was ever published.
    """
    settings = Settings.from_environment()
    warehouse, alerts = settings.open_warehouse(), alerts_of(settings)
    entries = warehouse.ledger().to_pylist()
    if not entries:
        raise MissingHistoryError("nothing was ever published", "run `nba-pipeline backfill START END`")
    checked = (start, end or start) if start else None
    days = days_between(*checked) if checked else latest_days(max(e["day"] for e in entries))
    found = checks(entries, days, alerts)
    if as_json:
        print_json(found.as_json())
    else:
        store = settings.open_artifacts()
        for stored in write_overview(warehouse, store, context_of(settings, alerts), checked=checked).values():
            click.echo(store.address(stored.location))
    return not found.problems
