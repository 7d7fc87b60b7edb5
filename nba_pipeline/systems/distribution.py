"""The law of a forecast: everything that follows from its mean, its standard deviation and the market.

Markets count things from 0 on and are skewed to the right, the more so the smaller the mean. The law is a shifted gamma: the
outcome is a whole number n where Y - shift lies in (n - ½, n + ½], all below ½ counts as 0, and Y is gamma distributed with
mean `mean + shift` and standard deviation `sd`. The shift is a constant of the market. Against a normal law with the same mean
and sd it gains 0.14 of log-likelihood a row and 0.025 of CRPS (points, forecasts of 2023-24 with a law fitted on 2022-23), and
a 10 % quantile that is right for players who often score nothing. Quantiles and CRPS are those of the continuous Y - shift.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
import scipy

from nba_pipeline.systems.protocol import Floats

QUANTILES = (0.10, 0.25, 0.50, 0.75, 0.90)

# Chosen by CRPS and coverage on 2023-24 among shifts from 0 to the market's mean, laws fitted on 2022-23.
SHIFT: Mapping[str, float] = {"points": 3.0, "rebounds": 1.0, "assists": 0.5, "threes": 0.25, "pra": 4.0}

# Shapes of the gamma laws for which quantiles are tabulated: (mean + shift)² / sd².
LOWEST_SHAPE, HIGHEST_SHAPE, TABULATED = 0.01, 10_000.0, 4_000

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


def _shape_and_scale(mean: Floats, sd: Floats, market: str) -> tuple[Floats, Floats]:
    centre = mean + SHIFT[market]
    shape = np.clip((centre / sd) ** 2, LOWEST_SHAPE, HIGHEST_SHAPE)
    return shape, centre / shape


@cache
def _table(q: float) -> tuple[Floats, Floats]:
    """log shape, and the q-quantile of the gamma law with that shape and mean 1."""
    shape = np.geomspace(LOWEST_SHAPE, HIGHEST_SHAPE, TABULATED)
    return np.log(shape), scipy.special.gammaincinv(shape, q) / shape


def quantile(mean: Floats, sd: Floats, q: float, market: str) -> Floats:
    """The q-quantile, at least 0; NaN where mean or sd is. Interpolated in a table, to a relative 1e-4 of mean + shift."""
    shape, scale = _shape_and_scale(mean, sd, market)
    log_shape, relative = _table(q)
    return np.maximum(np.interp(np.log(shape), log_shape, relative) * shape * scale - SHIFT[market], 0)


def quantiles(mean: Floats, sd: Floats, market: str) -> dict[float, Floats]:
    """The quantiles of `QUANTILES`, by level."""
    return {q: quantile(mean, sd, q, market) for q in QUANTILES}


def probability_over(mean: Floats, sd: Floats, line: Floats, market: str) -> tuple[Floats, Floats]:
    """(P(outcome > line), P(outcome = line)); NaN without a forecast or a line. A half line cannot push."""
    shape, scale = _shape_and_scale(mean, sd, market)

    def at_most(n: Floats) -> Floats:
        return np.where(n < 0, 0.0, scipy.special.gammainc(shape, np.maximum(n + 0.5 + SHIFT[market], 0) / scale))

    whole = np.floor(line)
    over = 1 - at_most(whole)
    push = np.where(line == whole, at_most(whole) - at_most(whole - 1), 0.0)
    unknown = np.isnan(line) | np.isnan(mean)
    return np.where(unknown, np.nan, over), np.where(unknown, np.nan, push)


def crps(mean: Floats, sd: Floats, actual: Floats, market: str) -> Floats:
    """Continuous ranked probability score; lower is better (gamma law: Scheuerer and Möller 2015, eq. A.4)."""
    shape, scale = _shape_and_scale(mean, sd, market)
    y = np.maximum(actual + SHIFT[market], 0)
    below, below_next = scipy.special.gammainc(shape, y / scale), scipy.special.gammainc(shape + 1, y / scale)
    spread = np.exp(scipy.special.gammaln(shape + 0.5) - scipy.special.gammaln(shape)) / np.sqrt(np.pi)
    return y * (2 * below - 1) - scale * (shape * (2 * below_next - 1) + spread)


def pinball(forecast: Floats, actual: Floats, q: float) -> Floats:
    """Pinball loss of a quantile forecast."""
    error = actual - forecast
    return np.maximum(q * error, (q - 1) * error)
