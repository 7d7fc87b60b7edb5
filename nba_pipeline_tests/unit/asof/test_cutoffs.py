"""What was known in time, to the second: each bound is inclusive or exclusive as its rule says."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import ibis
import pyarrow as pa
import pytest

from nba_pipeline.asof import cutoffs
from nba_pipeline.common import duckdb as duck
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline.contracts.table import arrow_type

DAY = date(2024, 1, 5)
TIP = datetime(2024, 1, 6, 0, 30, tzinfo=UTC)
CUTOFF = TIP - timedelta(minutes=1)
SECOND = timedelta(seconds=1)
TIMES = {
    "day": "date",
    "reported_on": "date",
    "tip": "timestamp('UTC')",
    "cutoff": "timestamp('UTC')",
    "at": "timestamp('UTC')",
    "marked": "boolean",
    "source": "string",
}


def answer(of: Callable[[ir.Table], ir.Value], **row: object) -> object:
    rows = relation(TIMES, name="rows")
    schema = pa.schema([(n, arrow_type(ibis.dtype(t))) for n, t in TIMES.items()])
    given = {"day": DAY, "tip": TIP, "cutoff": CUTOFF, "marked": None, "source": None} | row
    with duck.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        db.register("rows", pa.Table.from_pylist([dict.fromkeys(TIMES) | given], schema))
        return (db.execute(str(ibis.to_sql(rows.select(answer=of(rows)), dialect="duckdb"))).fetchone() or (None,))[0]


def test_the_cut_off_is_a_minute_before_tip_off_and_sixteen_hours_utc_without_one() -> None:
    noon = datetime(2024, 1, 5, 16, tzinfo=UTC)
    for tip, expected in ((TIP, CUTOFF), (None, noon)):
        assert answer(lambda t: cutoffs.cutoff(t.day, t.tip), tip=tip) == expected
        assert cutoffs.cutoff_of(DAY, tip) == expected


@pytest.mark.parametrize(("at", "in_time"), [(CUTOFF, True), (CUTOFF + SECOND, False), (None, None)])
def test_a_capture_at_the_cut_off_is_in_time(at: datetime | None, in_time: bool | None) -> None:
    assert answer(lambda t: cutoffs.captured_in_time(t.at, t.cutoff), at=at) is in_time


@pytest.mark.parametrize(
    ("at", "reported_on", "in_time"),
    [
        (CUTOFF, DAY, True),
        (CUTOFF + SECOND, DAY - timedelta(days=1), False),
        (None, DAY - timedelta(days=1), True),
        (None, DAY, False),
    ],
)
def test_a_report_counts_by_its_time_and_without_one_from_the_next_day_on(
    at: datetime | None, reported_on: date, in_time: bool
) -> None:
    found = answer(
        lambda t: cutoffs.reported_in_time(t.at, t.reported_on, t.day, t.cutoff), at=at, reported_on=reported_on
    )
    assert found is in_time


@pytest.mark.parametrize(
    ("tip", "at", "before"),
    [
        (TIP, TIP - SECOND, True),
        (TIP, TIP, False),
        (None, CUTOFF, True),
        (None, CUTOFF + SECOND, False),
    ],
)
def test_a_forecast_counts_when_made_before_tip_off_and_without_one_by_the_cut_off(
    tip: datetime | None, at: datetime, before: bool
) -> None:
    assert answer(lambda t: cutoffs.made_before(t.at, t.tip, t.cutoff), tip=tip, at=at) is before


@pytest.mark.parametrize("missing", [{"at": None}, {"tip": None}])
def test_a_quote_without_a_time_is_no_close_captured_after_tip_off(missing: dict[str, None]) -> None:
    row = {"at": TIP + SECOND, "marked": True} | missing
    assert answer(lambda t: cutoffs.captured_as_close(t.at, t.tip, t.source, t.marked), **row) is False
