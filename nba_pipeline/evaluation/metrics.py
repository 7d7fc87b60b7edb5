"""Measures of graded forecasts: tiers, calibration, hit rates."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_pipeline.evaluation.bootstrap import Estimate

BINS = 10

# Figures of fewer rows are not shown: with fewer bets the 95 % interval of a return reaches 15 percentage points and more to
# either side.
FEWEST_SHOWN = 150

# Tiers by the player's season average before the game: each begins at its bound and ends before the next.
TIERS: Mapping[str, float] = {"bench": 0, "rotation": 10, "starter": 20, "star": 30}


def tier(season_average: pd.Series) -> pd.Series:
    """The name of the tier of each row; missing where the average is not known."""
    bounds = [*TIERS.values(), np.inf]
    return pd.cut(season_average.astype(float), bounds, right=False, labels=list(TIERS)).astype(object)


def reliability(p_over: NDArray[np.float64], over: NDArray[np.bool_], bins: int = BINS) -> pd.DataFrame:
    """Forecast probability beside observed share, in bins of equal numbers of rows: `n`, `forecast`, `observed`."""
    if not len(p_over):
        return pd.DataFrame({"n": [], "forecast": [], "observed": []})
    place = np.argsort(np.argsort(p_over, kind="stable")) * bins // len(p_over)
    frame = pd.DataFrame({"bin": place, "forecast": p_over, "observed": over.astype(float)})
    return frame.groupby("bin").agg(
        n=("forecast", "size"), forecast=("forecast", "mean"), observed=("observed", "mean")
    )


def calibration_error(p_over: NDArray[np.float64], over: NDArray[np.bool_]) -> float:
    """Expected calibration error: mean distance of forecast and observed share over the bins, weighted by rows."""
    table = reliability(p_over, over)
    return (
        float(np.average((table["forecast"] - table["observed"]).abs(), weights=table["n"])) if len(table) else np.nan
    )


def log_loss(p_over: NDArray[np.float64], over: NDArray[np.bool_]) -> float:
    """Mean of -ln(probability of what happened): a coin has 0.6931. NaN without rows, infinite where the impossible happened."""
    if not len(p_over):
        return np.nan
    with np.errstate(divide="ignore"):
        return float(-np.log(np.where(over, p_over, 1 - p_over)).mean())


def brier(p_over: NDArray[np.float64], over: NDArray[np.bool_]) -> float:
    """Mean squared distance of the probability from what happened: a coin has 0.25. NaN without rows."""
    return float(((p_over - over) ** 2).mean()) if len(p_over) else np.nan


def hit_rate(wins: int, losses: int) -> Estimate:
    """Share of decided bets that won, with its Wilson 95 % interval."""
    n = wins + losses
    if not n:
        return Estimate.unknown()
    z, p = 1.959964, wins / n
    middle, spread = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Estimate(p, (middle - spread) / (1 + z * z / n), (middle + spread) / (1 + z * z / n))
