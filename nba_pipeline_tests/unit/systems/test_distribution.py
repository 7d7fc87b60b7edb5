"""The law of a forecast: quantiles, probabilities and scores are those of one and the same distribution."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.systems.distribution import MOST_SKEWNESS, QUANTILES, SHIFT, Law, pinball

NAN = float("nan")
MEANS, SDS, SKEWNESSES = st.floats(0.05, 45), st.floats(0.5, 14), st.floats(0.05, 2)
every_market = pytest.mark.parametrize("market", list(MARKETS))


def array(*values: float) -> Any:
    return np.array(values, dtype=float)


def raw(mean: float, sd: float, market: str = "points", n: int = 1) -> Law:
    return Law.raw(np.full(n, mean), np.full(n, sd), market)


def reference(mean: float, sd: float, market: str) -> Any:
    """The raw law by scipy: a gamma law that begins at minus the market's shift."""
    shape = ((mean + SHIFT[market]) / sd) ** 2
    return stats.gamma(shape, loc=-SHIFT[market], scale=(mean + SHIFT[market]) / shape)


@every_market
@given(mean=MEANS, sd=SDS)
def test_the_raw_law_has_the_skewness_of_the_markets_gamma_law(market: str, mean: float, sd: float) -> None:
    of_gamma = min(float(reference(mean, sd, market).stats("s")), MOST_SKEWNESS)
    assert raw(mean, sd, market).skewness[0] == pytest.approx(of_gamma)


@every_market
@given(mean=MEANS, sd=SDS, q=st.sampled_from(QUANTILES))
def test_quantiles_are_those_of_the_law_and_never_below_zero(market: str, mean: float, sd: float, q: float) -> None:
    found = raw(mean, sd, market).quantile(q)[0]
    assert found == pytest.approx(max(reference(mean, sd, market).ppf(q), 0), abs=0.001 * sd)


@given(mean=MEANS, sd=SDS, skewness=SKEWNESSES, q=st.sampled_from(QUANTILES))
def test_a_law_of_its_own_skewness_is_pearsons_type_three(mean: float, sd: float, skewness: float, q: float) -> None:
    found = Law(array(mean), array(sd), array(skewness)).quantile(q)[0]
    assert found == pytest.approx(max(stats.pearson3(skewness, mean, sd).ppf(q), 0), abs=0.001 * sd)


@given(mean=MEANS, sd=SDS)
def test_quantiles_are_in_order(mean: float, sd: float) -> None:
    found = [v[0] for v in raw(mean, sd).quantiles().values()]
    assert found == sorted(found)


@given(sd=SDS, skewness=SKEWNESSES, whole=st.integers(0, 40), half=st.booleans(), p=st.floats(0.02, 0.98))
def test_the_centre_puts_the_wanted_probability_above_the_line(
    sd: float, skewness: float, whole: int, half: bool, p: float
) -> None:
    line = array(whole + 0.5 * half)
    mean = Law(array(0), array(sd), array(skewness)).centre(line, array(p))
    assert Law(mean, array(sd), array(skewness)).above(line)[0] == pytest.approx(p)


def test_stored_forecasts_of_earlier_releases_have_the_raw_law() -> None:
    old = Law.stored(array(20, 20), array(6, 6), array(NAN, 0.3), "points")
    assert old.skewness.tolist() == [raw(20, 6).skewness[0], 0.3]


@pytest.mark.parametrize(("mean", "sd", "actual"), [(20, 6, 25), (5, 2, 5), (0.5, 3, 12), (30, 8, 0)])
def test_crps_is_the_integral_of_the_squared_difference_of_the_distributions(
    mean: float, sd: float, actual: float
) -> None:
    known = reference(mean, sd, "points")
    below = integrate.quad(lambda x: known.cdf(x) ** 2, -SHIFT["points"], actual)[0]
    above = integrate.quad(lambda x: (1 - known.cdf(x)) ** 2, actual, mean + 30 * sd)[0]
    assert raw(mean, sd).crps(array(actual))[0] == pytest.approx(below + above, abs=1e-5)


def test_a_sharper_forecast_that_is_right_scores_better() -> None:
    wide, narrow = Law.raw(array(20, 20), array(8, 4), "points").crps(array(20, 20))
    assert narrow < wide


def test_pinball_loss_weighs_misses_by_the_quantile() -> None:
    assert pinball(array(10, 10), array(14, 6), 0.9).tolist() == pytest.approx([3.6, 0.4])
    assert pinball(array(10), array(10), 0.3).tolist() == [0]


@every_market
@given(mean=MEANS, sd=SDS)
def test_the_probabilities_of_all_outcomes_add_up_to_one(market: str, mean: float, sd: float) -> None:
    more, exactly = raw(mean, sd, market, 100).probability_over(np.arange(0.0, 100))
    assert (exactly >= 0).all()
    assert exactly.sum() + more[-1] == pytest.approx(1)


@given(mean=MEANS, sd=SDS, whole=st.integers(0, 60))
def test_a_push_lies_between_the_half_lines_around_it(mean: float, sd: float, whole: int) -> None:
    over, push = raw(mean, sd, n=3).probability_over(array(whole - 0.5, whole, whole + 0.5))
    assert push[0] == push[2] == 0
    assert over[0] == pytest.approx(over[1] + push[1])
    assert over[2] == pytest.approx(over[1])


def test_outcomes_below_zero_count_as_zero() -> None:
    over, push = raw(2, 4).probability_over(array(0))
    assert over[0] + push[0] == pytest.approx(1)
    assert push[0] > 0.2


@pytest.mark.parametrize(("mean", "line"), [(20, NAN), (NAN, 20.5)])
def test_without_a_line_or_a_forecast_there_is_no_probability(mean: float, line: float) -> None:
    over, push = raw(mean, 6).probability_over(array(line))
    assert np.isnan(over[0])
    assert np.isnan(push[0])
    assert np.isnan(raw(mean, 6).decided_over(array(line))[0])


@every_market
@given(mean=MEANS, sd=SDS, skewness=SKEWNESSES)
def test_a_higher_line_is_never_more_likely_to_be_beaten(market: str, mean: float, sd: float, skewness: float) -> None:
    lines = np.arange(0.5, 60, 0.5)
    for law in (raw(mean, sd, market, len(lines)), Law(array(mean), array(sd), array(skewness))):
        assert (np.diff(law.probability_over(lines)[0]) <= 0).all()


@given(mean=MEANS, sd=SDS)
def test_no_whole_number_has_a_smaller_expected_absolute_error_than_the_point_forecast(mean: float, sd: float) -> None:
    outcomes = np.arange(200.0)
    law = raw(mean, sd, n=len(outcomes))
    chance = np.diff(1 - law.probability_over(outcomes)[0], prepend=0.0)
    expected = np.abs(outcomes[:, None] - outcomes) @ chance
    assert expected[int(law.point(4)[0])] == pytest.approx(expected.min(), abs=1e-3 * sd)


@pytest.mark.parametrize(("above", "point"), [(0.00004, 17), (0.00006, 18)])
def test_the_point_forecast_follows_from_the_median_as_it_is_published(above: float, point: int) -> None:
    law = Law(array(18), array(6), array(0.6))
    moved = Law(law.mean + 17.5 + above - law.quantile(0.5), law.sd, law.skewness)
    assert moved.point(4)[0] == point


def test_forecasts_that_are_unknown_have_no_quantiles_and_no_score() -> None:
    assert np.isnan(raw(NAN, NAN).quantile(0.5)[0])
    assert np.isnan(raw(NAN, NAN).crps(array(5))[0])
