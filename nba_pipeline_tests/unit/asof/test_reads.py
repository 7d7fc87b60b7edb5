"""Which days each kind of read needs, and the second clock: what was known when."""

from typing import Any

import ibis
import pandas as pd
import pytest

from nba_pipeline import asof
from nba_pipeline.common import duckdb as duck
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline_tests.support import day, moment

# --- reads ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "first", "last", "words"),
    [
        (asof.same_day(SCHEDULE), "2024-01-10", "2024-01-10", "the day itself"),
        (asof.kept(SCHEDULE), "2024-01-10", "2024-01-10", "its own rows of the day"),
        (asof.before(SCHEDULE, 5), "2024-01-05", "2024-01-09", "the 5 days before the day"),
        (asof.season_to_date(SCHEDULE), "2023-08-01", "2024-01-09", "the season up to the day before"),
        (asof.of_the_month(SCHEDULE), "2024-01-01", "2024-01-01", "the first day of the day's month"),
        (
            asof.before_training(SCHEDULE, 5),
            "2024-01-10",
            "2024-01-09",
            "on the first of a month, from 5 days before the quarter of the month before",
        ),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_each_kind_of_read_needs_exactly_the_days_that_it_says(
    read: asof.Read, first: str, last: str, words: str
) -> None:
    """10 January is no training day: what only training reads ends before it begins."""
    on = day("2024-01-10")
    assert (read.first_needed(on), read.last_needed(on)) == (day(first), day(last))
    assert read.window_text == words


def test_training_reads_the_days_before_a_training_day() -> None:
    read, on = asof.before_training(SCHEDULE, 5), day("2024-02-01")
    assert (read.first_needed(on), read.last_needed(on)) == (day("2023-10-27"), day("2024-01-31"))


@pytest.mark.parametrize(
    ("trained_on", "first"),
    [
        ("2024-08-01", "2023-03-28"),
        ("2024-10-01", "2023-06-28"),
        ("2024-11-01", "2023-06-28"),
        ("2024-12-01", "2023-09-28"),
        ("2025-02-01", "2023-09-28"),
        ("2025-03-01", "2023-12-29"),
    ],
)
def test_a_training_reads_from_the_oldest_window_that_its_challenger_or_champion_goes_on_from(
    trained_on: str, first: str
) -> None:
    assert asof.learned_from(day(trained_on), 400) == day(first)


def test_days_together_need_from_the_first_to_the_last_that_any_of_them_needs() -> None:
    tenth, twelfth = day("2024-01-10"), day("2024-01-12")
    assert asof.same_day(SCHEDULE).needed([tenth, twelfth]) == (tenth, twelfth)
    assert asof.before(SCHEDULE, 5).needed([tenth, twelfth]) == (day("2024-01-05"), day("2024-01-11"))
    january = [day("2024-01-31"), day("2024-02-01"), day("2024-02-02")]
    assert asof.before_training(SCHEDULE, 5).needed(january) == (day("2023-10-27"), day("2024-01-31"))


def test_days_without_a_training_day_need_nothing_of_what_training_reads() -> None:
    first, last = asof.before_training(SCHEDULE, 5).needed([day("2024-01-10"), day("2024-01-11")])
    assert first > last


def test_a_read_shows_all_columns_unless_fewer_are_made_visible() -> None:
    assert asof.same_day(SCHEDULE).columns == tuple(SCHEDULE.columns)
    assert asof.same_day(SCHEDULE, visible=("game_id", "tip_off")).columns == ("game_id", "tip_off")


def test_a_model_learns_from_the_days_that_end_the_day_before_it_is_trained() -> None:
    days = pd.Series(["2024-01-26", "2024-01-27", "2024-01-31", "2024-02-01", "2024-02-02"])
    seen = asof.training_window(days, day("2024-02-01"), 5)
    assert seen.tolist() == [False, True, True, False, False]


def test_no_read_looks_back_beyond_the_first_partition() -> None:
    on = day("2021-10-21")
    assert asof.before(SCHEDULE, 30).first_needed(on) == day("2021-10-19")
    assert asof.season_to_date(SCHEDULE).first_needed(on) == day("2021-10-19")


# --- the second clock -------------------------------------------------------------------------------------------------


def evaluate(value: Any) -> Any:
    with duck.connect() as db:
        found = db.execute(f"SELECT {ibis.to_sql(value, dialect='duckdb').removeprefix('SELECT')}").fetchone()
    assert found is not None
    return found[0]


def instant(text: str | None) -> Any:
    return ibis.literal(moment(text) if text else None, "timestamp('UTC')")


def test_the_cutoff_is_a_minute_before_tip_off_or_noon_of_the_day() -> None:
    on = ibis.literal(day("2024-01-10"))
    assert evaluate(asof.cutoff(on, instant("2024-01-11 00:30"))) == moment("2024-01-11 00:29")
    assert evaluate(asof.cutoff(on, instant(None))) == moment("2024-01-10 16:00")
    assert asof.cutoff_of(day("2024-01-10"), moment("2024-01-11 00:30")) == moment("2024-01-11 00:29")
    assert asof.cutoff_of(day("2024-01-10"), None) == moment("2024-01-10 16:00")


def test_captures_at_the_cutoff_count_later_ones_do_not_and_unknown_ones_are_unknown() -> None:
    cut = instant("2024-01-11 00:29")
    assert evaluate(asof.captured_in_time(instant("2024-01-11 00:29"), cut)) is True
    assert evaluate(asof.captured_in_time(instant("2024-01-11 00:30"), cut)) is False
    assert evaluate(asof.captured_in_time(instant(None), cut)) is None


def test_a_report_that_knows_only_its_day_counts_from_the_next_day_on() -> None:
    cut, game = instant("2024-01-11 00:29"), ibis.literal(day("2024-01-10"))
    unknown = instant(None)
    assert evaluate(asof.reported_in_time(unknown, ibis.literal(day("2024-01-09")), game, cut)) is True
    assert evaluate(asof.reported_in_time(unknown, ibis.literal(day("2024-01-10")), game, cut)) is False
    assert evaluate(asof.reported_in_time(instant("2024-01-11 00:29"), game, game, cut)) is True
    assert evaluate(asof.reported_in_time(instant("2024-01-11 00:30"), game, game, cut)) is False


def test_a_forecast_made_at_tip_off_is_too_late() -> None:
    tip, cut = instant("2024-01-11 00:30"), instant("2024-01-11 00:29")
    assert evaluate(asof.made_before(instant("2024-01-11 00:29"), tip, cut)) is True
    assert evaluate(asof.made_before(instant("2024-01-11 00:30"), tip, cut)) is False
    assert evaluate(asof.made_before(instant("2024-01-11 00:29"), instant(None), cut)) is True
    assert evaluate(asof.made_before(instant("2024-01-11 00:30"), instant(None), cut)) is False
