"""Intervals of the bootstrap leave 2.5 % on each side; days are drawn, weighted by their rows."""

import numpy as np
import pytest

from nba_pipeline.evaluation.bootstrap import DayBootstrap, ratio_interval


def test_the_interval_leaves_2_5_percent_on_each_side() -> None:
    """Means of many independent days are nearly normal: 1.96 standard errors either way, on average over samples."""
    rng, days = np.random.default_rng(3), DayBootstrap(np.arange(200))
    sides = []
    for _ in range(60):
        values = rng.normal(10, 3, 200)
        found, error = days.mean(values), values.std() / np.sqrt(200)
        sides.append([(found.value - found.low) / error, (found.high - found.value) / error])
    assert np.mean(sides, axis=0) == pytest.approx([1.96, 1.96], abs=0.06)


def test_days_weigh_by_their_rows() -> None:
    """One day of 99 rows and one of a single row: draws of the first alone, of both, of the second alone."""
    found = DayBootstrap(np.array([0] * 99 + [1])).mean(np.array([1.0] * 99 + [0.0]))
    assert (found.value, found.low, found.high) == (0.99, 0.0, 1.0)


def test_no_rows_have_no_mean_and_no_interval() -> None:
    found = DayBootstrap(np.array([])).mean(np.array([]))
    assert np.isnan([found.value, found.low, found.high]).all()


def test_the_same_rows_give_the_same_interval() -> None:
    days, values = np.arange(50), np.arange(50.0)
    assert DayBootstrap(days).mean(values) == DayBootstrap(days).mean(values)


def test_a_ratio_of_sums_by_day_has_the_interval_of_the_mean_of_its_rows() -> None:
    days, values = np.repeat(np.arange(10), 4), np.random.default_rng(1).normal(0, 1, 40)
    estimate = DayBootstrap(days).mean(values)
    assert ratio_interval(np.bincount(days, values), np.bincount(days)) == (estimate.low, estimate.high)


def test_draws_of_days_without_weight_only_do_not_count() -> None:
    """Half the days have no rows: 1 of 2^10 draws has none at all, and would be 0 / 0."""
    assert ratio_interval(np.array([3.0] + [0.0] * 9), np.array([1.0] + [0.0] * 9)) == (3.0, 3.0)


def test_a_slope_is_that_of_least_squares_and_its_interval_holds_the_true_one() -> None:
    rng, held = np.random.default_rng(5), 0
    for _ in range(40):
        x = rng.normal(0, 1, 300)
        y = 0.5 * x + rng.normal(0, 1, 300)
        found = DayBootstrap(np.arange(300) // 2).slope(x, y)
        assert found.value == pytest.approx(np.polyfit(x, y, 1)[0])
        held += found.low <= 0.5 <= found.high
    assert held >= 34  # 38 expected
