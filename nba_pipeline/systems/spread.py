"""The spread of outcomes around forecasts, and least squares with coefficients that are stored.

All of it is fitted on forecasts of rows that the system was not trained on.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from nba_pipeline.systems.protocol import Floats

OWN_SHARE_LIMIT = 0.6
# So few rows are multiplied at once that the linear algebra library wakes no further threads: with two months in training
# at once they only wait for each other.
ROWS_AT_ONCE = 40
SURE = 1e-4
DIGITS = 8


def rounded(values: Any) -> list[float]:
    """Coefficients as they are stored: digits that depend on the order of a sum are cut off."""
    return [float(f"{v:.{DIGITS}g}") for v in np.asarray(values, dtype=float).ravel()]


def gram(basis: Floats, wanted: Floats) -> tuple[Floats, Floats]:
    """Return the Gram matrix of the columns of `basis`, and their products with `wanted`, on one thread."""
    whole = np.column_stack([basis, wanted])
    even = len(whole) // ROWS_AT_ONCE * ROWS_AT_ONCE
    parts = whole[:even].reshape(-1, ROWS_AT_ONCE, whole.shape[1])
    products = np.matmul(parts.transpose(0, 2, 1), parts).sum(axis=0) + whole[even:].T @ whole[even:]
    return products[:-1, :-1], products[:-1, -1]


def triangle(rows: Floats) -> Floats:
    """Return as many rows as columns with the same Gram matrix, on one thread: factor R of the QR decomposition.

    Nothing is squared, so that no digits are lost. There are fewer columns than `ROWS_AT_ONCE`.
    """
    while len(rows) > ROWS_AT_ONCE:
        even = len(rows) // ROWS_AT_ONCE * ROWS_AT_ONCE
        factors = np.asarray(np.linalg.qr(rows[:even].reshape(-1, ROWS_AT_ONCE, rows.shape[1]), mode="r"))
        rows = np.vstack([factors.reshape(-1, rows.shape[1]), rows[even:]])
    return np.asarray(np.linalg.qr(rows, mode="r"))


def nonnegative_least_squares(basis: Floats, wanted: Floats) -> Floats:
    """Solve non-negative least squares through the Cholesky factor of the Gram matrix: a few columns, however many rows."""
    products, with_wanted = gram(basis, wanted)
    factor = np.linalg.cholesky(products + SURE * np.eye(basis.shape[1]))
    return scipy.optimize.nnls(factor.T, np.linalg.solve(factor, with_wanted))[0]


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
        prior = (basis * coefficients).sum(axis=1)
        seen = ~np.isnan(own)
        away, left = (own[seen] ** 2 - prior[seen]) * weight[seen], (squared[seen] - prior[seen]) * weight[seen]
        share = np.clip((away * left).sum() / max((away**2).sum(), SURE), 0, OWN_SHARE_LIMIT) if seen.any() else 0.0
        return cls(*rounded([*coefficients, share]))

    def sd(self, mean: Floats, own_sd: Floats) -> Floats:
        """Standard deviation of the outcome; NaN where the mean is."""
        prior = self._basis(mean) @ np.array([self.constant, self.root, self.linear])
        own = np.where(np.isnan(own_sd), prior, own_sd**2)
        return np.sqrt(np.maximum(prior + self.own * (own - prior), SURE))
