"""`line_aware_v1`: the consensus line, moved towards the ensemble by the share that has paid off so far."""

import numpy as np

from nba_pipeline.systems.calibration import rounded
from nba_pipeline.systems.protocol import Floats

SYSTEM_ID = "line_aware_v1"
VERSION = "1"

# The share of the ensemble where few lines were seen, and how many rows that belief is worth. In 2022-23 and 2023-24 shares
# from 0.1 to 0.25 were better than the line alone.
PRIOR_SHARE, PRIOR_ROWS = 0.15, 2_000.0


def fit_share(mean: Floats, line: Floats, actual: Floats) -> float:
    """The share of the way from line to ensemble with the least squared error, held towards the prior; in [0, 1]."""
    known = ~np.isnan(mean) & ~np.isnan(line) & ~np.isnan(actual)
    way, wanted = (mean - line)[known], (actual - line)[known]
    own = float(np.mean(way**2)) if known.any() else 1.0
    share = (way @ wanted + PRIOR_SHARE * PRIOR_ROWS * own) / (way @ way + PRIOR_ROWS * own)
    return rounded(np.clip(share, 0, 1))[0]


def blend(mean: Floats, line: Floats, share: float) -> tuple[Floats, dict[str, Floats]]:
    """`(1 - share)·line + share·mean` and its two terms; NaN without a line or without an ensemble."""
    parts = {"line": (1 - share) * line, "ensemble": share * mean}
    return parts["line"] + parts["ensemble"], parts
