"""The days of `status` and `check`: those that were given, else those that were run."""

from collections.abc import Sequence
from datetime import date
from typing import Any, cast

import pyarrow as pa
import pytest

from nba_pipeline.cli.status import read_statuses
from nba_pipeline.engine.waivers import NO_WAIVERS
from nba_pipeline.tables.catalog import all_tables
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse import Warehouse
from nba_pipeline_tests.support import day
from nba_pipeline_tests.support.report_tables import WholeLedger, entry

FIRST, LAST, LATER = day("2024-01-14"), day("2024-01-15"), day("2024-01-17")


class Ledger(WholeLedger):
    """A warehouse of which only the schedule was run."""

    def __init__(self, days: Sequence[date]) -> None:
        super().__init__({}, [entry(SCHEDULE, on=d) for d in days])

    def contents(self, *_: Any, **__: Any) -> pa.Table:
        return pa.table(
            {"table_id": pa.array([], pa.string()), "day": pa.array([], pa.date32()), "rows": pa.array([], pa.int64())}
        )


def days_of(run: Sequence[date], start: date | None, end: date | None) -> tuple[date, date] | None:
    status = read_statuses(cast(Warehouse, Ledger(run)), start, end, NO_WAIVERS)
    return (status.first, status.last) if status else None


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (None, None, (FIRST, LAST)),
        (FIRST, None, (FIRST, LAST)),
        (LAST, None, (LAST, LAST)),
        (LATER, None, (LATER, LATER)),
        (FIRST, LATER, (FIRST, LATER)),
        (LATER, LATER, (LATER, LATER)),
    ],
)
def test_start_alone_stands_for_the_days_to_the_last_that_was_run_or_for_itself(
    start: date | None, end: date | None, days: tuple[date, date]
) -> None:
    assert days_of([FIRST, LAST], start, end) == days


@pytest.mark.parametrize("start", [None, LATER])
def test_where_nothing_was_ever_run_there_is_no_status(start: date | None) -> None:
    assert days_of([], start, None) is None


def test_a_day_after_the_last_run_lacks_every_table() -> None:
    status = read_statuses(cast(Warehouse, Ledger([FIRST])), LATER, None, NO_WAIVERS)
    assert status is not None
    assert [list(s.missing) for s in status.statuses] == [[LATER]] * len(all_tables())
