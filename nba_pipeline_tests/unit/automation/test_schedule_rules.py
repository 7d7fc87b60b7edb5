"""What schedules ask for, by the calendar of games, what is published, and the moment."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest

from nba_pipeline import definitions
from nba_pipeline.automation import selections
from nba_pipeline.automation.game_slate import Game
from nba_pipeline.automation.schedule_rules import (
    Decision,
    RunPlan,
    Skip,
    by_days,
    catch_up,
    complete_days,
    morning,
    overnight,
    plan_without_calendar,
    refresh,
    stretch,
    training,
)
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.tables.catalog import graph_order
from nba_pipeline.warehouse.protocol import ENTRY_SCHEMA, LedgerEntry, entries_table
from nba_pipeline_tests.support import day, moment

assert definitions.defs  # every table is registered
DAY = day("2024-11-06")
WHOLE = tuple(graph_order())
AT = moment("2024-11-06 15:45")
EARLY, LATE = moment("2024-11-06 23:59"), moment("2024-11-07 02:59")
GAMES = [Game("0022400100", EARLY, False), Game("0022400101", LATE, False)]
SEASON = set(days_between(day("2024-10-22"), DAY - timedelta(days=1)))


def asked(decision: Decision) -> list[RunPlan]:
    assert not isinstance(decision, Skip), decision
    return list(decision)


def why_not(decision: Decision) -> str:
    assert isinstance(decision, Skip)
    return decision.reason


def entry(table: str, on: date, state: str = "published", run: str = "r") -> LedgerEntry:
    return LedgerEntry(table, on, state, 1, 1, {}, 0, 1, 0, "h", (), run, AT)  # pyright: ignore[reportArgumentType]


def ledger(entries: Iterable[LedgerEntry]):
    rows = list(entries)
    return entries_table(rows) if rows else ENTRY_SCHEMA.empty_table()


ALL = (*selections.daily(), selections.MODELS)


def test_a_day_without_games_asks_for_nothing_and_says_which_day() -> None:
    none: dict[date, list[Game]] = {DAY: []}
    for decision in (
        overnight(DAY, none, SEASON, AT, results_are_in=False),
        morning(DAY, none, SEASON, AT),
        refresh(DAY, [], SEASON, AT),
    ):
        assert f"no games on {DAY}" in why_not(decision)


def test_the_days_that_nobody_ran_run_with_the_next_day_that_has_games() -> None:
    off = {DAY - timedelta(days=1), DAY - timedelta(days=2)}
    (ask,) = asked(morning(DAY, {DAY: GAMES}, SEASON - off, AT))
    assert (ask.start, ask.end) == (DAY - timedelta(days=2), DAY)


def test_a_home_in_which_nothing_was_ever_published_is_not_filled_by_a_schedule() -> None:
    assert stretch(DAY, set()) == DAY


def test_the_night_asks_until_the_results_are_in() -> None:
    yesterday = DAY - timedelta(days=1)
    (ask,) = asked(overnight(yesterday, {yesterday: GAMES}, SEASON, AT, results_are_in=False))
    assert (ask.start, ask.end, ask.tables) == (yesterday, yesterday, WHOLE)
    assert "are published" in why_not(overnight(yesterday, {yesterday: GAMES}, SEASON, AT, results_are_in=True))


def test_on_the_first_of_a_month_the_models_are_left_to_their_own_run() -> None:
    first = day("2024-11-01")
    for on, before in ((first, first - timedelta(days=1)), (first + timedelta(days=1), first - timedelta(days=1))):
        (ask,) = asked(morning(on, {on: GAMES}, {before}, AT))
        assert (ask.start, ask.end, ask.tables) == (first, on, selections.daily())
    (ask,) = asked(morning(on, {on: GAMES}, {first}, AT))
    assert ask.tables == WHOLE


def test_two_ticks_are_two_runs_and_the_same_tick_is_one() -> None:
    first, again, later = (
        asked(morning(DAY, {DAY: GAMES}, SEASON, at))[0].key for at in (AT, AT, AT + timedelta(days=1))
    )
    assert first == again != later


def test_a_refresh_runs_only_what_lines_and_injuries_change() -> None:
    (ask,) = asked(refresh(DAY, GAMES, SEASON | {DAY}, moment("2024-11-07 01:00")))
    assert ask.tables == selections.refreshed()
    assert "1 of 2 games" in ask.why


def test_a_refresh_completes_a_slate_that_is_not_complete() -> None:
    (ask,) = asked(refresh(DAY, GAMES, SEASON, moment("2024-11-06 20:00")))
    assert ask.tables == WHOLE


@pytest.mark.parametrize(
    ("at", "said"), [("2024-11-07 02:59", "have started"), ("2024-11-06 11:58", "more than 12:00:00 from now")]
)
def test_a_refresh_is_for_the_hours_before_tip_off(at: str, said: str) -> None:
    assert said in why_not(refresh(DAY, GAMES, SEASON | {DAY}, moment(at)))


def test_a_source_that_cannot_say_whether_there_are_games_does_not_silence_the_day() -> None:
    (ask,) = asked(plan_without_calendar("morning_slate", DAY, SEASON, AT, "no answer"))
    assert (ask.end, ask.tables) == (DAY, WHOLE)
    assert "no answer" in ask.why


def test_catching_up_asks_for_exactly_what_is_missing_or_refused_and_what_reads_it() -> None:
    days = days_between(day("2024-11-01"), day("2024-11-05"))
    entries = [entry(t, d) for t in ALL for d in days if (t, d) != ("nba_raw.shots", day("2024-11-03"))]
    entries.append(entry(selections.GRADES, day("2024-11-05"), "refused"))
    asks = asked(catch_up(ledger(entries), DAY, 30, AT))
    assert [(a.start, a.end) for a in asks] == [(day("2024-11-03"),) * 2, (day("2024-11-05"),) * 2]
    assert "nba_raw.shots" in asks[0].tables
    assert "nba_raw.schedule" not in asks[0].tables
    assert asks[1].tables == (selections.GRADES, "nba_predictions.system_daily_performance")


def test_catching_up_with_nothing_missing_says_so_and_leaves_a_new_home_alone() -> None:
    days = days_between(day("2024-11-01"), day("2024-11-05"))
    assert "nothing is missing" in why_not(catch_up(ledger(entry(t, d) for t in ALL for d in days), DAY, 30, AT))
    assert "backfill" in why_not(catch_up(ledger([]), DAY, 30, AT))


def test_a_month_without_games_trains_nothing() -> None:
    first = day("2025-08-01")
    assert "no games in August 2025" in why_not(
        training(first, {d: [] for d in days_between(first, day("2025-08-31"))}, set(), AT)
    )


def test_training_runs_first_the_days_that_nobody_ran_and_then_the_models() -> None:
    first = day("2024-10-01")
    asks = asked(training(first, {first: [], day("2024-10-22"): GAMES}, {day("2024-06-17")}, AT))
    assert [(a.start, a.end, a.tables) for a in asks] == [
        (day("2024-06-18"), day("2024-09-30"), selections.daily()),
        (first, first, (selections.MODELS,)),
    ]


def test_a_day_is_complete_when_all_tables_are_published_and_none_is_refused() -> None:
    d1, d2, d3 = days_between(day("2024-11-01"), day("2024-11-03"))
    entries = [
        entry("a", d1),
        entry("b", d1),
        entry("a", d2),
        entry("a", d3),
        entry("b", d3),
        entry("b", d3, "refused"),
    ]
    assert complete_days(ledger(entries), ("a", "b")) == {d1}


def test_days_with_the_same_tables_are_one_run_and_no_other_day_joins() -> None:
    d1, d2, d3, d5 = (day(f"2024-11-0{i}") for i in (1, 2, 3, 5))
    assert by_days({d1: ("a",), d2: ("a",), d3: ("b",), d5: ("a",)}) == [
        (("a",), d1, d2),
        (("b",), d3, d3),
        (("a",), d5, d5),
    ]


def test_results_reach_facts_and_grades_and_never_a_forecast() -> None:
    assert not {selections.FORECASTS, selections.MODELS, "nba_predictions.prop_prices"} & {*selections.results()}
    assert {selections.GRADES, "nba_analytics.player_game_summary", selections.SCHEDULE} <= {*selections.results()}


def test_a_refresh_reaches_forecasts_and_prices_and_no_result() -> None:
    assert {selections.FORECASTS, "nba_predictions.prop_prices", "nba_raw.injury_reports"} <= {*selections.refreshed()}
    assert {*selections.results()} & {*selections.refreshed()} == {selections.SCHEDULE}


def test_the_eastern_day_of_a_late_game_is_the_day_of_the_slate() -> None:
    assert datetime(2024, 11, 7, 3, 0, tzinfo=UTC) > LATE
    (ask,) = asked(refresh(DAY, GAMES, SEASON | {DAY}, moment("2024-11-07 02:30")))
    assert ask.start == DAY
