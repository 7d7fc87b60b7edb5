"""`zone_matchup_v1`: recent form, moved by what the opponent allows in the zones where the player shoots, and by pace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nba_pipeline.systems.distribution import spread
from nba_pipeline.systems.protocol import Floats, Forecast, why_not

if TYPE_CHECKING:
    import pandas as pd

MINIMUM_GAMES = 5

# The part of each edge that shows in the game: least squares on 2021-22 and 2022-23, players with ten earlier games. What a
# defence allowed in 15 games is half noise. No weight is negative: a defence that allows more never lowers a forecast.
SCORING: Mapping[str, Mapping[str, float]] = {
    "paint": {"paint_volume_edge": 0.40, "paint_accuracy_edge": 0.50},
    "mid_range": {"mid_range_volume_edge": 0.30, "mid_range_accuracy_edge": 0.40},
    "threes": {"three_pt_volume_edge": 0.30, "three_pt_accuracy_edge": 0.45},
    "free_throws": {"free_throw_edge": 0.15},
}
# Edges are in points, and a three is worth three of them.
MADE_THREES: Mapping[str, Mapping[str, float]] = {
    "threes": {"three_pt_volume_edge": 0.50 / 3, "three_pt_accuracy_edge": 0.10 / 3}
}
# Shooting zones say nothing on who rebounds or passes: there only pace and venue move the forecast.
ZONE_WEIGHTS: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "points": SCORING,
    "pra": SCORING,
    "threes": MADE_THREES,
    "rebounds": {},
    "assists": {},
}
PACE_WEIGHT = 0.60
HOME_SHARE = 0.008


@dataclass(frozen=True)
class ZoneMatchup:
    """The market's EWMA plus weighted edges by zone, pace and venue; what is unknown moves nothing."""

    system_id: str = "zone_matchup_v1"
    version: str = "3"

    def predict(self, rows: pd.DataFrame, market: str) -> Forecast:
        """Forecasts need five games this season. Uses `games`, `ewma`, `std_last_10`, `home_away` and the matchup features."""

        def known(name: str) -> Floats:
            return rows[name].to_numpy(dtype=float)

        enough = known("games") >= MINIMUM_GAMES
        form = np.where(enough, known("ewma"), np.nan)
        components = {"form": form}
        for zone, weights in ZONE_WEIGHTS[market].items():
            components[zone] = sum((w * known(f) for f, w in weights.items()), start=np.zeros(len(rows)))
        components["pace"] = PACE_WEIGHT * form * known("pace_edge")
        components["venue"] = HOME_SHARE * form * (2 * known("home_away") - 1)
        moved = form + sum(np.nan_to_num(v) for n, v in components.items() if n != "form")
        mean = np.maximum(moved, 0)
        reason = why_not(mean, enough, MINIMUM_GAMES, "form")
        return Forecast(mean, spread(mean, known("std_last_10")), reason, components)
