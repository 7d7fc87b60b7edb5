"""The command `status`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table as Grid

from nba_pipeline.cli.console import console, print_grid, print_json
from nba_pipeline.cli.rows import last_run
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between, last_asked, latest_day
from nba_pipeline.engine import coverage
from nba_pipeline.engine.waivers import Waivers, read_waivers
from nba_pipeline.sources.call_log import CallLog, recorded_credits
from nba_pipeline.tables.catalog import CATALOG, all_tables, graph_order
from nba_pipeline.warehouse import Warehouse

SCHEDULE = "nba_raw.schedule"


@dataclass(frozen=True)
class RangeStatus:
    """The status of every table over first..last."""

    statuses: tuple[coverage.TableStatus, ...]
    first: date
    last: date


def read_statuses(warehouse: Warehouse, start: date | None, end: date | None, waivers: Waivers) -> RangeStatus | None:
    """Read the status of every table.

    Args:
        warehouse: Where the tables are.
        start: First day; without it, for each table the first day of its ledger entries, since history that a backfill
            adds covers only some tables.
        end: Last day, inclusive; without it, the last that was run, or `start` where that is later.
        waivers: Accepted gaps.

    Returns:
        None where nothing was ever run.
    """
    entries = coverage.by_table(warehouse.ledger(start=start, end=end))
    days_run = coverage.span(chain.from_iterable(entries.values()))
    ever_run = days_run[1] if days_run else last_run(warehouse)
    if start and (end or ever_run):
        first, last = start, last_asked(start, end, ever_run)
    elif days_run:
        first, last = days_run
    else:
        return None
    counts = _rows_by_day(warehouse, first, last)
    games = {e["day"]: e["games"] for e in entries.get(SCHEDULE, ()) if e["state"] == "published"}
    statuses = []
    for table in all_tables():
        own = entries.get(table.id, [])
        own_days = coverage.span(own)
        days = days_between(first if start or own_days is None else own_days[0], last)
        rows, unit = counts.get(table.id, {}), CATALOG[table.id].unit
        statuses.append(coverage.table_status(table, unit, days, own, rows, games, waivers.of(table.id)))
    return RangeStatus(tuple(statuses), first, last)


def _rows_by_day(warehouse: Warehouse, first: date, last: date) -> dict[str, dict[date, int]]:
    counts: dict[str, dict[date, int]] = {}
    for row in warehouse.contents(all_tables(), first, last, hashes=False).to_pylist():
        counts.setdefault(row["table_id"], {})[row["day"]] = row["rows"]
    return counts


def current_waivers(settings: Settings) -> Waivers:
    """Read the waivers of the home."""
    return read_waivers(settings.open_state().declarations(), graph_order(), latest_day())


def waived_days(s: coverage.TableStatus) -> list[str]:
    """List the waived days of a table with their reasons."""
    return [f"{day}: {why}" for day, why in s.waived.items()]


def show_status(start: date | None, end: date | None, as_json: bool) -> bool:
    """Print the status; False when a table is not complete over the days."""
    settings = Settings.from_environment()
    status = read_statuses(settings.open_warehouse(), start, end, current_waivers(settings))
    if status is None:
        message = f"{settings.warehouse_name}: nothing was ever published; run `nba-pipeline backfill START END`"
        if as_json:
            print_json({"tables": [], "complete": False, "message": message})
        else:
            click.echo(message)
        return False
    complete = all(s.complete for s in status.statuses)
    spent = recorded_credits(CallLog(settings.open_state()), settings.live.odds_monthly_credits)
    if as_json:
        head = {"start": status.first.isoformat(), "end": status.last.isoformat(), "complete": complete}
        credits = {"odds_credits": spent} if spent else {}
        print_json(head | credits | {"tables": [s.as_json() for s in status.statuses]})
        return complete
    print_grid(status_grid(status.statuses, status.first, status.last))
    for sentence in absences(status.statuses):
        console.print(sentence, highlight=False, markup=False)
    for s in status.statuses:
        for sentence in [*coverage.problems(s), *waived_days(s)]:
            console.print(f"{s.table}: {sentence}", highlight=False, markup=False)
    if spent:
        cap = "" if spent["monthly_cap"] is None else f" of {spent['monthly_cap']:,}"
        left = "" if spent["left"] is None else f", {spent['left']:,} left at the service"
        console.print(f"odds_api: {spent['spent_this_month']:,}{cap} credits spent this month{left}", highlight=False)
    return complete


def status_grid(statuses: Sequence[coverage.TableStatus], start: date, end: date) -> Grid:
    """Lay out published days and rows per table against what the schedule requires."""
    grid = Grid(title=f"{start} .. {end}", title_justify="left", box=SIMPLE_HEAD)
    grid.add_column("table", no_wrap=True)
    for name in ("from", "published", "no games", "rows", "expected", "absent", "rejected", "refused", "missing"):
        grid.add_column(name, justify="right", no_wrap=True)
    for s in statuses:
        absent = sum(s.explained.values()) + s.unexplained
        grid.add_row(
            f"[{'green' if s.complete else 'red'}]{s.table.split('.')[1]}[/]",
            f"{s.first_day}",
            f"{s.days_published:,}/{s.days_expected:,}",
            f"{s.days_without_games:,}",
            f"{s.rows:,}",
            f"{s.expected:,} {s.unit}" if s.unit else "-",
            f"{absent:,}",
            f"{s.rejected:,}",
            f"{len(s.refused):,}",
            f"{len(s.missing):,}",
        )
    return grid


def absences(statuses: Sequence[coverage.TableStatus]) -> list[str]:
    """List why expected rows are absent, a sentence per table and reason."""
    return [f"{s.table}: {n:,} {s.unit} absent: {why}" for s in statuses for why, n in sorted(s.explained.items())]
