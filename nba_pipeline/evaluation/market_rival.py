"""The market without its margin as a rival of the systems: chances of the over at the line, on the same decided rows."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_pipeline.evaluation.bootstrap import DayBootstrap, Estimate
from nba_pipeline.evaluation.metrics import FEWEST_SHOWN, brier, calibration_error, log_loss

MARKET, MARKET_CLOSE = "market_over", "close_over"
RIVALS = {"market": MARKET, "market_close": MARKET_CLOSE}
KEY = ["game_date", "player_id"]

# Bounds of the market's chance of the over: even prices lie in the middle band.
PRICE_BANDS = (0.0, 0.45, 0.48, 0.52, 0.55, 1.0)
LINE_QUARTERS = (0.25, 0.5, 0.75)


def with_market(rows: pd.DataFrame, chances: pd.DataFrame) -> pd.DataFrame:
    """Add the market's chance of the over to graded rows with a line.

    Args:
        rows: Rows of `leaderboard.RowSet.select`.
        chances: One row per day and player: `market_over`, the mean probability without margin of the books that quoted the
            line when the forecast was made, and `close_over`, the same at the close where books still quoted that line.

    Returns:
        The decided rows on which the market has a chance, with `chance` (the system's, a push aside) and `over`.
    """
    decided = rows[rows["line"].notna() & (rows["line"] != rows["actual_value"])]
    joined = decided.merge(chances, on=KEY, how="inner")
    chance = joined["p_over"] / (1 - joined["p_push"])
    joined = joined.assign(chance=chance.astype(float), over=joined["actual_value"] > joined["line"])
    return joined[joined["chance"].notna() & joined[MARKET].notna()].reset_index(drop=True)


def market_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Score the chances of every system beside the market's on the same rows, best first.

    `vs_market` is the difference of log-loss to the market at the time of the forecast, `vs_close` to the market at the close,
    each with its interval by game day and its own N; negative: better than the market.

    Args:
        rows: Rows of `with_market`.
    """
    if rows.empty:
        return pd.DataFrame(columns=["system_id", "n"])
    groups = {str(name): r for name, r in rows.groupby("system_id")}
    first = next(iter(groups.values()))
    board = [_scores(name, r, r["chance"]) for name, r in groups.items()]
    board += [_scores(name, r, r[c]) for name, c in RIVALS.items() if len(r := first[first[c].notna()])]
    return pd.DataFrame(board).sort_values("log_loss", ignore_index=True)


def _scores(name: str, rows: pd.DataFrame, chances: pd.Series) -> dict[str, Any]:
    chance, over = chances.to_numpy(dtype=float), rows["over"].to_numpy(dtype=bool)
    close = rows[MARKET_CLOSE].notna().to_numpy()
    return {
        "system_id": name,
        "n": len(rows),
        "log_loss": log_loss(chance, over),
        "brier": brier(chance, over),
        "calibration_error": calibration_error(chance, over),
        **_difference(rows, chance, MARKET).named("vs_market"),
        "n_close": int(close.sum()),
        **_difference(rows[close], chance[close], MARKET_CLOSE).named("vs_close"),
    }


def _difference(rows: pd.DataFrame, chance: NDArray[np.float64], rival: str) -> Estimate:
    over = rows["over"].to_numpy(dtype=bool)
    losses = _losses(chance, over) - _losses(rows[rival].to_numpy(dtype=float), over)
    return DayBootstrap(rows["game_date"].to_numpy()).mean(losses)


def _losses(chance: NDArray[np.float64], over: NDArray[np.bool_]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return -np.log(np.where(over, chance, 1 - chance))


def calibration_by(rows: pd.DataFrame) -> pd.DataFrame:
    """Compare forecast, market and outcome by quarter of the line and by band of the market's price, for every system.

    Buckets of fewer than `FEWEST_SHOWN` rows have their N and nothing else.

    Args:
        rows: Rows of `with_market`.
    """
    found = []
    for name, r in rows.groupby("system_id"):
        for kind, bucket in (("line", _line_bucket(r["line"])), ("price", _price_bucket(r[MARKET]))):
            found += [
                {"system_id": name, "by": kind, "bucket": str(label), **_bucket(inside)}
                for label, inside in r.groupby(bucket, observed=True)
            ]
    return pd.DataFrame(found, columns=None if found else ["system_id", "by", "bucket", "n"])


def _bucket(rows: pd.DataFrame) -> dict[str, Any]:
    enough = len(rows) >= FEWEST_SHOWN
    observed = DayBootstrap(rows["game_date"].to_numpy()).mean(rows["over"].to_numpy(dtype=float))
    return {
        "n": len(rows),
        "forecast": float(rows["chance"].mean()) if enough else np.nan,
        "market": float(rows[MARKET].mean()) if enough else np.nan,
        **(observed if enough else Estimate.unknown()).named("observed"),
    }


def _line_bucket(line: pd.Series) -> pd.Series:
    bounds = np.unique(line.astype(float).quantile(list(LINE_QUARTERS)))
    return pd.cut(line.astype(float), [-np.inf, *bounds, np.inf]).map(lambda i: _interval(i, "g"))


def _price_bucket(chance: pd.Series) -> pd.Series:
    return pd.cut(chance.astype(float), list(PRICE_BANDS), include_lowest=True).map(lambda i: _interval(i, ".0%"))


def _interval(bounds: Any, form: str) -> str:
    if np.isinf(bounds.left):
        return f"up to {bounds.right:{form}}"
    if np.isinf(bounds.right):
        return f"above {bounds.left:{form}}"
    return f"{max(bounds.left, 0):{form}} to {bounds.right:{form}}"
