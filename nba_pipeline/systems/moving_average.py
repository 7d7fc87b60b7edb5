"""`moving_average`: recent form, moved a little by fatigue, matchup, pace, usage and venue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nba_pipeline.domain.markets import POINTS
from nba_pipeline.systems.distribution import spread
from nba_pipeline.systems.protocol import Floats, Forecast, why_not

if TYPE_CHECKING:
    import pandas as pd

FORM_WEIGHTS = {"last_5": 0.50, "last_10": 0.30, "season_average": 0.20}
MINIMUM_GAMES = 10
FULLY_FRESH = 100.0

# Points per unit of each factor. The signs are what the factors mean: fresher, a weaker defence, a faster game, more usage
# and the home floor never lower the forecast.
FATIGUE_WEIGHT = 0.01
MISMATCH_WEIGHT = 0.05
PACE_WEIGHT = 0.15
USAGE_WEIGHT = 0.20
HOME_EDGE = 0.15


class MovingAverage:
    """0.5·last 5 + 0.3·last 10 + 0.2·season, plus adjustments; a factor that is unknown adjusts nothing."""

    system_id = "moving_average"
    version = "4"

    def predict(self, rows: pd.DataFrame, market: str) -> Forecast:
        """Forecasts need ten games this season; adjustments use what is known of the game.

        Adjustments are points; in another market they count in proportion to what the player makes of it beside his points.
        """

        def known(name: str) -> Floats:
            return rows[name].to_numpy(dtype=float)

        enough = known("games") >= MINIMUM_GAMES
        form = sum((w * known(c) for c, w in FORM_WEIGHTS.items()), start=np.zeros(len(rows)))
        adjustments: dict[str, Floats] = {
            "fatigue": FATIGUE_WEIGHT * (known("fatigue_score") - FULLY_FRESH),
            "shot_zone_mismatch": MISMATCH_WEIGHT * known("shot_zone_mismatch_score"),
            "pace": PACE_WEIGHT * known("pace_score"),
            "usage": USAGE_WEIGHT * known("usage_spike_score"),
            "venue": HOME_EDGE * (2 * known("home_away") - 1),
        }
        if market != POINTS.name:
            points = known("points_avg_season")
            share = known("season_average") / np.where(points > 0, points, np.nan)
            adjustments = {n: v * share for n, v in adjustments.items()}
        components = {"form": np.where(enough, form, np.nan), **adjustments}
        adjusted = components["form"] + sum(np.nan_to_num(v) for n, v in components.items() if n != "form")
        mean = np.maximum(adjusted, 0)
        reason = why_not(mean, enough, MINIMUM_GAMES, "form")
        return Forecast(mean, spread(mean, known("std_last_10")), reason, components)
