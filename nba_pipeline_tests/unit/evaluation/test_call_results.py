"""Recorded calls are summarized by lead time, value, book, tier and month; nothing is shown of few."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.evaluation.call_results import call_results
from nba_pipeline.evaluation.metrics import FEWEST_SHOWN
from nba_pipeline.tables.predictions.calls import SNAPSHOTS
from nba_pipeline_tests.support import day

DAY = day("2024-01-05")
CALL: dict[str, Any] = {
    "snapshot": "close",
    "bookmaker": "dk",
    "odds": -110.0,
    "expected_value": 0.03,
    "backfilled": True,
    "outcome": "win",
    "profit": 100 / 110,
    "closing_value": 0.01,
    "closing_value_points": 0.5,
}
WIN: dict[str, Any] = {}
LOSS = {"outcome": "loss", "profit": -1.0}
UNPRICED = {"odds": None, "bookmaker": None, "expected_value": None, "profit": None, "closing_value": None}


def results(*calls: dict[str, Any], average: float = 22.0) -> dict[tuple[str, str], dict[str, Any]]:
    rows = pd.DataFrame([CALL | {"game_date": DAY + timedelta(days=n % 20)} | c for n, c in enumerate(calls)])
    found = call_results(rows, pd.Series([average] * len(rows)), SNAPSHOTS)
    return {(r["by"], r["group"]): {str(k): v for k, v in r.items()} for r in found.to_dict("records")}


def test_returns_and_closing_values_have_an_interval_by_game_day() -> None:
    found = results(*[WIN, LOSS] * FEWEST_SHOWN)["all", "all"]
    assert (found["calls"], found["decided"], found["priced"], found["backfilled"]) == (300, 300, 300, 300)
    assert found["roi"] == pytest.approx((100 / 110 - 1) / 2)
    assert found["roi_low"] < found["roi"] < found["roi_high"]
    assert (found["closing_value"], found["closing_value_points"]) == (pytest.approx(0.01), 0.5)


def test_of_few_calls_only_the_counts_are_shown() -> None:
    found = results(*[WIN] * (FEWEST_SHOWN - 1))["all", "all"]
    assert found["priced"] == FEWEST_SHOWN - 1
    assert all(pd.isna(found[c]) for c in ("hit_rate", "claimed", "roi", "closing_value", "closing_value_points"))


def test_calls_without_a_price_are_counted_and_take_part_in_no_return() -> None:
    found = results(*[WIN] * FEWEST_SHOWN, *[UNPRICED] * 5)["all", "all"]
    assert (found["calls"], found["without_price"], found["priced"]) == (FEWEST_SHOWN + 5, 5, FEWEST_SHOWN)
    assert found["roi"] == pytest.approx(100 / 110)


def test_calls_are_grouped_by_lead_time_value_book_tier_and_month() -> None:
    found = results(WIN, {"snapshot": "morning", "bookmaker": "fd", "expected_value": 0.09})
    assert set(found) == {
        ("all", "all"),
        ("snapshot", "morning"),
        ("snapshot", "close"),
        ("value", "2% to 4%"),
        ("value", "8% and more"),
        ("book", "dk"),
        ("book", "fd"),
        ("tier", "starter"),
        ("month", "2024-01"),
    }


def test_without_calls_there_is_nothing() -> None:
    assert call_results(pd.DataFrame(columns=list(CALL)), pd.Series(dtype=float), SNAPSHOTS).empty
