"""How far a backfill is: counted in table-days, at the rate of the last minutes, over all runs that belong together."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.cli.backfills import show_backfills
from nba_pipeline.common.progress import run_pace
from nba_pipeline.common.throughput import Pace, hourly, in_words
from nba_pipeline.orchestration.run_history import RangeRun, TableEnd, grouped, range_runs
from nba_pipeline_tests.support.homes import FIRST, LAST, Home

BEGAN = datetime(2024, 1, 7, 10, 8, tzinfo=UTC)
HAND_OFF = timedelta(hours=3, minutes=12)


def pace(done: int, total: int, after: timedelta, failed: int = 0, *ended: tuple[timedelta, int]) -> Pace:
    return Pace(total, done, failed, BEGAN, BEGAN + after, [(BEGAN + at, n) for at, n in ended])


def test_268_of_922_in_3_h_12_min_are_83_75_an_hour_and_7_8_h_to_go() -> None:
    found = pace(268, 922, HAND_OFF)
    assert found.per_hour == 83.75
    assert found.remaining == 654
    assert found.left is not None
    assert in_words(found.left) == "7.8 h"


def test_the_rate_is_that_of_the_last_ten_minutes() -> None:
    found = pace(200, 400, timedelta(hours=2), 0, (timedelta(minutes=5), 150), (timedelta(minutes=115), 50))
    assert found.per_hour == 300
    assert found.left == timedelta(minutes=40)


def test_a_long_silence_counts_at_the_rate_of_the_whole_time() -> None:
    assert pace(100, 400, timedelta(hours=2), 0, (timedelta(minutes=5), 100)).per_hour == 50


def test_before_anything_ended_there_is_no_rate_and_no_promise() -> None:
    found = pace(0, 10, timedelta(minutes=3))
    assert (found.per_hour, found.left) == (None, None)
    assert hourly(5, timedelta()) is None


def test_failed_days_are_neither_done_nor_remaining() -> None:
    assert pace(5, 10, timedelta(hours=1), failed=3).remaining == 2


@pytest.mark.parametrize(("seconds", "words"), [(45, "45 s"), (720, "12 min"), (28_080, "7.8 h"), (5_400, "1.5 h")])
def test_time_left_in_words(seconds: int, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words


def run(group: str, minute: int, *ends: TableEnd, state: str = "success", planned: int | None = None) -> RangeRun:
    began = BEGAN + timedelta(minutes=minute)
    days = (date(2024, 1, 1), date(2024, 1, 10))
    return RangeRun(group, "backfill", state, *days, 3, began, began + timedelta(minutes=1), tuple(ends), planned)


def end(minute: int, failed: int = 0) -> TableEnd:
    return TableEnd(BEGAN + timedelta(minutes=minute), failed)


NOW = BEGAN + timedelta(minutes=9)


def test_runs_of_one_backfill_are_one_line_with_the_total_that_was_planned() -> None:
    runs = [run("a", 0, end(1), end(1), end(1), planned=60), run("a", 2, end(3), state="started", planned=60)]
    (found,) = grouped(runs, NOW)
    assert (found.pace.total, found.pace.done, found.pace.remaining, found.state) == (60, 40, 20, "started")
    assert found.running


def test_refused_days_are_counted_as_failed() -> None:
    (found,) = grouped([run("a", 0, end(1, 2), state="failure")], NOW)
    assert (found.pace.total, found.pace.done, found.pace.failed, found.pace.remaining) == (30, 8, 2, 20)
    assert not found.running


def test_the_newest_backfill_comes_first() -> None:
    assert [b.id for b in grouped([run("a", 0), run("b", 5)], NOW)] == ["b", "a"]


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 10)), max_size=3))
def test_done_failed_and_remaining_add_up(ends: list[tuple[int, int]]) -> None:
    (found,) = grouped([run("a", 0, *(end(m, f) for m, f in ends))], NOW)
    assert found.pace.done + found.pace.failed + found.pace.remaining == found.pace.total


def test_a_run_of_a_home_is_listed_with_its_table_days(
    finished_home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with finished_home.instance() as instance:
        (found,) = range_runs(instance, 5)
    assert (found.start, found.end, found.state) == (FIRST, LAST, "success")
    assert len(found.ends) == found.tables
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(finished_home.path))
    monkeypatch.setenv("DAGSTER_HOME", str(finished_home.path / "dagster"))
    assert show_backfills(5, as_json=False, watch=False)
    days = (LAST - FIRST).days + 1
    assert f"{found.tables * days}/{found.tables * days}" in capsys.readouterr().out.replace(",", "")


def test_the_log_of_a_run_says_how_far_it_is_after_every_table() -> None:
    first = run_pace("x", 30, 10, 0, BEGAN, BEGAN + timedelta(minutes=1))
    assert first == "this run: 10 of 30 table-days, 600 an hour, 2 min left"
    second = run_pace("x", 30, 8, 2, BEGAN + timedelta(minutes=1), BEGAN + timedelta(minutes=2))
    assert second == "this run: 20 of 30 table-days, 600 an hour, 60 s left"
