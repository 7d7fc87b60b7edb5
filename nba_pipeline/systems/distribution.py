"""The law of a forecast: the one distribution that its quantiles, probabilities, prices and scores are read from.

Markets count things from 0 on and are skewed to the right, the more so the smaller the mean. The law is a gamma law that is moved
along the axis (Pearson's type III), given by mean, standard deviation and skewness: the outcome is a whole number n where the
gamma variable Y lies in (n - ½, n + ½], all below ½ counts as 0. Quantiles and CRPS are those of the continuous Y.

The raw law of a market has the skewness 2·sd / (mean + shift), the shift a constant of the market. Against a normal law with the
same mean and sd it gains 0.14 of log-likelihood a row and 0.025 of CRPS (points, forecasts of 2023-24 with a law fitted on
2022-23), and a 10 % quantile that is right for players who often score nothing. Rows with a line have a skewness that was fitted
on such rows (`line_law.LineLaw`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Self

import numpy as np
import scipy
from numpy.typing import NDArray

from nba_pipeline.systems.protocol import Floats

QUANTILES = (0.10, 0.25, 0.50, 0.75, 0.90)

# Chosen by CRPS and coverage on 2023-24 among shifts from 0 to the market's mean, laws fitted on 2022-23.
SHIFT: Mapping[str, float] = {"points": 3.0, "rebounds": 1.0, "assists": 0.5, "threes": 0.25, "pra": 4.0}

# Shapes 4 / skewness² of the gamma laws for which quantiles are tabulated.
LOWEST_SHAPE, HIGHEST_SHAPE, TABULATED = 0.01, 10_000.0, 4_000
LEAST_SKEWNESS, MOST_SKEWNESS = 2 / HIGHEST_SHAPE**0.5, 2 / LOWEST_SHAPE**0.5

# Variance of points around an EWMA forecast m was 12.4 + 2.34·m in 2021-22 and 2022-23 (players with 10 earlier games),
# and mixing in a fifth of the player's own last-10 variance gave the best likelihood there.
PRIOR_VARIANCE = 12.4
VARIANCE_PER_POINT = 2.34
OWN_SHARE = 0.2


def spread(mean: Floats, own_sd: Floats) -> Floats:
    """Standard deviation of points around a rule's forecast before anything was fitted: league-wide, or the player's own."""
    prior = PRIOR_VARIANCE + VARIANCE_PER_POINT * np.maximum(mean, 0)
    own = np.where(np.isnan(own_sd), prior, own_sd**2)
    return np.sqrt((1 - OWN_SHARE) * prior + OWN_SHARE * own)


def raw_skewness(mean: Floats, sd: Floats, market: str) -> Floats:
    """Return the skewness of a market's raw law: that of a gamma law which begins at minus the market's shift."""
    return np.clip(2 * sd / (mean + SHIFT[market]), LEAST_SKEWNESS, MOST_SKEWNESS)


@dataclass(frozen=True)
class Law:
    """The distributions of n forecasts, elementwise; NaN where there is no forecast.

    `mean`, `sd` and `skewness` are arrays that broadcast against each other, in units of the market; `sd` and `skewness` are
    positive.
    """

    mean: Floats
    sd: Floats
    skewness: Floats

    @classmethod
    def raw(cls, mean: Floats, sd: Floats, market: str) -> Self:
        """Build the laws that a market has before anything was learned from lines."""
        return cls(mean, sd, raw_skewness(mean, sd, market))

    @classmethod
    def stored(cls, mean: Floats, sd: Floats, skewness: Floats, market: str) -> Self:
        """Build the laws of published forecasts; rows of earlier releases have no skewness and the raw law.

        Args:
            mean: Forecast means, in units of the market.
            sd: Standard deviations, in units of the market.
            skewness: Skewnesses; NaN in rows of earlier releases.
            market: The market of all rows.
        """
        return cls(mean, sd, np.where(np.isnan(skewness), raw_skewness(mean, sd, market), skewness))

    @cached_property
    def _shape(self) -> Floats:
        return np.clip(4 / self.skewness**2, LOWEST_SHAPE, HIGHEST_SHAPE)

    @cached_property
    def _place(self) -> tuple[NDArray[np.int64], Floats]:
        """The last tabulated shape up to the own one, and how far the own one lies beyond it, in logarithms."""
        log_shape = _log_shapes()
        own = np.log(self._shape)
        at = np.maximum(np.searchsorted(log_shape, own, side="right") - 1, 0)
        return at, np.maximum(own - log_shape[at], 0)

    def _gamma(self, value: Floats) -> Floats:
        """Values on the axis of the gamma law with scale 1."""
        return np.maximum((value - self.mean) / self.sd * np.sqrt(self._shape) + self._shape, 0)

    def quantile(self, q: float) -> Floats:
        """Return the q-quantile, at least 0. Interpolated in a table, to 1e-4 standard deviations."""
        standardized, slope = _table(q)
        at, beyond = self._place
        return np.maximum(self.mean + self.sd * (slope[at] * beyond + standardized[at]), 0)

    def point(self, decimals: int) -> Floats:
        """Return the median of the outcome, a whole number: no other forecast has a smaller expected absolute error.

        Args:
            decimals: Those to which the median is published, so that the whole number follows from what is published.
        """
        return np.maximum(np.ceil(np.round(self.quantile(0.5), decimals) - 0.5), 0)

    def quantiles(self) -> dict[float, Floats]:
        """Return the quantiles of `QUANTILES`, by level."""
        return {q: self.quantile(q) for q in QUANTILES}

    def probability_over(self, line: Floats) -> tuple[Floats, Floats]:
        """Return P(outcome > line) and P(outcome = line); NaN without a forecast or a line. A half line cannot push."""
        whole = np.floor(line)
        at_most = self._at_most(whole)
        push = np.where(line == whole, at_most - self._at_most(whole - 1), 0.0)
        unknown = np.isnan(line) | np.isnan(self.mean)
        return np.where(unknown, np.nan, 1 - at_most), np.where(unknown, np.nan, push)

    def decided_over(self, line: Floats) -> Floats:
        """Return the probability of the over given that the outcome is not the line; NaN without a forecast or a line."""
        return decided(*self.probability_over(line))

    def _at_most(self, n: Floats) -> Floats:
        return np.where(n < 0, 0.0, scipy.special.gammainc(self._shape, self._gamma(n + 0.5)))

    def above(self, line: Floats) -> Floats:
        """Return P(Y > line) of the continuous Y: for a half line, P(outcome > line)."""
        return scipy.special.gammaincc(self._shape, self._gamma(line))

    def centre(self, line: Floats, p_above: Floats) -> Floats:
        """Return the means at which laws of this sd and skewness have P(Y > line) = `p_above`.

        Args:
            line: Lines, in units of the market.
            p_above: Probabilities between 0 and 1, exclusive.
        """
        shape = self._shape
        standardized = (scipy.special.gammaincinv(shape, 1 - p_above) - shape) / np.sqrt(shape)
        return line - self.sd * standardized

    def crps(self, actual: Floats) -> Floats:
        """Return the continuous ranked probability score; lower is better (gamma law: Scheuerer and Möller 2015, eq. A.4)."""
        shape = self._shape
        scale = self.sd / np.sqrt(shape)
        y = self._gamma(actual)
        below, below_next = scipy.special.gammainc(shape, y), scipy.special.gammainc(shape + 1, y)
        width = np.exp(scipy.special.gammaln(shape + 0.5) - scipy.special.gammaln(shape)) / np.sqrt(np.pi)
        return scale * (y * (2 * below - 1) - shape * (2 * below_next - 1) - width)

    def where(self, condition: NDArray[np.bool_], other: "Law") -> "Law":
        """Take these laws where the condition holds, the others elsewhere."""
        return Law(
            np.where(condition, self.mean, other.mean),
            np.where(condition, self.sd, other.sd),
            np.where(condition, self.skewness, other.skewness),
        )


def decided(over: Floats, push: Floats) -> Floats:
    """Return the probability of the over given that the outcome is not the line."""
    return over / np.where(push < 1, 1 - push, np.nan)


@cache
def _log_shapes() -> Floats:
    return np.log(_shapes())


def _shapes() -> Floats:
    return np.geomspace(LOWEST_SHAPE, HIGHEST_SHAPE, TABULATED)


@cache
def _table(q: float) -> tuple[Floats, Floats]:
    """The q-quantile of the gamma laws with the tabulated shapes, in standard deviations from the mean, and its slope over the
    logarithm of the shape up to the next one; 0 beyond the last."""
    shape = _shapes()
    standardized = (scipy.special.gammaincinv(shape, q) - shape) / np.sqrt(shape)
    return standardized, np.append(np.diff(standardized) / np.diff(_log_shapes()), 0)


def pinball(forecast: Floats, actual: Floats, q: float) -> Floats:
    """Pinball loss of a quantile forecast."""
    error = actual - forecast
    return np.maximum(q * error, (q - 1) * error)
