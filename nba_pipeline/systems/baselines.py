"""The baselines that every system is held against: plain averages of the player's past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nba_pipeline.systems.distribution import spread
from nba_pipeline.systems.protocol import Forecast, why_not

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Baseline:
    """Forecasts one column of the player's form. `needs` is the number of games this season that the column takes."""

    system_id: str
    column: str
    needs: int
    version: str = "2"

    def predict(self, rows: pd.DataFrame, market: str) -> Forecast:
        """The column itself, with the common spread; no forecast before the player has enough games."""
        del market  # the form in `rows` is the market's
        enough = rows["games"].to_numpy(dtype=float) >= self.needs
        mean = np.where(enough, rows[self.column].to_numpy(dtype=float), np.nan)
        reason = why_not(mean, enough, self.needs, self.column)
        return Forecast(mean, spread(mean, rows["std_last_10"].to_numpy(dtype=float)), reason, {self.column: mean})


LAST_5 = Baseline("last_5", "last_5", 5)
LAST_10 = Baseline("last_10", "last_10", 10)
SEASON_AVERAGE = Baseline("season_average", "season_average", 3)
EWMA = Baseline("ewma", "ewma", 3)
