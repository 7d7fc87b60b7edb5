"""Results of the recorded calls: returns and closing line value by lead time, value, book, tier and month."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from nba_pipeline.evaluation.bootstrap import DayBootstrap, Estimate
from nba_pipeline.evaluation.metrics import FEWEST_SHOWN, hit_rate, tier

COLUMNS = (
    *("game_date", "player_id", "market", "snapshot", "season", "season_type", "side", "bookmaker", "odds"),
    *("expected_value", "backfilled", "outcome", "profit", "closing_value_points", "closing_value"),
)
ALL = "all"

# Bounds of claimed values, in units of the stake.
VALUE_BANDS = (-1.0, 0.0, 0.02, 0.04, 0.08, np.inf)
SNAPSHOT_ORDER = ["morning", "t60", "t25", "close"]


def call_results(calls: pd.DataFrame, season_average: pd.Series) -> pd.DataFrame:
    """Summarize graded calls, all together and by each property; a player's snapshots are bets of their own.

    Returns and closing line values are those of priced calls, with intervals by game day; groups of fewer than `FEWEST_SHOWN`
    have their counts and nothing else.

    Args:
        calls: Rows of nba_predictions.call_grades with `COLUMNS`.
        season_average: The player's mean before the game, in the order of `calls`; missing where it is not known.

    Returns:
        One row per property (`by`) and its value (`group`).
    """
    if calls.empty:
        return pd.DataFrame(columns=["by", "group", "calls"])
    properties: Mapping[str, pd.Series] = {
        ALL: pd.Series(ALL, index=calls.index),
        "snapshot": calls["snapshot"].astype(pd.CategoricalDtype(SNAPSHOT_ORDER, ordered=True)),
        "value": pd.cut(calls["expected_value"].astype(float), list(VALUE_BANDS), right=False).map(
            _band, na_action="ignore"
        ),
        "book": calls["bookmaker"],
        "tier": tier(season_average),
        "month": pd.to_datetime(calls["game_date"]).dt.strftime("%Y-%m"),
    }
    return pd.DataFrame(
        [
            {"by": name, "group": str(group), **_summary(rows)}
            for name, values in properties.items()
            for group, rows in calls.groupby(values, observed=True)
        ]
    )


def _summary(rows: pd.DataFrame) -> dict[str, Any]:
    wins, losses = int((rows["outcome"] == "win").sum()), int((rows["outcome"] == "loss").sum())
    priced = rows[rows["profit"].notna()]
    closed = rows[rows["closing_value"].notna()]
    moved = rows[rows["closing_value_points"].notna()]
    return {
        "calls": len(rows),
        "without_price": int(rows["odds"].isna().sum()),
        "backfilled": int(rows["backfilled"].sum()),
        "decided": wins + losses,
        **_flat("hit_rate", hit_rate(wins, losses) if wins + losses >= FEWEST_SHOWN else None),
        "priced": len(priced),
        "claimed": float(priced["expected_value"].mean()) if len(priced) >= FEWEST_SHOWN else np.nan,
        **_flat("roi", _mean(priced, "profit")),
        "closed": len(closed),
        **_flat("closing_value", _mean(closed, "closing_value")),
        **_flat("closing_value_points", _mean(moved, "closing_value_points")),
    }


def _mean(rows: pd.DataFrame, column: str) -> Estimate | None:
    if len(rows) < FEWEST_SHOWN:
        return None
    return DayBootstrap(rows["game_date"].to_numpy()).mean(rows[column].to_numpy(dtype=float))


def _flat(name: str, estimate: Estimate | None) -> dict[str, float]:
    values = asdict(estimate or Estimate(np.nan, np.nan, np.nan))
    return {name: values["value"], f"{name}_low": values["low"], f"{name}_high": values["high"]}


def _band(bounds: Any) -> str:
    if np.isinf(bounds.right):
        return f"{bounds.left:.0%} and more"
    return "below 0" if bounds.left < 0 else f"{bounds.left:.0%} to {bounds.right:.0%}"
