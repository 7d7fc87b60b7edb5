"""The one bootstrap: intervals when whole game days are drawn again, since rows of one day are not independent."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1_000
SEED = 7
LEVEL = 0.95

Number = np.float64 | np.intp


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval; NaN without rows."""

    value: float
    low: float
    high: float

    @classmethod
    def unknown(cls) -> "Estimate":
        """Return the estimate of what has no rows, or too few."""
        return cls(np.nan, np.nan, np.nan)

    def named(self, name: str) -> dict[str, float]:
        """Return value and bounds by the names of their columns: `name`, `name_low` and `name_high`."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


@lru_cache(maxsize=4)
def _draws(days: int) -> NDArray[np.int64]:
    """Draw days with replacement, as an array (resamples, days) of the places of days; the same for every call."""
    return np.random.default_rng(SEED).integers(0, days, (RESAMPLES, days))


def ratio_interval(top: NDArray[Number], bottom: NDArray[Number]) -> tuple[float, float]:
    """Compute the 95 % interval of Σ top / Σ bottom over days (percentile bootstrap).

    Args:
        top: The sum of every day; at least one day.
        bottom: The count, or other weight, of every day, in the order of `top`.

    Returns:
        Both bounds; resamples without any weight do not count.
    """
    drawn = _draws(len(top))
    over, under = top[drawn].sum(axis=1), bottom[drawn].sum(axis=1)
    low, high = np.quantile(over[under > 0] / under[under > 0], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


class DayBootstrap:
    """Means of rows with their intervals.

    `days` is the game day of each row; every mean is over values of the same rows, so that differences are paired.
    """

    def __init__(self, days: NDArray) -> None:
        _, self._place = np.unique(days, return_inverse=True)
        self._counts = np.bincount(self._place)

    def mean(self, values: NDArray[np.float64]) -> Estimate:
        """Estimate the mean of a value of each row."""
        if not len(values):
            return Estimate.unknown()
        return Estimate(float(values.mean()), *ratio_interval(np.bincount(self._place, values), self._counts))

    def slope(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> Estimate:
        """Estimate the slope of `y` on `x` by least squares, both of each row."""
        values = (np.ones(len(x)), x, y, x * x, x * y)
        sums = np.stack([np.bincount(self._place, v, len(self._counts)) for v in values])
        drawn = _slope(sums[:, _draws(len(self._counts))].sum(axis=2))
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Estimate(float(_slope(sums.sum(axis=1))), float(low), float(high))


def _slope(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return slopes of y on x from the sums of 1, x, y, x² and xy, in the first axis."""
    n, x, y, xx, xy = sums
    return (xy - x * y / n) / (xx - x * x / n)
