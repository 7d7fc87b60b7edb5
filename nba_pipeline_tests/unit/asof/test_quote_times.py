"""Whether a quote is late, and whether a marked close counts, follows from what its source's times mean."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import ibis
import pyarrow as pa
import pytest

from nba_pipeline.asof import cutoffs
from nba_pipeline.common import duckdb as duck
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline.contracts.table import arrow_type
from nba_pipeline.domain.quote_times import BY_SOURCE, LANDED, QuoteTimes, times_of

TIP = datetime(2024, 1, 6, 0, 30, tzinfo=UTC)
LENIENT = "a source whose clock is five minutes fast"


QUOTE = {"captured": "timestamp('UTC')", "tip": "timestamp('UTC')", "source": "string", "marked": "boolean"}


def answer(of: Callable[[ir.Table], ir.BooleanValue], **row: object) -> object:
    quotes = relation(QUOTE, name="quotes")
    schema = pa.schema([(n, arrow_type(ibis.dtype(t))) for n, t in QUOTE.items()])
    with duck.connect() as db:
        db.register("quotes", pa.Table.from_pylist([dict.fromkeys(QUOTE) | row], schema))
        (value,) = db.execute(str(ibis.to_sql(quotes.select(answer=of(quotes)), dialect="duckdb"))).fetchone() or (
            None,
        )
    return value


def late(minutes: float | None, source: str | None) -> object:
    captured = None if minutes is None else TIP + timedelta(minutes=minutes)
    return answer(
        lambda t: cutoffs.captured_late(t.captured, t.tip, t.source), captured=captured, tip=TIP, source=source
    )


def test_a_capture_after_tip_off_is_late_by_more_than_the_tolerance_of_its_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = {**BY_SOURCE, LENIENT: QuoteTimes("its own clock", timedelta(minutes=5))}
    monkeypatch.setattr(cutoffs, "BY_SOURCE", times)
    for source in (None, "anybody", "The Odds API"):
        assert (late(0, source), late(0.1, source), late(None, source)) == (False, True, None)
    assert (late(5, LENIENT), late(5.1, LENIENT)) == (False, True)


@pytest.mark.parametrize(
    ("marked", "source", "counts"),
    [(True, "somebody", True), (True, None, True), (None, "somebody", False), (True, "The Odds API", False)],
)
def test_a_marked_close_counts_where_the_source_documents_it(
    marked: bool | None, source: str | None, counts: bool
) -> None:
    assert answer(lambda t: cutoffs.documented_close(t.marked, t.source), marked=marked, source=source) is counts


def test_a_source_that_is_not_listed_means_what_landing_files_mean() -> None:
    assert times_of("somebody") is times_of(None) is LANDED
    assert times_of("The Odds API").documents_close is False


def test_the_close_of_a_source_reaches_as_far_behind_the_tip_off_as_the_source_declares(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = {**BY_SOURCE, LENIENT: QuoteTimes("its own clock", close_within=timedelta(minutes=3))}
    monkeypatch.setattr(cutoffs, "BY_SOURCE", times)

    def close(minutes: float | None, source: str | None, marked: bool | None = True) -> object:
        captured = None if minutes is None else TIP + timedelta(minutes=minutes)
        return answer(
            lambda t: cutoffs.captured_as_close(t.captured, t.tip, t.source, t.marked),
            captured=captured,
            tip=TIP,
            source=source,
            marked=marked,
        )

    assert [close(m, "somebody") for m in (0, 0.1, 10, 10.1, None)] == [False, True, True, False, False]
    assert [close(m, LENIENT) for m in (3, 3.1)] == [True, False]
    assert [close(6, "somebody", marked=m) for m in (False, None)] == [False, False]
    assert close(6, "The Odds API") is False
