"""`similarity_balanced_v1`: what the player did in similar games of the season, balanced with his recent form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nba_pipeline.systems.distribution import spread
from nba_pipeline.systems.protocol import Floats, Forecast, why_not

if TYPE_CHECKING:
    import pandas as pd

MINIMUM_GAMES = 5

# Recent form counts as much as this many fully similar games: the best of 2, 5, 10, 20, 40 and 80 on 2021-22 and 2022-23.
FORM_GAMES = 20.0


@dataclass(frozen=True)
class SimilarityBalanced:
    """(weight·similar games + 20·EWMA) / (weight + 20): few similar games leave form alone, and none leave it as it is."""

    system_id: str = "similarity_balanced_v1"
    version: str = "3"

    def predict(self, rows: pd.DataFrame, market: str) -> Forecast:
        """Forecasts need five games this season.

        Uses `games`, `ewma`, `std_last_10`, `similar_games_weight` and `similar_<market>`.
        """

        def known(name: str) -> Floats:
            return rows[name].to_numpy(dtype=float)

        enough = known("games") >= MINIMUM_GAMES
        form = np.where(enough, known("ewma"), np.nan)
        weight = known("similar_games_weight")
        moved = (known(f"similar_{market}") - form) * weight / (weight + FORM_GAMES)
        mean = np.maximum(form + np.nan_to_num(moved), 0)
        reason = why_not(mean, enough, MINIMUM_GAMES, "form")
        return Forecast(mean, spread(mean, known("std_last_10")), reason, {"form": form, "similar_games": moved})
