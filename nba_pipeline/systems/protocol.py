"""What a prediction system is: a pure function from what is known before the game to a forecast distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Forecast:
    """Forecasts of n rows, in the order of the input.

    `mean` and `sd` are NaN where the system makes no forecast; `reason` says why there, and is empty elsewhere.
    `components` are the terms that add up to the mean, by name; a term that is unknown is NaN and counts as nothing.
    `over_shift` and `over_slope` are how far its law's probability of an over holds, as its errors have taught
    (`calibration.Confidence`): the law's own word where nothing was learned.
    """

    mean: Floats
    sd: Floats
    reason: NDArray[np.object_]
    components: Mapping[str, Floats] = field(default_factory=dict)
    over_shift: float = 0.0
    over_slope: float = 1.0


class System(Protocol):
    """A prediction system. `system_id` names its rows, `version` changes whenever its numbers may change."""

    @property
    def system_id(self) -> str: ...

    @property
    def version(self) -> str: ...

    def predict(self, rows: pd.DataFrame, market: str) -> Forecast:
        """Forecast the market's statistic for each row.

        Columns of `rows`: the player's form in the market before the day (`games`, `last_5`, `last_10`,
        `season_average`, `ewma`, `std_last_10`) and the features of the feature store under their own names. A value
        that is not known is NaN. Deterministic: no clock, no randomness, no state.
        """
        ...


def why_not(mean: Floats, enough: NDArray[np.bool_], games: int, needed: str) -> NDArray[np.object_]:
    """The reason of each row without a forecast: too few games, or something else that the forecast needs."""
    unknown = np.where(enough, f"{needed} is not known", f"needs {games} games this season")
    return np.where(np.isnan(mean), unknown, "").astype(object)
