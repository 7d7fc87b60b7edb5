"""Results of the recorded calls: returns and closing line value by lead time, value, book, tier and month."""

from collections.abc import Mapping, Sequence
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


def call_results(calls: pd.DataFrame, season_average: pd.Series, snapshots: Sequence[str]) -> pd.DataFrame:
    """Summarize graded calls, all together and by each property; a player's snapshots are bets of their own.

    Returns and closing line values are those of priced calls, with intervals by game day; groups of fewer than `FEWEST_SHOWN`
    have their counts and nothing else.

    Args:
        calls: Rows of nba_predictions.call_grades with `COLUMNS`.
        season_average: The player's mean before the game, in the order of `calls`; missing where it is not known.
        snapshots: The snapshots in the order of the day.

    Returns:
        One row per property (`by`) and its value (`group`).
    """
    if calls.empty:
        return pd.DataFrame(columns=["by", "group", "calls"])
    properties: Mapping[str, pd.Series] = {
        ALL: pd.Series(ALL, index=calls.index),
        "snapshot": calls["snapshot"].astype(pd.CategoricalDtype(list(snapshots), ordered=True)),
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
        **(hit_rate(wins, losses) if wins + losses >= FEWEST_SHOWN else Estimate.unknown()).named("hit_rate"),
        "priced": len(priced),
        "claimed": float(priced["expected_value"].mean()) if len(priced) >= FEWEST_SHOWN else np.nan,
        **_mean(priced, "profit").named("roi"),
        "closed": len(closed),
        **_mean(closed, "closing_value").named("closing_value"),
        **_mean(moved, "closing_value_points").named("closing_value_points"),
    }


def _mean(rows: pd.DataFrame, column: str) -> Estimate:
    if len(rows) < FEWEST_SHOWN:
        return Estimate.unknown()
    return DayBootstrap(rows["game_date"].to_numpy()).mean(rows[column].to_numpy(dtype=float))


def _band(bounds: Any) -> str:
    if np.isinf(bounds.right):
        return f"{bounds.left:.0%} and more"
    return "below 0" if bounds.left < 0 else f"{bounds.left:.0%} to {bounds.right:.0%}"
