"""What is learned from a system's own errors: its level, the spread of outcomes around it, and the law of rows with a line.

All of it is fitted on forecasts of rows that the system was not trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_pipeline.systems.distribution import Law
from nba_pipeline.systems.line_law import LineLaw
from nba_pipeline.systems.protocol import Floats, Quotes
from nba_pipeline.systems.spread import Spread, rounded

RECENT_PULL, RECENT_PRIOR_ROWS = 0.5, 1_000.0


@dataclass(frozen=True)
class Level:
    """`intercept + slope·forecast + season·season average`: the part of the error that can be foreseen."""

    intercept: float = 0.0
    slope: float = 1.0
    season: float = 0.0

    @classmethod
    def of_rule(cls, mean: Floats, season_average: Floats, actual: Floats) -> Level:
        """Least squares: a plain average is too high for who is hot, too low for who is cold, and the more so by tier."""
        known = ~np.isnan(mean) & ~np.isnan(season_average) & ~np.isnan(actual)
        basis = np.column_stack([np.ones(known.sum()), mean[known], season_average[known]])
        return cls(*rounded(np.linalg.lstsq(basis, actual[known], rcond=None)[0]))

    @classmethod
    def of_recent(cls, mean: Floats, actual: Floats, recent: NDArray[np.bool_]) -> Level:
        """A factor: scoring drifts within a season, and a model of the last 400 days lags behind.

        Half of the relative error of the recent rows is taken off, less where they are few: in 2022-23 and 2023-24 half to
        all of it, of 30 to 60 days, improved MAE by 0.002 and 0.007 to 0.012.
        """
        use = recent & ~np.isnan(mean) & ~np.isnan(actual)
        n, total = int(use.sum()), float(mean[use].sum())
        excess = (total - actual[use].sum()) / max(total, 1.0)
        return cls(0.0, rounded([1 - RECENT_PULL * n / (n + RECENT_PRIOR_ROWS) * excess])[0])

    def apply(self, mean: Floats, season_average: Floats) -> Floats:
        """The levelled forecast, at least 0; NaN where the forecast is."""
        moved = self.intercept + self.slope * mean
        return np.maximum(moved + self.season * season_average if self.season else moved, 0)


@dataclass(frozen=True)
class Calibration:
    """Level and spread of a system in a market, and its law of rows with a line; None where none was learned."""

    level: Level
    spread: Spread
    lines: LineLaw | None

    @classmethod
    def fit(
        cls,
        level: Level,
        mean: Floats,
        own_sd: Floats,
        actual: Floats,
        quotes: Quotes | None,
        market: str,
        *,
        knows_prices: bool = False,
    ) -> Calibration:
        """Fit spread and law on forecasts of rows that the system has not seen.

        Args:
            level: Level of the system, already applied to `mean`.
            mean: Forecast means; NaN where there is none.
            own_sd: The player's standard deviation over the last 10 games; NaN where it is unknown.
            actual: Outcomes.
            quotes: The market of each row; None for a system that keeps its raw law beside lines.
            market: The market of all rows.
            knows_prices: True for a system that reads the market's prices.
        """
        spread = Spread.fit(mean, own_sd, actual)
        if quotes is None:
            return cls(level, spread, None)
        raw = Law.raw(mean, spread.sd(mean, own_sd), market)
        return cls(level, spread, LineLaw.fit(raw, quotes, own_sd, actual, knows_prices=knows_prices))

    def law(self, mean: Floats, own_sd: Floats, quotes: Quotes, market: str) -> Law:
        """Return the law of each row, by its levelled mean and its line."""
        raw = Law.raw(mean, self.spread.sd(mean, own_sd), market)
        return self.lines.apply(raw, quotes, own_sd) if self.lines else raw

    def to_dict(self) -> dict[str, Any]:
        """Return the contents as JSON-able values."""
        return {
            "level": asdict(self.level),
            "spread": asdict(self.spread),
            "lines": None if self.lines is None else self.lines.to_dict(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Calibration:
        """Build from the values of `to_dict`."""
        lines = stored["lines"]
        return cls(
            Level(**stored["level"]), Spread(**stored["spread"]), None if lines is None else LineLaw.from_dict(lines)
        )
