"""The command `demo`."""

from dataclasses import replace
from datetime import date

from nba_pipeline.cli.backfill import run_backfill
from nba_pipeline.cli.console import console
from nba_pipeline.cli.report import write_reports
from nba_pipeline.config.home import record_origin, recorded_origin
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.evaluation.leaderboard import RowSet
from nba_pipeline.orchestration.backfill_plan import history_steps
from nba_pipeline.tables.catalog import graph_order

DEMO_START, DEMO_END = date(2024, 10, 22), date(2025, 6, 22)


def run_demo(days: int | None) -> bool:
    """Materialize a simulated season in every table, then print coverage, checks and leaderboard."""
    from nba_pipeline.cli.status import show_status

    end = DEMO_END if days is None else min(DEMO_END, days_between(DEMO_START, DEMO_END)[days - 1])
    settings = _begin_home(Settings.from_environment(), end)
    console.print(
        f"home {settings.home}; source {settings.source}; warehouse {settings.warehouse_name}", highlight=False
    )
    fine = run_backfill(DEMO_START, end, (), missing=False)
    fine = show_status(DEMO_START, end, as_json=False) and fine
    show_leaderboard_if_any(RowSet(market=settings.markets[0]))
    console.print("Report page of the last day:")
    write_reports(end, end)
    console.print(
        "Next: `make dev` opens the UI on these data; `nba-pipeline --help` lists the commands.", highlight=False
    )
    return fine


def _begin_home(settings: Settings, end: date) -> Settings:
    """Let a new home have the days of the demo alone, from the first that the demo looks back on, and return its settings."""
    if recorded_origin(settings.home) is not None:
        return settings
    ledger = settings.open_warehouse().ledger()
    first = min((s.start for s in history_steps(graph_order(), DEMO_START, end, ledger)), default=DEMO_START)
    settings.home.mkdir(parents=True, exist_ok=True)
    record_origin(settings.home, replace(settings.origin, first_day=max(first, settings.first_day), last_day=end))
    return Settings.from_environment()


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
