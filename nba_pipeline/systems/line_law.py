"""The law of rows with a line: where its centre lies, how wide and how skewed it is, learned from forecasts beside lines.

The probability of the over at the consensus line is calibrated by logistic regression, and the law is moved until it says this
probability there: every probability, quantile and score is then read from one distribution, which moves with the line. Spread and
skewness are refitted around lines, for the outcomes of players with a line are less skewed than those of all players.

A system that reads the market's prices says, at the consensus line,

    logit P(over) = logit P_market(over) + shift + slope·(logit P_raw(over) - logit P_market(over)),

with one pair of shift and slope for rows whose price is known, learned on such rows alone, and one for all other rows with a
line, learned on all. Only the disagreement counts: a forecast that agrees with the price is no reason to go beyond it. Without
a price P_market is what the books' lines tell, and the forecast has to tell what the price would have told: a slope learned there
and used beside a price would count the price twice. A system that reads no prices has P_market = 1/2.

No outcome is negative, nor is a mean: where that probability is less than a law with a mean of 0 can have, the law of a system
that reads prices is narrowed.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from nba_pipeline.systems.distribution import Law
from nba_pipeline.systems.protocol import Floats, Quotes
from nba_pipeline.systems.spread import SURE, Spread, nonnegative_least_squares, rounded

NEWTON_STEPS = 25
MINIMUM_DECIDED = 300

# What a forecast's disagreement with the line is worth before anything was seen, and how many rows that belief counts for: fits
# on 2021-22 to 2023-24 gave 0.09 to 0.30 (points).
PRIOR_SLOPE, PRIOR_ROWS = 0.15, 2_000.0
PRIOR_SKEWNESS_ROWS = 300.0
SKEWNESS = (0.05, 2.0)

# Rows are like those with a line where their forecast reaches this quantile of theirs.
LIKE_LINED = 0.25
PRIOR_SCALE_ROWS = 500.0


@dataclass(frozen=True)
class BesidePrice:
    """Shift and slope of rows whose price is known; the prior itself below 300 decided rows with a price.

    Attributes:
        decided: Rows with a line and a price, pushes aside, that both were fitted on; 0 for the prior.
        shift: As in `LineLaw`.
        slope: As in `LineLaw`.
    """

    decided: int = 0
    shift: float = 0.0
    slope: float = PRIOR_SLOPE


@dataclass(frozen=True)
class LineLaw:
    """The law of rows with a line.

    Attributes:
        decided: Rows with a line, pushes aside, that it was fitted on.
        shift: Intercept of the logit of the over at the consensus line.
        slope: Weight of what the raw law's logit there is away from the market's; not negative, so that probabilities keep their
            order.
        knows_prices: True where the law starts from the market's own probability.
        intercept: With `line` and `forecast` the expected outcome around which spread and skewness are fitted:
            intercept + line·line + forecast·raw mean.
        line: See `intercept`.
        forecast: See `intercept`.
        spread: Variance of outcomes around it.
        third: Third central moment of outcomes around it, third[0] + third[1]·expected outcome; not negative.
        scale: Factor on the standard deviation: the spread of outcomes in the whole window against that in its rows with a
            line, which may all be months old.
        beside_price: Takes the place of `shift` and `slope` where the market's price is known; None for a system that reads no
            prices.
    """

    decided: int
    shift: float
    slope: float
    knows_prices: bool
    intercept: float
    line: float
    forecast: float
    spread: Spread
    third: tuple[float, float]
    scale: float
    beside_price: BesidePrice | None = None

    @classmethod
    def fit(cls, raw: Law, quotes: Quotes, own_sd: Floats, actual: Floats, *, knows_prices: bool) -> "LineLaw | None":
        """Fit on rows that the system has not seen; None below 300 decided rows with a line.

        Args:
            raw: Raw laws, one per row.
            quotes: The market of each row.
            own_sd: The player's standard deviation over the last 10 games; NaN where it is unknown.
            actual: Outcomes; NaN where there is none.
            knows_prices: True for a system that reads the market's prices.
        """
        use = ~np.isnan(raw.mean) & ~np.isnan(quotes.line) & ~np.isnan(actual)
        line, y, own = quotes.line[use], actual[use], own_sd[use]
        lined = Law(raw.mean[use], raw.sd[use], raw.skewness[use])
        decided = y != line
        if decided.sum() < MINIMUM_DECIDED:
            return None
        known = _market_logit(lined, quotes.take(use)) if knows_prices else np.zeros(len(y))
        away = _logit(lined.above(line)) - known
        shift, slope = _fit_logistic(away[decided], known[decided], (y > line)[decided])
        priced = decided & ~np.isnan(quotes.market_over[use])
        beside_price = _fit_beside_price(away[priced], known[priced], (y > line)[priced]) if knows_prices else None
        basis = np.column_stack([np.ones(len(y)), line, lined.mean])
        intercept, by_line, by_forecast = rounded(np.linalg.lstsq(basis, y, rcond=None)[0])
        expected = basis @ np.array([intercept, by_line, by_forecast])
        spread = Spread.fit(expected, own, y)
        third = _fit_third(y - expected, expected, spread.sd(expected, own), lined.skewness)
        scale = _scale(raw, actual, use)
        expectation = (intercept, by_line, by_forecast)
        return cls(int(decided.sum()), shift, slope, knows_prices, *expectation, spread, third, scale, beside_price)

    def calibrated_on(self, quotes: Quotes) -> NDArray[np.int64]:
        """Return how many decided rows the probability of each row was fitted on; 0 where it stands on the prior alone."""
        if self.beside_price is None:
            return np.full(len(quotes.line), self.decided)
        return np.where(np.isnan(quotes.market_over), self.decided, self.beside_price.decided)

    def apply(self, raw: Law, quotes: Quotes, own_sd: Floats) -> Law:
        """Return the calibrated laws; rows without a line keep the raw law."""
        expected = self.intercept + self.line * quotes.line + self.forecast * raw.mean
        sd = self.spread.sd(expected, own_sd)
        moment = self.third[0] + self.third[1] * np.maximum(expected, 0)
        shape = Law(expected, self.scale * sd, np.clip(moment / sd**3, *SKEWNESS))
        known = _market_logit(raw, quotes) if self.knows_prices else 0.0
        shift, slope = self._pair(quotes)
        over = scipy.special.expit(known + shift + slope * (_logit(raw.above(quotes.line)) - known))
        centre = shape.centre(quotes.line, over)
        narrower = np.where(self.knows_prices & (centre < 0), quotes.line / (quotes.line - centre), 1.0)
        moved = Law(np.maximum(centre, 0), narrower * shape.sd, shape.skewness)
        return moved.where(~np.isnan(quotes.line), raw)

    def _pair(self, quotes: Quotes) -> tuple[Floats | float, Floats | float]:
        """Shift and slope of each row."""
        if self.beside_price is None:
            return self.shift, self.slope
        bare = np.isnan(quotes.market_over)
        return (
            np.where(bare, self.shift, self.beside_price.shift),
            np.where(bare, self.slope, self.beside_price.slope),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the values that an artifact stores, without `beside_price` for a system that reads no prices."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "LineLaw":
        """Build from the values of `to_dict`."""
        beside = stored.get("beside_price")
        parts = {
            "spread": Spread(**stored["spread"]),
            "third": tuple(stored["third"]),
            "beside_price": None if beside is None else BesidePrice(**beside),
        }
        return cls(**{**stored, **parts})


def _logit(p: Floats) -> Floats:
    return scipy.special.logit(np.clip(p, SURE, 1 - SURE))


def _market_logit(raw: Law, quotes: Quotes) -> Floats:
    """The market's logit of the over at the consensus line: its mean probability without margin, which holds at the mean of its
    lines, carried to the consensus by a law of the raw law's form; 0 where the books' lines are not known."""
    over = np.where(np.isnan(quotes.market_over), 0.5, quotes.market_over)
    believed = Law(raw.centre(quotes.market_line, np.clip(over, SURE, 1 - SURE)), raw.sd, raw.skewness)
    return np.nan_to_num(_logit(believed.above(quotes.line)))


def _fit_logistic(away: Floats, known: Floats, over: NDArray[np.bool_]) -> tuple[float, float]:
    """Shift and slope of logit P(over) = known + shift + slope·away, held towards the prior (maximum a posteriori, Newton)."""
    x = np.column_stack([np.ones(len(away)), away])
    start = np.array([0.0, PRIOR_SLOPE])
    prior = PRIOR_ROWS / 4 * np.diag([1.0, max(float(away.var()), SURE)])

    def step(weights: Floats) -> Floats:
        p = scipy.special.expit(x @ weights + known)
        gradient = x.T @ (over - p) - prior @ (weights - start)
        return weights + np.linalg.solve(x.T @ (x * (p * (1 - p))[:, None]) + prior, gradient)

    weights = _after(NEWTON_STEPS, step, start)
    shift, slope = rounded([weights[0], max(weights[1], 0.0)])
    return shift, slope


def _after(steps: int, step: Callable[[Floats], Floats], start: Floats) -> Floats:
    """Where as many steps lead. Near the solution they soon stay or go round in the last digits: the rest is known then."""
    path = [start]
    while len(path) <= steps:
        moved = step(path[-1])
        if again := [n for n, w in enumerate(path) if (w == moved).all()]:
            return path[again[0] + (steps - again[0]) % (len(path) - again[0])]
        path.append(moved)
    return path[steps]


def _fit_beside_price(away: Floats, known: Floats, over: NDArray[np.bool_]) -> BesidePrice:
    """Shift and slope from the decided rows with a price, from 300 on; the prior where they are fewer."""
    return BesidePrice(len(away), *_fit_logistic(away, known, over)) if len(away) >= MINIMUM_DECIDED else BesidePrice()


def _fit_third(error: Floats, expected: Floats, sd: Floats, raw_skewness: Floats) -> tuple[float, float]:
    """Third central moment by non-negative least squares of cubed standardized errors, held towards the raw law's skewness."""
    basis = np.column_stack([np.ones(len(sd)), np.maximum(expected, 0)]) / (sd**3)[:, None]
    weight = np.sqrt(PRIOR_SKEWNESS_ROWS / len(sd))
    held = np.vstack([basis, weight * basis])
    constant, linear = rounded(nonnegative_least_squares(held, np.append((error / sd) ** 3, weight * raw_skewness)))
    return constant, linear


def _scale(raw: Law, actual: Floats, lined: NDArray[np.bool_]) -> float:
    """Ratio of the spread of all outcomes to that of rows with a line, in standard deviations of the raw law, among forecasts
    that reach those beside lines."""
    like = raw.mean >= np.quantile(raw.mean[lined], LIKE_LINED)
    squared = ((actual - raw.mean) / raw.sd) ** 2
    everywhere = squared[like & ~np.isnan(squared)]
    beside = squared[like & lined]
    held = (beside.sum() + PRIOR_SCALE_ROWS * everywhere.mean()) / (len(beside) + PRIOR_SCALE_ROWS)
    return rounded([np.sqrt(everywhere.mean() / held)])[0]
