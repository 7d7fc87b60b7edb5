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
class Quotes:
    """What the market says of n rows before the game, NaN where it says nothing.

    `line` is the consensus line; `market_over` the mean of the books' probabilities of the over without margin, each at its
    book's line (NaN where no book gives a price), and `market_line` the mean of these lines, of all books' where none does.
    """

    line: Floats
    market_line: Floats
    market_over: Floats

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Quotes:
        """Read the columns `line`, `market_line` and `market_over`."""
        return cls(*(rows[c].to_numpy(dtype=float) for c in ("line", "market_line", "market_over")))

    def take(self, use: NDArray[np.bool_]) -> Quotes:
        """Select rows."""
        return Quotes(self.line[use], self.market_line[use], self.market_over[use])


@dataclass(frozen=True)
class Forecast:
    """Forecasts of n rows, in the order of the input.

    `mean`, `sd` and `skewness` give the law of each row (`distribution.Law`), NaN where the system makes no forecast; `reason`
    says why there, and is empty elsewhere. A rule leaves `skewness` out: calibration adds it. `components` are the terms that
    add up to the mean, by name; a term that is unknown is NaN and counts as nothing. `calibration_rows` is the number of past
    rows that the probability at a line was calibrated on, of each row or one for all; 0: nothing was learned of such rows yet.
    """

    mean: Floats
    sd: Floats
    reason: NDArray[np.object_]
    components: Mapping[str, Floats] = field(default_factory=dict)
    skewness: Floats = field(default_factory=lambda: np.empty(0))
    calibration_rows: NDArray[np.int64] | int = 0


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
    without = np.isnan(mean)
    reasons = np.full(len(mean), "", dtype=object)
    reasons[without & enough] = f"{needed} is not known"
    reasons[without & ~enough] = f"needs {games} games this season"
    return reasons
