"""Forecast distributions: a normal law with a continuity correction, since every market counts whole things."""

import numpy as np
from scipy.special import ndtr, ndtri

from nba_pipeline.systems.protocol import Floats

QUANTILES = (0.10, 0.25, 0.50, 0.75, 0.90)

# Variance of points around an EWMA forecast m was 12.4 + 2.34·m in 2021-22 and 2022-23 (players with 10 earlier games),
# and mixing in a fifth of the player's own last-10 variance gave the best likelihood there.
PRIOR_VARIANCE = 12.4
VARIANCE_PER_POINT = 2.34
OWN_SHARE = 0.2


def spread(mean: Floats, own_sd: Floats) -> Floats:
    """Standard deviation of the outcome around a forecast of points: league-wide law, and the player's own where known."""
    prior = PRIOR_VARIANCE + VARIANCE_PER_POINT * np.maximum(mean, 0)
    own = np.where(np.isnan(own_sd), prior, own_sd**2)
    return np.sqrt((1 - OWN_SHARE) * prior + OWN_SHARE * own)


def quantile(mean: Floats, sd: Floats, q: float) -> Floats:
    """The q-quantile; no market goes below zero."""
    return np.maximum(mean + sd * ndtri(q), 0)


def probability_over(mean: Floats, sd: Floats, line: Floats) -> tuple[Floats, Floats]:
    """(P(outcome > line), P(outcome = line)). A half line cannot push."""
    whole = np.floor(line)
    over = 1 - ndtr((whole + 0.5 - mean) / sd)
    push = np.where(line == whole, ndtr((whole + 0.5 - mean) / sd) - ndtr((whole - 0.5 - mean) / sd), 0.0)
    return over, np.where(np.isnan(line), np.nan, push)


def crps(mean: Floats, sd: Floats, actual: Floats) -> Floats:
    """Continuous ranked probability score of the normal law (Gneiting and Raftery 2007, eq. 21); lower is better."""
    z = (actual - mean) / sd
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return sd * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))


def pinball(forecast: Floats, actual: Floats, q: float) -> Floats:
    """Pinball loss of a quantile forecast."""
    error = actual - forecast
    return np.maximum(q * error, (q - 1) * error)
