"""The market without margin stands among the systems: on the same decided rows, with differences by game day."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nba_pipeline.evaluation.market_rival import calibration_by, market_table, with_market
from nba_pipeline.evaluation.metrics import FEWEST_SHOWN
from nba_pipeline_tests.support import day

DAY = day("2024-01-05")
KNOWN: dict[str, Any] = {
    "market": "points",
    "system_id": "a",
    "line": 20.5,
    "actual_value": 25,
    "p_over": 0.6,
    "p_push": 0.0,
}


def beside(rows: list[dict[str, Any]], chances: list[dict[str, Any]]) -> pd.DataFrame:
    given = pd.DataFrame([KNOWN | {"game_date": DAY, "player_id": n} | r for n, r in enumerate(rows)])
    priced = [{"game_date": DAY, "player_id": n, "close_over": np.nan} | c for n, c in enumerate(chances)]
    return with_market(given, pd.DataFrame(priced))


def scores(found: pd.DataFrame) -> dict[str, dict[str, Any]]:
    return {str(r["system_id"]): {str(k): v for k, v in r.items()} for r in market_table(found).to_dict("records")}


def test_the_market_is_scored_on_the_rows_of_the_systems() -> None:
    table = scores(beside([{}], [{"market_over": 0.5}]))
    assert table["market"]["log_loss"] == pytest.approx(np.log(2))
    assert table["a"]["vs_market"] == pytest.approx(np.log(0.5 / 0.6))
    assert table["market"]["vs_market"] == 0
    assert table["a"]["n_close"] == 0


def test_pushes_and_rows_without_a_market_do_not_count() -> None:
    rows = [{}, {"actual_value": 20, "line": 20.0}, {"line": None}, {}]
    found = beside(rows, [{"market_over": 0.5}, {"market_over": 0.5}, {"market_over": 0.5}, {"market_over": np.nan}])
    assert list(found["player_id"]) == [0]


def test_the_chance_given_a_decision_is_compared() -> None:
    (chance,) = beside([{"p_over": 0.45, "p_push": 0.1}], [{"market_over": 0.5}])["chance"]
    assert chance == pytest.approx(0.5)


def test_the_close_is_a_rival_where_books_still_quoted_the_line() -> None:
    found = beside([{}, {}], [{"market_over": 0.5, "close_over": 0.7}, {"market_over": 0.5}])
    table = scores(found)
    assert (table["market_close"]["n"], table["a"]["n_close"]) == (1, 1)
    assert table["a"]["vs_close"] == pytest.approx(np.log(0.7 / 0.6))


@pytest.mark.guard
def test_a_law_that_ignores_the_line_loses_to_the_market() -> None:
    n = 2_000
    line = np.random.default_rng(1).choice([14.5, 24.5], n)
    won = np.random.default_rng(2).random(n) < np.where(line < 20, 0.6, 0.4)
    rows = [
        {
            "game_date": DAY + timedelta(days=i % 40),
            "line": at,
            "actual_value": at + (0.5 if w else -0.5),
            "p_over": 0.5,
        }
        for i, (at, w) in enumerate(zip(line, won, strict=True))
    ]
    market = [{"game_date": r["game_date"], "market_over": 0.6 if r["line"] < 20 else 0.4} for r in rows]
    found = beside(rows, market)
    assert scores(found)["a"]["vs_market_low"] > 0
    buckets = calibration_by(found).query("by == 'line' and n > 0").set_index("bucket")
    assert ((buckets["forecast"] < buckets["observed_low"]) | (buckets["forecast"] > buckets["observed_high"])).all()


def test_a_bucket_of_few_rows_has_its_n_and_nothing_else() -> None:
    few = calibration_by(beside([{}] * 3, [{"market_over": 0.5}] * 3))
    assert (few["n"] == 3).all()
    assert few[["forecast", "market", "observed", "observed_low"]].isna().all(axis=None)
    many = calibration_by(beside([{}] * FEWEST_SHOWN, [{"market_over": 0.5}] * FEWEST_SHOWN))
    assert many["observed"].notna().all()
