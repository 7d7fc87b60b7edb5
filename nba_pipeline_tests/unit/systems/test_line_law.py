"""The law of rows with a line: one distribution, calibrated at the consensus and right at every other line."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from nba_pipeline.systems.distribution import Law
from nba_pipeline.systems.line_law import MINIMUM_DECIDED, PRIOR_SLOPE, BesidePrice, LineLaw, _after
from nba_pipeline.systems.protocol import Floats, Quotes

RNG = np.random.default_rng(8)
N = 30_000
SKILL = RNG.gamma(6, 3, N)
LINE = np.floor(SKILL) + 0.5
ACTUAL = RNG.negative_binomial(np.maximum(SKILL, 1) / 2, 1 / 3).astype(float)
# A forecast that is too sure of itself: most of its distance to the line is noise.
FORECAST = np.maximum(SKILL + RNG.normal(0, 4, N), 0)
NONE = np.full(N, np.nan)
RAW = Law.raw(FORECAST, np.sqrt(20 + FORECAST), "points")


def quotes(line: Floats = LINE, market_line: Floats = LINE, over: Floats = NONE) -> Quotes:
    return Quotes(line, market_line, over)


def fitted(actual: Floats = ACTUAL, market: Quotes | None = None, *, knows_prices: bool = False) -> LineLaw:
    law = LineLaw.fit(RAW, market or quotes(), NONE, actual, knows_prices=knows_prices)
    assert law is not None
    return law


# Prices that know all that can be known, lines that are off, and a forecast that tells how far: beside the price it is no news.
DRAW = np.random.default_rng(9)
OFF_LINE = np.floor(SKILL + DRAW.normal(0, 2, N)) + 0.5
TRUE_OVER = 1 / (1 + np.exp((OFF_LINE - SKILL) / 3))
AWAY = DRAW.poisson(4, N)
OUTCOME = np.where(DRAW.random(N) < TRUE_OVER, OFF_LINE + 0.5 + AWAY, np.maximum(OFF_LINE - 0.5 - AWAY, 0))
TELLING = Law.raw(np.maximum(SKILL + DRAW.normal(0, 1, N), 0), RAW.sd, "points")
RECENT, EVERYWHERE = np.arange(N) >= N - 6_000, np.ones(N, dtype=bool)


def with_prices_in(rows: NDArray[np.bool_]) -> Quotes:
    return quotes(OFF_LINE, OFF_LINE, np.where(rows, TRUE_OVER, np.nan))


def beside(rows: NDArray[np.bool_], raw: Law = TELLING) -> tuple[LineLaw, BesidePrice]:
    """The law of the system that reads prices, learned where these rows have one."""
    law = LineLaw.fit(raw, with_prices_in(rows), NONE, OUTCOME, knows_prices=True)
    assert law is not None
    assert law.beside_price is not None
    return law, law.beside_price


def over_at_the_line(law: LineLaw) -> Floats:
    return law.apply(TELLING, with_prices_in(RECENT), NONE).above(OFF_LINE)


CALIBRATED = fitted().apply(RAW, quotes(), NONE)


@pytest.mark.parametrize("away", [-6, -3, -1, 0, 1, 3, 6])
def test_the_law_is_right_at_the_consensus_and_at_lines_beside_it(away: int) -> None:
    over, _ = CALIBRATED.probability_over(LINE + away)
    happened = LINE + away < ACTUAL
    assert over.mean() == pytest.approx(happened.mean(), abs=0.012)


def test_a_point_of_line_moves_the_probability_as_it_moves_outcomes() -> None:
    below, above = (CALIBRATED.probability_over(LINE + away)[0].mean() for away in (-2, 2))
    outcomes = (ACTUAL > LINE - 2).mean() - (ACTUAL > LINE + 2).mean()
    assert (below - above) / outcomes == pytest.approx(1, abs=0.1)


def test_a_law_whose_probability_ignores_the_line_would_be_seen() -> None:
    """The calibration of one line used at every line, as it once was: its probability hardly moves with the line."""
    frozen = CALIBRATED.probability_over(LINE)[0].mean()
    assert abs(frozen - (ACTUAL > LINE - 2).mean()) > 0.05


def test_the_mean_and_the_median_are_right_at_once() -> None:
    assert (CALIBRATED.mean - ACTUAL).mean() == pytest.approx(0, abs=0.15)
    assert (CALIBRATED.quantile(0.5) > ACTUAL).mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("low", "high"), [(0, 10), (10, 20), (20, 60)])
def test_quantiles_hold_their_share_of_outcomes_in_every_tier(low: float, high: float) -> None:
    here = (low <= SKILL) & (high > SKILL)
    inside = (CALIBRATED.quantile(0.1) <= ACTUAL) & (CALIBRATED.quantile(0.9) >= ACTUAL)
    assert inside[here].mean() == pytest.approx(0.8, abs=0.035)


def test_a_calibrated_law_scores_better_than_the_raw_one() -> None:
    assert CALIBRATED.crps(ACTUAL).mean() < RAW.crps(ACTUAL).mean() - 0.05


def test_a_forecast_that_knows_nothing_does_not_move_the_law() -> None:
    noise = Law.raw(LINE + RNG.normal(0, 4, N), RAW.sd, "points")
    law = LineLaw.fit(noise, quotes(), NONE, ACTUAL, knows_prices=False)
    assert law is not None
    assert law.slope < 0.05


def test_a_forecast_that_is_wrong_throughout_never_turns_probabilities_around() -> None:
    wrong = LineLaw.fit(
        Law.raw(np.maximum(2 * LINE - ACTUAL, 0), RAW.sd, "points"), quotes(), NONE, ACTUAL, knows_prices=False
    )
    assert wrong is not None
    assert wrong.slope == 0


def test_the_markets_price_counts_for_the_system_that_knows_it() -> None:
    sure = quotes(over=np.full(N, 0.6))
    unsure = quotes(over=np.full(N, 0.4))
    law = fitted(market=sure, knows_prices=True)
    high, low = (law.apply(RAW, q, NONE).probability_over(LINE)[0] for q in (sure, unsure))
    assert (high > low + 0.1).all()
    blind = fitted(market=sure)
    assert np.array_equal(blind.apply(RAW, sure, NONE).mean, blind.apply(RAW, unsure, NONE).mean)


def test_books_with_higher_lines_are_an_opinion_on_the_consensus() -> None:
    law = fitted(knows_prices=True)
    apart = law.apply(RAW, quotes(market_line=LINE + 1), NONE)
    together = law.apply(RAW, quotes(), NONE)
    assert (apart.mean > together.mean).all()


def test_a_window_mostly_without_prices_does_not_raise_the_weight_of_the_forecast_beside_a_price() -> None:
    law, priced = beside(RECENT)
    assert law.slope > 0.5
    assert priced.slope < PRIOR_SLOPE
    assert priced.slope == pytest.approx(beside(EVERYWHERE)[1].slope, abs=0.07)


def test_a_price_counts_once_however_much_of_the_window_has_none() -> None:
    """These prices are true: a law that departs from them by two points on average counts what they tell a second time."""
    departs = np.abs(over_at_the_line(beside(RECENT)[0]) - TRUE_OVER)[RECENT]
    assert departs.mean() < 0.02


@pytest.mark.guard
@pytest.mark.parametrize("over", [0.15, 0.4, 0.5, 0.7, 0.85])
def test_a_forecast_that_agrees_with_the_price_is_no_reason_to_go_beyond_it(over: float) -> None:
    stated = np.full(N, over)
    agreeing = Law(RAW.centre(LINE, stated), RAW.sd, RAW.skewness)
    law = replace(beside(EVERYWHERE)[0], beside_price=BesidePrice(5_000, 0.0, 0.4))
    made = law.apply(agreeing, quotes(over=stated), NONE)
    assert made.above(LINE) == pytest.approx(over, abs=1e-6)


@pytest.mark.guard
@pytest.mark.parametrize("over", [0.01, 0.05, 0.1])
def test_a_long_shot_has_the_chance_that_its_price_tells(over: float) -> None:
    """With the spread of the others and a mean of 0 the law would say several times as much of one three by who shoots none."""
    line, stated = np.full(N, 0.5), np.full(N, over)
    law = replace(fitted(knows_prices=True), beside_price=BesidePrice(5_000, 0.0, 0.0))
    made = law.apply(RAW, quotes(line, line, stated), NONE)
    assert made.above(line) == pytest.approx(over, abs=1e-6)
    assert (made.mean >= 0).all()
    assert (made.sd > 0).all()


def test_rows_without_a_price_get_what_all_rows_with_a_line_teach() -> None:
    law, _ = beside(RECENT)
    on_all = replace(law, beside_price=None)
    assert np.array_equal(over_at_the_line(law)[~RECENT], over_at_the_line(on_all)[~RECENT])
    assert not np.array_equal(over_at_the_line(law)[RECENT], over_at_the_line(on_all)[RECENT])


def test_where_all_rows_have_prices_both_pairs_are_the_same() -> None:
    law, priced = beside(EVERYWHERE)
    assert priced == BesidePrice(law.decided, law.shift, law.slope)


def test_below_300_decided_rows_with_a_price_the_prior_stands_beside_prices_and_says_so() -> None:
    few = np.arange(N) < MINIMUM_DECIDED - 1
    law, priced = beside(few)
    assert priced == BesidePrice(0, 0.0, PRIOR_SLOPE)
    assert np.array_equal(law.calibrated_on(with_prices_in(few)), np.where(few, 0, N))
    enough = np.arange(N) < MINIMUM_DECIDED
    law, priced = beside(enough)
    assert np.array_equal(law.calibrated_on(with_prices_in(enough)), np.where(enough, MINIMUM_DECIDED, N))
    assert priced.slope == pytest.approx(PRIOR_SLOPE, abs=0.05)


def test_pushes_teach_nothing_beside_a_price() -> None:
    whole = np.floor(SKILL)
    over = np.where(np.arange(N) < 2_000, 0.5, np.nan)
    law = fitted(market=quotes(whole, whole, over), knows_prices=True)
    assert law.beside_price is not None
    assert law.beside_price.decided == ((whole != ACTUAL) & ~np.isnan(over)).sum() < 2_000


def test_a_forecast_that_is_wrong_beside_prices_never_turns_probabilities_around_there() -> None:
    wrong = np.where(RECENT, 2 * OFF_LINE - OUTCOME, OUTCOME)
    law, priced = beside(RECENT, Law.raw(np.maximum(wrong, 0), RAW.sd, "points"))
    assert law.slope > 0.5
    assert priced.slope == 0


@pytest.mark.parametrize("rows", [RECENT, ~RECENT], ids=["beside prices", "without"])
def test_the_probability_falls_with_the_line_and_rises_with_the_forecast(rows: NDArray[np.bool_]) -> None:
    law, market = beside(RECENT)[0], with_prices_in(RECENT)
    made = law.apply(TELLING, market, NONE)
    by_line = np.stack([made.probability_over(OFF_LINE + away)[0] for away in range(-6, 7)])
    assert (np.diff(by_line, axis=0)[:, rows] <= 0).all()
    more = law.apply(replace(TELLING, mean=TELLING.mean + 1), market, NONE)
    assert (more.above(OFF_LINE) >= over_at_the_line(law))[rows].all()


def test_a_system_that_reads_no_prices_learns_and_stores_nothing_of_them() -> None:
    priced = fitted(market=quotes(over=np.full(N, 0.7)))
    assert priced == fitted()
    assert "beside_price" not in priced.to_dict()
    assert (priced.calibrated_on(quotes(over=np.full(N, 0.7))) == priced.decided).all()


def test_lines_of_a_calm_part_of_the_window_do_not_narrow_the_law_of_the_rest() -> None:
    calm = np.arange(N) < N // 8
    wide = np.maximum(SKILL + 1.3 * (ACTUAL - SKILL), 0)
    raw = Law.raw(SKILL, RAW.sd, "points")
    market = quotes(np.where(calm, LINE, np.nan))
    law = LineLaw.fit(raw, market, NONE, np.where(calm, ACTUAL, wide), knows_prices=False)
    assert law is not None

    def coverage(of: LineLaw) -> float:
        made = of.apply(raw, quotes(), NONE)
        return float(((made.quantile(0.1) <= wide) & (made.quantile(0.9) >= wide))[~calm].mean())

    assert coverage(law) == pytest.approx(0.8, abs=0.035)
    assert coverage(replace(law, scale=1.0)) < 0.73


def test_outcomes_that_spread_alike_leave_the_spread_beside_lines_as_it_is() -> None:
    half = np.where(np.arange(N) % 2, LINE, np.nan)
    assert fitted(market=quotes(half)).scale == pytest.approx(1, abs=0.02)


def test_rows_without_a_line_keep_the_raw_law() -> None:
    half = np.where(np.arange(N) % 2, LINE, np.nan)
    law = fitted().apply(RAW, quotes(half, half), NONE)
    bare = np.isnan(half)
    for ours, theirs in zip(asdict(law).values(), asdict(RAW).values(), strict=True):
        assert np.array_equal(ours[bare], theirs[bare])
    assert not np.array_equal(law.mean, RAW.mean)


def test_too_few_decided_lines_are_no_calibration() -> None:
    few = np.where(np.arange(N) < MINIMUM_DECIDED - 1, LINE, np.nan)
    assert LineLaw.fit(RAW, quotes(few, few), NONE, ACTUAL, knows_prices=False) is None
    pushed = np.floor(LINE)
    all_pushes = LineLaw.fit(RAW, quotes(pushed, pushed), NONE, pushed, knows_prices=False)
    assert all_pushes is None


def test_whole_lines_are_calibrated_with_pushes_aside() -> None:
    whole = np.floor(SKILL)
    law = fitted(market=quotes(whole, whole)).apply(RAW, quotes(whole, whole), NONE)
    decided = whole != ACTUAL
    assert law.decided_over(whole)[decided].mean() == pytest.approx((whole < ACTUAL)[decided].mean(), abs=0.015)


def test_means_are_never_negative() -> None:
    line = np.full(N, 0.5)
    law = fitted(actual=np.minimum(ACTUAL, 1), market=quotes(line, line)).apply(RAW, quotes(line, line), NONE)
    assert (law.mean >= 0).all()
    assert (law.sd > 0).all()


@pytest.mark.parametrize("knows_prices", [True, False])
def test_it_is_stored_and_read_back(knows_prices: bool) -> None:
    law = fitted(knows_prices=knows_prices)
    assert LineLaw.from_dict(json.loads(json.dumps(law.to_dict()))) == law


@pytest.mark.parametrize("steps", [3, 24, 25])
@pytest.mark.parametrize(
    "step", [lambda w: w + 1, lambda w: w // 2, lambda w: (w + 3) % 4, lambda w: np.minimum(w + 1, 9) % 9]
)
def test_steps_that_are_left_out_lead_to_the_same_place(steps: int, step: Callable[[Floats], Floats]) -> None:
    plain = start = np.array([7.0, 2.0])
    for _ in range(steps):
        plain = step(plain)
    assert (_after(steps, step, start) == plain).all()


def test_no_step_is_taken_that_was_taken_before() -> None:
    taken: list[Floats] = []

    def step(weights: Floats) -> Floats:
        taken.append(weights)
        return weights // 2

    _after(25, step, np.array([7.0]))
    assert len(taken) == 4
