"""Rolling accuracy: sums against a brute force, days of the window only, intervals that hold their mean."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.reporting.rolling import FEWEST_DAYS, MEASURES, Sums, daily_sums, records

START = date(2024, 1, 1)
SCHEMA = pa.schema(
    [
        ("game_date", pa.date32()),
        ("player_id", pa.int64()),
        ("market", pa.string()),
        ("system_id", pa.string()),
        ("prior_games", pa.int64()),
        ("signed_error", pa.float64()),
        ("absolute_error", pa.float64()),
        ("within_80", pa.bool_()),
        ("line", pa.float64()),
        ("actual_value", pa.int64()),
        ("outcome", pa.string()),
        ("profit", pa.float64()),
    ]
)
Row = dict[str, Any]


def grade(days: int, system: str, error: float | None = 2.0, player: int = 7, **more: Any) -> Row:
    played = error is not None
    return {
        "game_date": START + timedelta(days=days),
        "player_id": player,
        "market": "points",
        "system_id": system,
        "prior_games": 20,
        "signed_error": error,
        "absolute_error": abs(error) if error is not None else None,
        "within_80": abs(error) < 8 if error is not None else None,
        "line": None,
        "actual_value": 20 if played else None,
        "outcome": "no_line" if played else "void",
        "profit": None,
    } | more


def sums(*rows: Row) -> pd.DataFrame:
    return daily_sums(pa.Table.from_pylist(list(rows), SCHEMA))


def record(system: str, *rows: Row, first: int = 0, last: int = 40) -> Any:
    found = records(sums(*rows), START + timedelta(days=first), START + timedelta(days=last))
    return next((r for r in found if r.system == system), None)


def test_errors_are_compared_with_last_10_on_the_same_rows_only() -> None:
    rows = [grade(0, "a", 2.0), grade(0, "last_10", -3.0), grade(0, "a", 9.0, player=8)]
    found = record("a", *rows)
    assert (found.n, found.mae.mean, found.difference.mean, found.bias) == (1, 2.0, -1.0, 2.0)


@pytest.mark.parametrize("left_out", [{"prior_games": 9}, {"signed_error": None, "absolute_error": None}])
def test_rows_of_early_players_and_of_those_who_did_not_play_do_not_count(left_out: Row) -> None:
    both = [grade(0, s, 3.0, player=p) | (left_out if p == 8 else {}) for s in ("a", "last_10") for p in (7, 8)]
    assert record("a", *both).n == 1


def test_the_line_is_held_against_the_system_on_rows_with_a_line() -> None:
    rows = [grade(0, s, 1.0, line=23.5) for s in ("a", "last_10")] + [grade(1, s, 4.0) for s in ("a", "last_10")]
    found = record("a", *rows)
    assert (found.n_with_line, found.market_difference.mean) == (1, 1.0 - 3.5)


def test_pushes_passes_and_voids_are_no_decided_bets() -> None:
    outcomes = ("win", "win", "loss", "push", "pass", "no_line")
    rows = [grade(0, s, 1.0, player=p, outcome=o) for s in ("a", "last_10") for p, o in enumerate(outcomes)]
    found = record("a", *rows, grade(0, "a", None, player=99))
    assert (found.bets, found.hit_rate.mean) == (3, pytest.approx(2 / 3))


def test_profit_counts_on_bets_with_a_price_only() -> None:
    paid = {1: ("win", 0.9), 2: ("loss", -1.0), 3: ("push", 0.0), 4: ("win", None)}
    rows = [grade(0, "a", 1.0, player=p, outcome=o, profit=r) for p, (o, r) in paid.items()]
    rows += [grade(0, "last_10", 1.0, player=p) for p in paid]
    found = record("a", *rows)
    assert (found.priced_bets, found.roi.mean) == (3, pytest.approx(-0.1 / 3))
    assert record("last_10", *rows).roi is None


def test_only_days_of_the_window_count() -> None:
    rows = [grade(d, s, float(d)) for d in range(10) for s in ("a", "last_10")]
    assert record("a", *rows, first=3, last=5).mae.mean == 4.0
    assert record("a", *rows, first=20) is None


def test_a_system_without_counting_rows_has_no_record() -> None:
    assert record("a", grade(0, "a", 2.0)) is None


def test_markets_are_kept_apart() -> None:
    rows = [grade(0, s, e, market=m) for s in ("a", "last_10") for m, e in (("points", 4.0), ("threes", 1.0))]
    found = records(sums(*rows), START, START)
    assert [(r.market, r.system, r.mae.mean) for r in found] == [
        ("points", "a", 4.0),
        ("points", "last_10", 4.0),
        ("threes", "a", 1.0),
        ("threes", "last_10", 1.0),
    ]


def of_days(*days: tuple[float, int]) -> Sums:
    """Mean errors with their numbers of rows, by day."""
    by_day = dict.fromkeys(MEASURES, np.zeros(len(days)))
    by_day |= {"absolute": np.array([m * n for m, n in days]), "n": np.array([float(n) for _, n in days])}
    return Sums(np.array([by_day[m] for m in MEASURES]))


def test_fewer_than_seven_days_with_rows_have_no_interval() -> None:
    few = of_days(*[(2.5, 2), (3.0, 1)] * 3, (9.0, 0)).ratio("absolute", "n")
    enough = of_days(*[(2.5, 2), (3.0, 1)] * 4).ratio("absolute", "n")
    assert (few.low, few.high) == (None, None)
    assert enough.low is not None


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 50), st.integers(0, 20)), min_size=10, max_size=30))
def test_an_interval_lies_within_the_daily_means_and_is_the_same_every_time(days: list[tuple[float, int]]) -> None:
    daily = [m for m, n in days if n]
    if len(daily) < FEWEST_DAYS:
        return
    found = of_days(*days).ratio("absolute", "n")
    assert found == of_days(*days).ratio("absolute", "n")
    assert found.low is not None
    assert found.high is not None
    assert min(daily) - 1e-9 <= found.low <= found.high <= max(daily) + 1e-9
    assert found.mean == pytest.approx(np.average([m for m, n in days], weights=[n for _, n in days]))


def test_the_interval_is_that_of_drawing_days_again_and_again() -> None:
    chance = np.random.default_rng(3)
    days = [(float(m), int(n)) for m, n in zip(chance.uniform(3, 7, 30), chance.integers(80, 250, 30), strict=True)]
    found = of_days(*days).ratio("absolute", "n")
    drawn = [[days[i] for i in chance.integers(0, 30, 30)] for _ in range(4_000)]
    means = [np.average([m for m, _ in d], weights=[n for _, n in d]) for d in drawn]
    assert [found.low, found.high] == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.06)
