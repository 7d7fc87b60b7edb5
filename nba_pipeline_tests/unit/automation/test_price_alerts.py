"""A book whose prices contradict the others again and again is reported with its days; single odd prices are not."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from nba_pipeline.automation.price_alerts import COLUMNS, BookPrices, contradicted_books, price_alerts, price_notes
from nba_pipeline.contracts.table import arrow_type
from nba_pipeline.tables.predictions.prop_prices import PROP_PRICES

FIRST, LAST = date(2024, 10, 22), date(2024, 10, 23)


class Prices:
    """A warehouse that holds prices alone."""

    def __init__(self, rows: list[tuple[date, str, str | None, bool]]) -> None:
        schema = pa.schema([(c, arrow_type(PROP_PRICES.ibis_schema[c])) for c in COLUMNS])
        self._rows = pa.Table.from_pylist([dict(zip(COLUMNS, row, strict=True)) for row in rows], schema)

    def read(self, _what: object) -> dict[str, pa.Table]:
        return {"prices": self._rows}


def found(*rows: tuple[date, str, str | None, bool]) -> list[BookPrices]:
    warehouse: Any = Prices(list(rows))
    return contradicted_books(warehouse, FIRST, LAST)


OUT, SOUND = (FIRST, "betrivers", "outlying", True), (LAST, "betrivers", None, True)


@pytest.mark.parametrize(("outlying", "sound", "reported"), [(5, 95, True), (5, 96, False), (4, 0, False)])
def test_five_outlying_prices_and_a_twentieth_of_all_are_reported(outlying: int, sound: int, reported: bool) -> None:
    assert bool(found(*[OUT] * outlying, *[SOUND] * sound)) == reported


@pytest.mark.parametrize("exclusion", ["stale", "pickem", "no_price", "contradictory", None])
def test_prices_that_are_left_out_for_another_reason_accuse_nobody(exclusion: str | None) -> None:
    assert found(*[(FIRST, "betrivers", exclusion, True)] * 50) == []


def test_quotes_without_a_price_do_not_dilute_the_share() -> None:
    assert found(*[OUT] * 5, *[(FIRST, "betrivers", "no_price", True)] * 500) == [
        BookPrices("betrivers", 5, {FIRST: 5})
    ]


def test_the_prices_of_one_system_are_counted_not_those_of_all() -> None:
    assert found(*[OUT] * 3, *[(FIRST, "betrivers", "outlying", False)] * 30) == []


def test_the_alert_names_book_days_numbers_and_what_to_do() -> None:
    (alert,) = price_alerts(found(*[OUT] * 6, (LAST, "betrivers", "outlying", True), SOUND))
    assert (alert.kind, alert.key) == ("price", "prices of betrivers")
    assert alert.text.startswith("7 of 8 prices of betrivers contradict the other books, on 2024-10-22..2024-10-23")
    assert (
        f"BOOK,excluded,,FIRST,LAST in books.csv of the home, and run `nba-pipeline backfill {FIRST} {LAST}`"
        in alert.text
    )
    assert price_notes([]) == []
