"""What is learned from a system's own errors: its level, the spread of outcomes around it, and how far its probabilities hold.

All of it is fitted on forecasts of rows that the system was not trained on.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from nba_pipeline.systems.distribution import probability_over
from nba_pipeline.systems.protocol import Floats

OWN_SHARE_LIMIT = 0.6
SURE = 1e-4
NEWTON_STEPS = 25
RECENT_PULL, RECENT_PRIOR_ROWS = 0.5, 1_000.0
MINIMUM_DECIDED = 300
PRIOR_DECIDED = 100.0
DIGITS = 8


def rounded(values: Any) -> list[float]:
    """Coefficients as they are stored: digits that depend on the order of a sum are cut off."""
    return [float(f"{v:.{DIGITS}g}") for v in np.asarray(values, dtype=float).ravel()]


def _nonnegative(basis: Floats, wanted: Floats) -> Floats:
    """Non-negative least squares through the Cholesky factor of the Gram matrix: a few columns, however many rows."""
    factor = np.linalg.cholesky(basis.T @ basis + SURE * np.eye(basis.shape[1]))
    return scipy.optimize.nnls(factor.T, np.linalg.solve(factor, basis.T @ wanted))[0]


@dataclass(frozen=True)
class Level:
    """`intercept + slope·forecast + season·season average`: the part of the error that can be foreseen."""

    intercept: float = 0.0
    slope: float = 1.0
    season: float = 0.0

    @classmethod
    def of_rule(cls, mean: Floats, season_average: Floats, actual: Floats) -> "Level":
        """Least squares: a plain average is too high for who is hot, too low for who is cold, and the more so by tier."""
        known = ~np.isnan(mean) & ~np.isnan(season_average) & ~np.isnan(actual)
        basis = np.column_stack([np.ones(known.sum()), mean[known], season_average[known]])
        return cls(*rounded(np.linalg.lstsq(basis, actual[known], rcond=None)[0]))

    @classmethod
    def of_recent(cls, mean: Floats, actual: Floats, recent: NDArray[np.bool_]) -> "Level":
        """A factor: scoring drifts within a season, and a model of the last 400 days lags behind.

        Half of the relative error of the recent rows is taken off, less where they are few: in 2022-23 and 2023-24 half to
        all of it, of 30 to 60 days, improved MAE by 0.002 and 0.007 to 0.012.
        """
        use = recent & ~np.isnan(mean) & ~np.isnan(actual)
        n, total = int(use.sum()), float(mean[use].sum())
        excess = (total - actual[use].sum()) / max(total, 1.0)
        return cls(0.0, rounded([1 - RECENT_PULL * n / (n + RECENT_PRIOR_ROWS) * excess])[0])

    def apply(self, mean: Floats, season_average: Floats) -> Floats:
        """The levelled forecast, at least 0; NaN where the forecast is."""
        moved = self.intercept + self.slope * mean
        return np.maximum(moved + self.season * season_average if self.season else moved, 0)


@dataclass(frozen=True)
class Spread:
    """Variance of the outcome around a forecast m: p = constant + root·√m + linear·m, and `own` of the way from p to the
    player's own variance over the last 10 games, if known. The three coefficients are not negative.
    """

    constant: float
    root: float
    linear: float
    own: float

    @staticmethod
    def _basis(mean: Floats) -> Floats:
        m = np.maximum(mean, 0)
        return np.column_stack([np.ones(len(m)), np.sqrt(m), m])

    @classmethod
    def fit(cls, mean: Floats, own_sd: Floats, actual: Floats) -> "Spread":
        """Weighted non-negative least squares of squared errors; weights fall with the mean as the variance of squares grows."""
        known = ~np.isnan(mean) & ~np.isnan(actual)
        m, own, squared = mean[known], own_sd[known], (actual - mean)[known] ** 2
        weight = 1 / (1 + np.maximum(m, 0))
        basis = cls._basis(m)
        coefficients = _nonnegative(basis * weight[:, None], squared * weight)
        prior = basis @ coefficients
        seen = ~np.isnan(own)
        away, left = (own[seen] ** 2 - prior[seen]) * weight[seen], (squared[seen] - prior[seen]) * weight[seen]
        share = np.clip((away @ left) / max(away @ away, SURE), 0, OWN_SHARE_LIMIT) if seen.any() else 0.0
        return cls(*rounded([*coefficients, share]))

    def sd(self, mean: Floats, own_sd: Floats) -> Floats:
        """Standard deviation of the outcome; NaN where the mean is."""
        prior = self._basis(mean) @ np.array([self.constant, self.root, self.linear])
        own = np.where(np.isnan(own_sd), prior, own_sd**2)
        return np.sqrt(np.maximum(prior + self.own * (own - prior), SURE))


@dataclass(frozen=True)
class Confidence:
    """Calibrated probability of the over, pushes aside: expit(shift + slope·logit(p)) (Platt 1999).

    `decided` is the number of past rows with a line that it was fitted on; 0: too few, and the law's own word stands.
    """

    shift: float = 0.0
    slope: float = 1.0
    decided: int = 0

    @classmethod
    def fit(cls, p_over: Floats, over: NDArray[np.bool_]) -> "Confidence":
        """Logistic regression, held towards "as it is" by a prior worth 100 rows; needs 300 rows with a line."""
        if len(p_over) < MINIMUM_DECIDED:
            return cls()
        z = _logit(p_over)
        x = np.column_stack([np.ones(len(z)), z])
        start = np.array([0.0, 1.0])
        weights, prior = start.copy(), PRIOR_DECIDED / 4 * np.diag([1.0, max(float(z.var()), SURE)])
        for _ in range(NEWTON_STEPS):
            p = scipy.special.expit(x @ weights)
            gradient = x.T @ (over - p) - prior @ (weights - start)
            weights = weights + np.linalg.solve(x.T @ (x * (p * (1 - p))[:, None]) + prior, gradient)
        shift, slope = rounded([weights[0], max(weights[1], 0.0)])
        return cls(shift, slope, len(z))

    def apply(self, p_over: Floats) -> Floats:
        return scipy.special.expit(self.shift + self.slope * _logit(p_over))


def _logit(p: Floats) -> Floats:
    return scipy.special.logit(np.clip(p, SURE, 1 - SURE))


def calibrated_over(
    mean: Floats, sd: Floats, line: Floats, market: str, shift: Floats | float, slope: Floats | float
) -> tuple[Floats, Floats]:
    """(P(outcome > line), P(outcome = line)) as the law says them, the first calibrated among decided outcomes."""
    over, push = probability_over(mean, sd, line, market)
    decided = scipy.special.expit(shift + slope * _logit(over / np.where(push < 1, 1 - push, np.nan)))
    return decided * (1 - push), push


def decided_over(mean: Floats, sd: Floats, line: Floats, market: str) -> Floats:
    """The law's probability of the over given that it is no push; NaN without a line or a forecast."""
    over, push = probability_over(mean, sd, line, market)
    return over / np.where(push < 1, 1 - push, np.nan)


@dataclass(frozen=True)
class Calibration:
    """Level, spread and confidence of a system in a market."""

    level: Level
    spread: Spread
    confidence: Confidence

    @classmethod
    def fit(
        cls, level: Level, mean: Floats, own_sd: Floats, actual: Floats, line: Floats, market: str
    ) -> "Calibration":
        """Fit spread and confidence on forecasts, already levelled, of rows that the system has not seen."""
        spread = Spread.fit(mean, own_sd, actual)
        p = decided_over(mean, spread.sd(mean, own_sd), line, market)
        decided = ~np.isnan(p) & ~np.isnan(actual) & (actual != line)
        return cls(level, spread, Confidence.fit(p[decided], (actual > line)[decided]))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Calibration":
        return cls(Level(**stored["level"]), Spread(**stored["spread"]), Confidence(**stored["confidence"]))
