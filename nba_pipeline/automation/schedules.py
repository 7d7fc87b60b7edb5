"""The schedules, in New York time and off until switched on in the UI: each reads the state and requests range runs."""

import calendar
from collections.abc import Callable
from datetime import date, datetime, timedelta

import dagster as dg

from nba_pipeline.automation import selections
from nba_pipeline.automation.game_slate import Game, believed_slate, slate
from nba_pipeline.automation.run_requests import schedule_result
from nba_pipeline.automation.schedule_rules import (
    LONGEST_STRETCH,
    Decision,
    Skip,
    catch_up,
    complete_days,
    morning,
    overnight,
    plan_without_calendar,
    refresh,
    training,
)
from nba_pipeline.common import clock
from nba_pipeline.common.errors import SourceError
from nba_pipeline.common.timezone import ZONE
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.readiness import is_unfinished
from nba_pipeline.orchestration import jobs
from nba_pipeline.orchestration.tags import BY
from nba_pipeline.warehouse import Warehouse

CATCH_UP_DAYS = 60
ScheduleResult = list[dg.RunRequest] | dg.SkipReason


def _published(warehouse: Warehouse, day: date) -> set[date]:
    tables = selections.daily()
    return complete_days(warehouse.ledger(tables, day - timedelta(days=LONGEST_STRETCH), day), tables)


def _games_on_record(warehouse: Warehouse, day: date) -> dict[date, int]:
    """Return the games of the day's published schedule; one where the schedule was refused, since none is not proved then."""
    entries = warehouse.ledger([selections.SCHEDULE], day, day).to_pylist()
    return {day: max((e["games"] or (e["state"] == "refused") for e in entries), default=0)}


def _results_are_published(warehouse: Warehouse, day: date) -> bool:
    """Return whether facts and grades of the day are published and wait for no game."""
    entries = warehouse.ledger(selections.results(), day, day).to_pylist()
    waiting = any(e["state"] == "refused" or is_unfinished(e) for e in entries)
    return {e["table_id"] for e in entries} == set(selections.results()) and not waiting


def decide_overnight(settings: Settings, at: datetime) -> Decision:
    """Decide the runs of yesterday."""
    day = clock.eastern(at).date() - timedelta(days=1)
    warehouse = settings.watch_warehouse()
    published, results_are_in = _published(warehouse, day), _results_are_published(warehouse, day)
    try:
        games = believed_slate(settings.open_source(), [day], _games_on_record(warehouse, day))
    except SourceError as e:
        if results_are_in:
            return Skip(f"results of {day} are published")
        return plan_without_calendar("overnight", day, published, at, e.what)
    return overnight(day, games, published, at, results_are_in=results_are_in)


def decide_morning(settings: Settings, at: datetime) -> Decision:
    """Decide the runs of today's slate."""
    day = clock.eastern(at).date()
    warehouse = settings.watch_warehouse()
    published = _published(warehouse, day)
    try:
        games = believed_slate(settings.open_source(), [day], _games_on_record(warehouse, day))
        return morning(day, games, published, at)
    except SourceError as e:
        return plan_without_calendar("morning_slate", day, published, at, e.what)


def decide_refresh(settings: Settings, at: datetime) -> Decision:
    """Decide the refresh of today's lines, injuries and open forecasts."""
    day = clock.eastern(at).date()
    try:
        warehouse = settings.watch_warehouse()
        games = believed_slate(settings.open_source(), [day], _games_on_record(warehouse, day))[day]
    except SourceError as e:
        return Skip(f"the calendar of games cannot be read from the source: {e.what}")
    return refresh(day, games, _published(settings.watch_warehouse(), day), at)


def decide_catch_up(settings: Settings, at: datetime) -> Decision:
    """Decide the runs of incomplete days."""
    return catch_up(settings.watch_warehouse().ledger(), clock.eastern(at).date(), CATCH_UP_DAYS, at)


def decide_training(settings: Settings, at: datetime) -> Decision:
    """Decide the training of the month that contains the time of the tick."""
    day = clock.eastern(at).date().replace(day=1)
    month = days_between(day, day.replace(day=calendar.monthrange(day.year, day.month)[1]))
    published = _published(settings.watch_warehouse(), day)
    try:
        games = slate(settings.open_source(), month)
    except SourceError:  # unneeded models cost less than a month without models
        return training(day, {day: [Game("", at, False)]}, published, at)
    return training(day, games, published, at)


def _schedule(
    name: str, cron: str | list[str], job: str, decide: Callable[[Settings, datetime], Decision], description: str
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        cron_schedule=cron,
        job_name=job,
        execution_timezone=ZONE,
        description=description,
        tags={BY: name},
    )
    def scheduled(context: dg.ScheduleEvaluationContext) -> ScheduleResult:
        return schedule_result(decide(Settings.from_environment(), context.scheduled_execution_time), name)

    return scheduled


SCHEDULES = [
    _schedule(
        "overnight",
        "30 6-10 * * *",
        jobs.OVERNIGHT,
        decide_overnight,
        "Publishes yesterday's results, facts and grades; runs again each hour while a result is missing. 6:30 to 10:30 Eastern.",
    ),
    _schedule(
        "morning_slate",
        "45 10 * * *",
        jobs.MORNING,
        decide_morning,
        "Publishes today's slate: schedule, injuries, first lines, context, features, forecasts, prices, page. 10:45 Eastern.",
    ),
    _schedule(
        "line_refresh",
        "*/30 11-23 * * *",
        jobs.REFRESH,
        decide_refresh,
        "Refreshes lines, injuries and the forecasts of games that have not started. Every half hour from 11:00 Eastern.",
    ),
    _schedule(
        "weekly_catch_up",
        "0 5 * * 1",
        jobs.WHOLE_GRAPH,
        decide_catch_up,
        f"Runs whatever is missing, refused or unfinished on the last {CATCH_UP_DAYS} days. Mondays, 5:00 Eastern.",
    ),
    _schedule(
        "monthly_training",
        "40 8 1 * *",
        jobs.TRAINING,
        decide_training,
        "Trains the models of the month on earlier days only. The first of the month, 8:40 Eastern.",
    ),
]
