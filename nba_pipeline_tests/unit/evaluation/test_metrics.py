"""Measures by hand: bins in the order of rows, weights by rows."""

import warnings

import numpy as np
import pytest

from nba_pipeline.evaluation.metrics import BINS, brier, calibration_error, hit_rate, log_loss, reliability


def test_without_rows_reliability_has_its_columns_and_there_is_no_error() -> None:
    nothing = np.array([])
    assert list(reliability(nothing, nothing.astype(bool)).columns) == ["n", "forecast", "observed"]
    assert np.isnan(calibration_error(nothing, nothing.astype(bool)))


def test_rows_of_equal_probability_fill_the_bins_in_their_order() -> None:
    over = np.arange(1_000) >= 500
    assert reliability(np.tile([0.2, 0.8], 500), over, bins=4)["observed"].tolist() == [0, 1, 0, 1]


def test_bins_take_the_rows_by_probability() -> None:
    found = reliability(np.array([0.9, 0.1, 0.8, 0.2]), np.array([True, False, True, True]), bins=2)
    assert found["forecast"].tolist() == pytest.approx([0.15, 0.85])
    assert found["observed"].tolist() == [0.5, 1.0]


def test_the_calibration_error_weighs_bins_by_their_rows() -> None:
    """15 rows in 10 bins: every other bin has two. All are forecast 0.5; one single row and one pair happened."""
    assert BINS == 10
    p, over = np.full(15, 0.5), np.zeros(15, dtype=bool)
    sizes = reliability(p, over)["n"].tolist()
    assert sizes == [2, 1] * 5
    over[0] = True  # one of a pair: its bin is right, all others are off by a half
    assert calibration_error(p, over) == pytest.approx((0 * 2 + 0.5 * 13) / 15)


def test_a_hit_rate_needs_a_decided_bet() -> None:
    assert np.isnan(hit_rate(0, 0).value)
    only = hit_rate(1, 0)
    assert only.value == 1
    assert only.low == pytest.approx(1 / (1 + 1.959964**2))


def test_an_impossible_outcome_costs_infinitely_much_and_nothing_is_unknown() -> None:
    nothing = np.array([]), np.array([], dtype=bool)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert log_loss(np.array([0.0, 0.5]), np.array([True, True])) == np.inf
        assert brier(np.array([0.0, 0.5]), np.array([True, True])) == pytest.approx((1 + 0.25) / 2)
        assert np.isnan(log_loss(*nothing))
        assert np.isnan(brier(*nothing))
