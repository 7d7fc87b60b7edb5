"""Level and spread: what is put into invented errors is found again."""

import numpy as np
import pytest

from nba_pipeline.systems.calibration import Level
from nba_pipeline.systems.spread import Spread

RNG = np.random.default_rng(5)
N = 40_000
MEAN = RNG.uniform(1, 30, N)
NONE = np.full(N, np.nan)


def test_the_spread_of_outcomes_is_found_again() -> None:
    sd = np.sqrt(4 + 2 * MEAN)
    fitted = Spread.fit(MEAN, NONE, MEAN + RNG.normal(0, 1, N) * sd)
    assert fitted.sd(np.array([5.0, 25.0]), np.full(2, np.nan)) == pytest.approx(np.sqrt([14, 54]), rel=0.03)


def test_a_players_own_spread_counts_as_far_as_it_tells() -> None:
    own = RNG.uniform(2, 10, N)
    tells = Spread.fit(MEAN, own, MEAN + RNG.normal(0, 1, N) * own)
    noise = Spread.fit(MEAN, own, MEAN + RNG.normal(0, 6, N))
    assert tells.own > 0.5
    assert noise.own < 0.05


def test_a_variance_is_never_negative() -> None:
    fitted = Spread.fit(MEAN, NONE, MEAN + RNG.normal(0, 1, N) * (31 - MEAN))
    assert (fitted.sd(np.array([0.0, 30.0, 60.0]), np.full(3, np.nan)) > 0).all()


def test_a_spread_does_not_depend_on_rows_that_have_no_forecast_or_no_outcome() -> None:
    actual = MEAN + RNG.normal(0, 5, N)
    more = Spread.fit(np.append(MEAN, [np.nan, 10]), np.append(NONE, [3, 3]), np.append(actual, [90, np.nan]))
    assert more == Spread.fit(MEAN, NONE, actual)


def test_the_level_of_a_rule_leaves_no_bias_by_season_average() -> None:
    season = RNG.uniform(2, 30, N)
    form = season + RNG.normal(0, 4, N)
    actual = season + 0.3 * (form - season) - 0.02 * season + RNG.normal(0, 3, N)
    levelled = Level.of_rule(form, season, actual).apply(form, season)
    for low in (2, 10, 20):
        here = (season >= low) & (season < low + 8)
        assert (levelled - actual)[here].mean() == pytest.approx(0, abs=0.15)


def test_the_recent_level_takes_off_half_of_a_drift_and_nothing_without_recent_rows() -> None:
    actual = MEAN * 0.9
    half = Level.of_recent(MEAN, actual, np.ones(N, dtype=bool))
    assert half.slope == pytest.approx(1 - 0.05, abs=0.002)
    assert Level.of_recent(MEAN, actual, np.zeros(N, dtype=bool)) == Level()


def test_levelled_forecasts_are_never_negative_and_unknown_stays_unknown() -> None:
    found = Level(-5.0, 1.0).apply(np.array([1.0, 9.0, np.nan]), np.full(3, np.nan))
    assert found[:2].tolist() == [0, 4]
    assert np.isnan(found[2])
