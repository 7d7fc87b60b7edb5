"""Windows of one table are one query where that reads no more values than a query for each."""

from datetime import date, timedelta

import pytest

from nba_pipeline.warehouse.bigquery.shared_reads import SharedRead, share
from nba_pipeline.warehouse.protocol import Days
from nba_pipeline_tests.support.results import FIRST, OTHERS, RESULTS, days

DAY, TEAM, BOTH = ("game_date",), ("team",), ("game_date", "team")


def between(start: int, end: int, columns: tuple[str, ...] | None = None) -> Days:
    first, last = days(start, end)
    return Days(first, last, columns)


def shared(*windows: Days) -> list[tuple[tuple[str, ...], Days]]:
    found = share({str(n): (RESULTS, window) for n, window in enumerate(windows)})
    return [(one.names, one.days) for one in found]


@pytest.mark.parametrize(
    ("windows", "read"),
    [
        ((between(0, 9, TEAM), between(0, 9, DAY)), between(0, 9, BOTH)),
        ((between(0, 9), between(9, 9, BOTH)), between(0, 9, tuple(RESULTS.columns))),
        ((between(0, 9, BOTH), between(3, 12, BOTH)), between(0, 12, BOTH)),
        ((between(3, 12, BOTH), between(0, 2, BOTH)), between(0, 12, BOTH)),
    ],
    ids=["same days", "days within others", "days that overlap", "days next to each other"],
)
def test_windows_that_are_no_more_values_together_are_one_query(windows: tuple[Days, Days], read: Days) -> None:
    assert shared(*windows) == [(("0", "1"), read)]


@pytest.mark.parametrize(
    "windows",
    [
        (between(0, 100, BOTH), between(101, 101)),
        (between(0, 1, BOTH), between(30, 31, BOTH)),
        (between(0, 9, TEAM), between(0, 4, TEAM)),
    ],
    ids=["many columns of a day", "days far apart", "a day that neither needs to tell them apart"],
)
def test_windows_that_are_more_values_together_are_queries_of_their_own(windows: tuple[Days, Days]) -> None:
    assert shared(*windows) == [(("0",), windows[0]), (("1",), windows[1])]


def test_each_window_is_in_one_query_and_tables_are_never_put_together() -> None:
    span = Days(FIRST, FIRST + timedelta(days=9))
    found = share({"a": (RESULTS, span), "b": (OTHERS, span), "c": (RESULTS, span), "d": (OTHERS, span)})
    assert [(one.table.id, one.names) for one in found] == [(RESULTS.id, ("a", "c")), (OTHERS.id, ("b", "d"))]
    assert share({}) == []


def test_a_window_joins_the_first_query_with_which_it_is_no_more_values() -> None:
    early, late = between(0, 9, BOTH), Days(date(2024, 6, 1), date(2024, 6, 9), BOTH)
    found = share({"early": (RESULTS, early), "late": (RESULTS, late), "of late": (RESULTS, late)})
    assert found == [SharedRead(RESULTS, early, ("early",)), SharedRead(RESULTS, late, ("late", "of late"))]
