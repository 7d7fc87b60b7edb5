"""The spread of outcomes around forecasts, and least squares with coefficients that are stored.

All of it is fitted on forecasts of rows that the system was not trained on.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from nba_pipeline.systems.protocol import Floats

OWN_SHARE_LIMIT = 0.6
SURE = 1e-4
DIGITS = 8


def rounded(values: Any) -> list[float]:
    """Coefficients as they are stored: digits that depend on the order of a sum are cut off."""
    return [float(f"{v:.{DIGITS}g}") for v in np.asarray(values, dtype=float).ravel()]


def nonnegative_least_squares(basis: Floats, wanted: Floats) -> Floats:
    """Solve non-negative least squares through the Cholesky factor of the Gram matrix: a few columns, however many rows."""
    factor = np.linalg.cholesky(basis.T @ basis + SURE * np.eye(basis.shape[1]))
    return scipy.optimize.nnls(factor.T, np.linalg.solve(factor, basis.T @ wanted))[0]


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
        coefficients = nonnegative_least_squares(basis * weight[:, None], squared * weight)
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
