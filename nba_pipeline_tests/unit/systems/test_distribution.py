"""The law of a forecast: quantiles, probabilities and scores are those of one and the same distribution."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.systems.distribution import QUANTILES, SHIFT, crps, pinball, probability_over, quantile, quantiles

NAN = float("nan")
MEANS, SDS = st.floats(0.05, 45), st.floats(0.5, 14)
every_market = pytest.mark.parametrize("market", list(MARKETS))


def array(*values: float) -> Any:
    return np.array(values, dtype=float)


def law(mean: float, sd: float, market: str) -> Any:
    shape = ((mean + SHIFT[market]) / sd) ** 2
    return stats.gamma(shape, loc=-SHIFT[market], scale=(mean + SHIFT[market]) / shape)


def test_the_law_has_the_mean_and_the_sd_of_the_forecast() -> None:
    assert law(20, 7, "points").mean() == pytest.approx(20)
    assert law(20, 7, "points").std() == pytest.approx(7)


@every_market
@given(mean=MEANS, sd=SDS, q=st.sampled_from(QUANTILES))
def test_quantiles_are_those_of_the_law_and_never_below_zero(market: str, mean: float, sd: float, q: float) -> None:
    found = quantile(array(mean), array(sd), q, market)[0]
    assert found == pytest.approx(max(law(mean, sd, market).ppf(q), 0), abs=0.001 * (mean + SHIFT[market]))


@given(mean=MEANS, sd=SDS)
def test_quantiles_are_in_order(mean: float, sd: float) -> None:
    found = [v[0] for v in quantiles(array(mean), array(sd), "points").values()]
    assert found == sorted(found)


@pytest.mark.parametrize(("mean", "sd", "actual"), [(20, 6, 25), (5, 2, 5), (0.5, 3, 12), (30, 8, 0)])
def test_crps_is_the_integral_of_the_squared_difference_of_the_distributions(
    mean: float, sd: float, actual: float
) -> None:
    known = law(mean, sd, "points")
    below = integrate.quad(lambda x: known.cdf(x) ** 2, -SHIFT["points"], actual)[0]
    above = integrate.quad(lambda x: (1 - known.cdf(x)) ** 2, actual, mean + 30 * sd)[0]
    assert crps(array(mean), array(sd), array(actual), "points")[0] == pytest.approx(below + above, abs=1e-5)


def test_a_sharper_forecast_that_is_right_scores_better() -> None:
    wide, narrow = crps(array(20, 20), array(8, 4), array(20, 20), "points")
    assert narrow < wide


def test_pinball_loss_weighs_misses_by_the_quantile() -> None:
    assert pinball(array(10, 10), array(14, 6), 0.9).tolist() == pytest.approx([3.6, 0.4])
    assert pinball(array(10), array(10), 0.3).tolist() == [0]


@every_market
@given(mean=MEANS, sd=SDS)
def test_the_probabilities_of_all_outcomes_add_up_to_one(market: str, mean: float, sd: float) -> None:
    outcomes = np.arange(0.0, 100)
    more, exactly = probability_over(np.full(100, mean), np.full(100, sd), outcomes, market)
    assert (exactly >= 0).all()
    assert exactly.sum() + more[-1] == pytest.approx(1)


@given(mean=MEANS, sd=SDS, whole=st.integers(0, 60))
def test_a_push_lies_between_the_half_lines_around_it(mean: float, sd: float, whole: int) -> None:
    over, push = probability_over(
        array(mean, mean, mean), array(sd, sd, sd), array(whole - 0.5, whole, whole + 0.5), "points"
    )
    assert push[0] == push[2] == 0
    assert over[0] == pytest.approx(over[1] + push[1])
    assert over[2] == pytest.approx(over[1])


def test_nobody_scores_less_than_nothing() -> None:
    over, push = probability_over(array(2), array(4), array(0), "points")
    assert over[0] + push[0] == pytest.approx(1)
    assert push[0] > 0.2


@pytest.mark.parametrize(("mean", "line"), [(20, NAN), (NAN, 20.5)])
def test_without_a_line_or_a_forecast_there_is_no_probability(mean: float, line: float) -> None:
    over, push = probability_over(array(mean), array(6), array(line), "points")
    assert np.isnan(over[0])
    assert np.isnan(push[0])


@every_market
@given(mean=MEANS, sd=SDS)
def test_a_higher_line_is_never_more_likely_to_be_beaten(market: str, mean: float, sd: float) -> None:
    lines = np.arange(0.5, 60, 0.5)
    over, _ = probability_over(np.full(lines.shape, mean), np.full(lines.shape, sd), lines, market)
    assert (np.diff(over) <= 0).all()


def test_forecasts_that_are_unknown_have_no_quantiles_and_no_score() -> None:
    assert np.isnan(quantile(array(NAN), array(NAN), 0.5, "points")[0])
    assert np.isnan(crps(array(NAN), array(NAN), array(5), "points")[0])
