"""The leaderboard: all systems on the same rows, with N and an interval that resamples whole days."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nba_pipeline.evaluation.leaderboard import day_interval, leaderboard, leaderboard_grid
from nba_pipeline_tests.support import day

Row = dict[str, Any]
DAY = day("2024-01-05")
COLUMNS = pa.schema(
    [
        ("game_date", pa.date32()),
        ("player_id", pa.int64()),
        ("system_id", pa.string()),
        ("prior_games", pa.int64()),
        ("absolute_error", pa.float64()),
        ("signed_error", pa.float64()),
        ("crps", pa.float64()),
        ("within_80", pa.bool_()),
        ("line", pa.float64()),
        ("actual_value", pa.int64()),
        ("outcome", pa.string()),
    ]
)


def graded(system: str, error: float | None, player: int = 7, days: int = 0, **more: Any) -> Row:
    played: Row = {} if error is None else {"absolute_error": abs(error), "signed_error": error, "actual_value": 20}
    known = {"crps": 1.0, "within_80": True, "outcome": "no_line" if played else "void", "prior_games": 30}
    return {"system_id": system, "player_id": player, "game_date": DAY + timedelta(days=days)} | known | played | more


def board(*rows: Row, prior_games: int = 10) -> dict[str, Row]:
    found = leaderboard(pa.Table.from_pylist(list(rows), COLUMNS), prior_games)
    return {str(r["system_id"]): {str(k): v for k, v in r.items()} for r in found.to_dict("records")}


def test_the_best_system_stands_first_with_its_n() -> None:
    found = board(graded("a", 5), graded("b", -3))
    assert list(found) == ["b", "a"]
    assert (found["b"]["n"], found["b"]["mae"], found["b"]["bias"], found["b"]["rmse"]) == (1, 3, -3, 3)


def test_only_rows_that_every_system_forecast_count() -> None:
    easy = [graded("a", 0, player) for player in range(10, 20)]
    found = board(graded("a", 5), graded("b", 3), *easy)
    assert (found["a"]["n"], found["a"]["mae"]) == (1, 5)


def test_void_rows_and_players_with_few_games_do_not_count() -> None:
    found = board(
        graded("a", 4),
        graded("b", 4),
        graded("a", None, 8),
        graded("b", None, 8),
        graded("a", 50, 9, prior_games=9),
        graded("b", 50, 9, prior_games=9),
    )
    assert {s: r["n"] for s, r in found.items()} == {"a": 1, "b": 1}
    assert board(graded("a", 4, prior_games=10))["a"]["n"] == 1


def test_the_hit_rate_is_of_decided_bets_and_none_without_one() -> None:
    outcomes = ["win", "win", "loss", "push", "pass", "void"]
    found = board(*[graded("a", 1, n, outcome=o, line=19.5) for n, o in enumerate(outcomes)])["a"]
    assert (found["bets"], found["hit_rate"]) == (3, pytest.approx(2 / 3))
    assert np.isnan(board(graded("a", 1, outcome="push"))["a"]["hit_rate"])


def test_the_market_stands_beside_on_rows_with_a_line() -> None:
    found = board(graded("a", 5, 1, line=18.5), graded("a", 1, 2))["a"]
    assert (found["n"], found["n_with_line"], found["mae_with_line"], found["market_mae"]) == (2, 1, 5, 1.5)


def test_nothing_to_compare_is_an_empty_board_that_can_be_shown() -> None:
    empty = leaderboard(pa.Table.from_pylist([], COLUMNS), 10)
    assert empty.empty
    assert leaderboard_grid(empty, "no rows").row_count == 0
    assert leaderboard_grid(pd.DataFrame([board(graded("a", 1))["a"]]), "one").row_count == 1


# --- the interval -----------------------------------------------------------------------------------------------------


def test_the_interval_holds_the_mean_and_is_the_same_every_time() -> None:
    chance = np.random.default_rng(1)
    values, days = chance.gamma(2, 2, 600), np.repeat(np.arange(60), 10)
    low, high = day_interval(values, days)
    assert low < values.mean() < high
    assert (low, high) == day_interval(values, days)
    order = chance.permutation(600)
    assert day_interval(values[order], days[order]) == pytest.approx((low, high))


def test_whole_days_are_resampled_so_rows_of_one_day_prove_little() -> None:
    days = np.repeat(np.arange(10), 100)
    together = np.repeat(np.arange(10.0), 100)
    alone = np.tile(np.arange(10.0), 100)
    wide, narrow = day_interval(together, days), day_interval(alone, days)
    assert wide[1] - wide[0] > 3
    assert narrow[1] - narrow[0] < 1e-9


def test_one_day_has_no_width() -> None:
    low, high = day_interval(np.array([1.0, 3.0]), np.array(["d", "d"]))
    assert low == high == 2


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    chance = np.random.default_rng(7)
    days = np.repeat(np.arange(60), 5)
    hits = 0
    for _ in range(100):
        values = 5 + np.repeat(chance.normal(0, 1, 60), 5) + chance.normal(0, 2, 300)
        low, high = day_interval(values, days)
        hits += low <= 5 <= high
    assert 88 <= hits <= 100
