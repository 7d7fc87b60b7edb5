"""`ensemble_v1`: a weighted mean of other systems, weights from their errors on rows they had not seen."""

from collections.abc import Mapping

import numpy as np
import scipy

from nba_pipeline.systems.protocol import Floats
from nba_pipeline.systems.spread import rounded, triangle

SYSTEM_ID = "ensemble_v1"
VERSION = "6"
MEMBERS = ("ridge_v1", "xgboost_v1", "ewma", "moving_average")

# How firmly the weights are held to add up to one, in units of the members' own scale.
HOLD = 1_000.0


def fit_weights(means: Mapping[str, Floats], actual: Floats) -> dict[str, float]:
    """Non-negative weights, adding up to one, with the least squared error; rows count where every member has a forecast."""
    stacked = np.column_stack([means[m] for m in MEMBERS])
    known = ~np.isnan(stacked).any(axis=1) & ~np.isnan(actual)
    scale = HOLD * np.sqrt((stacked[known] ** 2).mean(axis=0)).max() if known.any() else 1.0
    held = np.vstack([stacked[known], np.full(len(MEMBERS), scale)])
    few = triangle(np.column_stack([held, np.append(actual[known], scale)]))
    weights, _ = scipy.optimize.nnls(few[:, :-1], few[:, -1])
    return dict(zip(MEMBERS, rounded(weights / weights.sum()), strict=True))


def combine(means: Mapping[str, Floats], weights: Mapping[str, float]) -> tuple[Floats, dict[str, Floats]]:
    """The weighted mean of the members that have a forecast, and each member's part of it; NaN where none has."""
    stacked = np.column_stack([means[m] for m in weights])
    share = np.where(np.isnan(stacked), 0.0, np.array(list(weights.values())))
    whole = share.sum(axis=1, keepdims=True)
    parts = np.nan_to_num(stacked) * share / np.where(whole > 0, whole, np.nan)
    return parts.sum(axis=1), {m: np.where(share[:, i] > 0, parts[:, i], np.nan) for i, m in enumerate(weights)}
