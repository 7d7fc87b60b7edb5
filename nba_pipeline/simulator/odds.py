"""Convert probabilities to American odds with a margin, on the price grid of a book."""

import numpy as np

from nba_pipeline.simulator.league import Floats

VIG = 1.046  # the two implied probabilities sum to this: -110 on both sides is 1.048


def normal_cdf(z: Floats) -> Floats:
    """Approximate the standard normal distribution function by a logistic one (error below 0.0002)."""
    return 1 / (1 + np.exp(-(1.5976 * z + 0.07056 * z**3)))


def american(probability: Floats, grid: Floats | float, vig: float = VIG) -> Floats:
    """Convert fair probabilities to American odds on the book's grid; never strictly between -100 and +100."""
    implied = np.clip(probability * vig, 0.02, 0.985)
    raw = np.where(implied >= 0.5, -100 * implied / (1 - implied), 100 * (1 - implied) / implied)
    rounded = np.round(raw / grid) * grid
    return np.where(np.abs(rounded) < 100, 100.0, np.where(rounded == -100, 100.0, rounded))
