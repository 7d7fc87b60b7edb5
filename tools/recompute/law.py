"""The law of a forecast by another library: Pearson's type III of scipy, where the pipeline has formulas of its own."""

import numpy as np
import pandas as pd
from scipy import stats

CHUNK, NODES, REACH = 20_000, 96, 14.0


def at_most(rows: pd.DataFrame, value: np.ndarray) -> np.ndarray:
    """Return P(Y <= value) of the laws with predicted_mean, predicted_sd and predicted_skewness."""
    law = stats.pearson3(*_parameters(rows))
    return law.cdf(value)


def quantile(rows: pd.DataFrame, share: float) -> np.ndarray:
    """Return the quantiles of the laws, 0 at least."""
    return np.maximum(stats.pearson3(*_parameters(rows)).ppf(share), 0)


def over_and_push(rows: pd.DataFrame, line: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return P(outcome > line) and P(outcome = line); the outcome is n where Y lies in (n - 1/2, n + 1/2], below 1/2 it is 0."""
    values = line.to_numpy(dtype=float)
    whole = np.floor(values)
    below = at_most(rows, whole + 0.5)
    push = np.where(values == whole, below - np.where(whole > 0, at_most(rows, whole - 0.5), 0.0), 0.0)
    unknown = np.isnan(values) | rows.predicted_mean.isna().to_numpy()
    return (pd.Series(np.where(unknown, np.nan, v), rows.index) for v in (1 - below, push))  # pyright: ignore[reportReturnType]


def mean_with_chance(rows: pd.DataFrame, line: pd.Series, above: pd.Series) -> pd.Series:
    """Return the means at which laws of this sd and skewness have P(Y > line) = above."""
    skewness, _, sd = _parameters(rows)
    return line - sd * stats.pearson3(skewness).ppf(1 - above.to_numpy(dtype=float))


def crps(rows: pd.DataFrame, actual: pd.Series) -> pd.Series:
    """Integrate the squared distance of the distribution function from the step at the outcome."""
    scores = np.full(len(rows), np.nan)
    known = np.flatnonzero(actual.notna().to_numpy() & rows.predicted_mean.notna().to_numpy())
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    for begin in range(0, len(known), CHUNK):
        part = known[begin : begin + CHUNK]
        skewness, mean, sd = (p[part] for p in _parameters(rows))
        y = actual.to_numpy(dtype=float)[part]
        low = np.minimum(np.maximum(mean - 2 * sd / skewness, mean - REACH * sd), y)
        high = np.maximum(mean + REACH * sd, y)
        law = stats.pearson3(skewness[:, None], mean[:, None], sd[:, None])
        score = np.zeros(len(part))
        for start, end, step in ((low, y, 0.0), (y, high, 1.0)):
            half = (end - start)[:, None] / 2
            squares = (law.cdf(start[:, None] + half * (1 + nodes)) - step) ** 2
            score += (half * weights * squares).sum(axis=1)
        scores[part] = score
    return pd.Series(scores, rows.index)


def _parameters(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    names = ("predicted_skewness", "predicted_mean", "predicted_sd")
    skewness, mean, sd = (rows[name].to_numpy(dtype=float) for name in names)
    return skewness, mean, sd
