"""The command `demo`."""

from datetime import date
from pathlib import Path

from nba_pipeline.cli.backfill import run_backfill
from nba_pipeline.cli.console import console
from nba_pipeline.cli.demo_home import DEMO_START
from nba_pipeline.cli.report import write_reports
from nba_pipeline.common.throughput import counted
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.evaluation.leaderboard import RowSet
from nba_pipeline.orchestration.backfill_plan import joined, plan
from nba_pipeline.tables.catalog import graph_order
from nba_pipeline.warehouse import Warehouse

SCHEDULE = "nba_raw.schedule"
# Of the demo on two idle cores, training and forecasts included; other work on them halves it.
TABLE_DAYS_A_SECOND = 250


def run_demo(settings: Settings, end: date) -> bool:
    """Materialize a simulated season in every table, then print coverage, checks and leaderboard.

    Args:
        settings: The settings of the home.
        end: The last day.
    """
    from nba_pipeline.cli.status import show_status

    console.print(
        f"home {settings.home}; source {settings.source}; warehouse {settings.warehouse_name}", highlight=False
    )
    for sentence in announcement(settings, end):
        console.print(sentence, highlight=False, soft_wrap=True)
    fine = run_backfill(DEMO_START, end, (), missing=False, at_once=True)
    fine = show_status(DEMO_START, end, as_json=False) and fine
    show_leaderboard_if_any(RowSet(market=settings.markets[0]))
    day = last_day_with_games(settings.open_warehouse(), DEMO_START, end)
    if day is not None:
        write_reports(day, day, quiet=True)
        page = settings.open_artifacts().address(f"reports/{day}.html")
        console.print(f"The page of {day}, the last day with games: open", highlight=False)
        console.print(page if "://" in page else Path(page).as_uri(), highlight=False, soft_wrap=True)
    console.print(
        "Next: `make dev` opens the UI on these data; `nba-pipeline --help` lists the commands.", highlight=False
    )
    return fine


def announcement(settings: Settings, end: date) -> list[str]:
    """Say what the demo is going to do, and how long it takes on two cores."""
    tables = graph_order()
    planned = joined(plan(tables, DEMO_START, end, settings.open_warehouse().ledger(), missing=False))
    days = days_between(DEMO_START, end)
    sentences = [f"The demo computes {len(tables)} tables for {len(days)} days, {DEMO_START}..{end}."]
    if planned.history:
        first = min(s.start for s in planned.history)
        before = (DEMO_START - first).days
        sentences.append(
            f"Before them it needs {before:,} days of history from {first} on: averages, features and models look back on them."
        )
    if settings.is_simulated:
        sentences.append("League, players, books and prices are invented: its figures say nothing about real bets.")
    minutes = max(1, round(planned.table_days / TABLE_DAYS_A_SECOND / 60))
    sentences.append(
        f"{planned.table_days:,} table-days take about {counted(minutes, 'minute')} on two idle cores; progress follows."
    )
    return sentences


def last_day_with_games(warehouse: Warehouse, start: date, end: date) -> date | None:
    """Find the last day of a range whose published schedule has games; None without one."""
    entries = warehouse.ledger([SCHEDULE], start, end).to_pylist()
    return max((e["day"] for e in entries if e["state"] == "published" and e["games"]), default=None)


def show_leaderboard_if_any(rows: RowSet) -> None:
    """Print the leaderboard, or why the first days of a season have none."""
    from nba_pipeline.cli.leaderboard import NoGradedForecastsError, show_leaderboard

    try:
        show_leaderboard(rows, None, as_json=False)
    except NoGradedForecastsError:
        console.print(
            f"No leaderboard yet: it ranks forecasts of {rows.words}, which players reach about three weeks after opening "
            f"night ({DEMO_START}). `nba-pipeline demo --days 30` has one.",
            highlight=False,
            soft_wrap=True,
        )
