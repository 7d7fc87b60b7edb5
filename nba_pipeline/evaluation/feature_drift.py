"""Drift per feature: the values of late against those of the days that the models in force were trained on.

A feature drifts where it is unknown far more or less often than in training, as where a feed went silent, or where its mean moved
by more than an ordinary season moves it. Rows are of listed players with ten earlier games of the season, and the recent ones are
not of the play-offs: first games and play-offs differ from the rest of a season every year.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from nba_pipeline import asof
from nba_pipeline.domain.calendar import training_day
from nba_pipeline.systems.protocol import Floats

RECENT = timedelta(days=30)
EARLIER_GAMES = 10
MINIMUM_RECENT, MINIMUM_TRAINING = 1_000, 3_000
MINIMUM_KNOWN = 300

# Of 4,440 comparisons (40 half months of 2022 to 2025) means moved by 1.10 standard deviations at most. Shares of unknown values
# moved by 0.20 at most, but for seven features whose source lacked shots (2021-22) or starters (2024-25): there by up to 1.
LARGEST_SHIFT = 1.25
LARGEST_CHANGE_OF_UNKNOWN = 0.25

READ = ("game_date", "feature_version", "games_played_season")


@dataclass(frozen=True)
class FeatureDrift:
    """A feature on the training days of the models in force and on the last 30 days.

    `unknown_training` and `unknown_recent` are shares of rows; a mean is None without a known value. `shift` is the move of the
    mean in standard deviations of the training days; None where fewer than 300 values of a side are known, or all of the
    training days are equal.
    """

    feature: str
    rows_training: int
    rows_recent: int
    unknown_training: float
    unknown_recent: float
    mean_training: float | None
    mean_recent: float | None
    shift: float | None

    @property
    def drifts(self) -> bool:
        """Whether the change is beyond what an ordinary season brings."""
        return self.changed_unknown or abs(self.shift or 0.0) > LARGEST_SHIFT

    @property
    def changed_unknown(self) -> bool:
        """Whether it is unknown far more or less often."""
        return abs(self.unknown_recent - self.unknown_training) > LARGEST_CHANGE_OF_UNKNOWN

    def __str__(self) -> str:
        since = f"in the last {RECENT.days} days"
        if self.changed_unknown:
            of_rows = f"{self.unknown_recent:.0%} of {self.rows_recent:,} rows"
            return f"unknown in {of_rows} {since}, {self.unknown_training:.0%} in training"
        moved = "cannot be compared" if self.shift is None else f"moved by {self.shift:+.2f} standard deviations"
        return f"its mean {moved} {since}"


def days_of(last: date, training_days: int) -> tuple[date, date]:
    """Return the first and last day of the rows that `feature_drift` compares.

    Args:
        last: The last of the recent days.
        training_days: Days before a training day that models are trained on.
    """
    return training_day(last) - timedelta(days=training_days), last


def feature_drift(features: pd.DataFrame, names: Sequence[str], last: date, training_days: int) -> list[FeatureDrift]:
    """Compare each feature on the last 30 days with the earlier training days of the models in force.

    Args:
        features: Rows of the feature store with `game_date`, `games_played_season` and the features.
        names: The features, with `playoff_game` among them.
        last: The last of the 30 days.
        training_days: Days before a training day that models are trained on.

    Returns:
        One entry per feature, in the order of `names`; none where the rows of a side are too few.
    """
    seasoned = features[features["games_played_season"] >= EARLIER_GAMES]
    day = pd.to_datetime(seasoned["game_date"])
    late = (day > pd.Timestamp(last - RECENT)) & (day <= pd.Timestamp(last))
    recent = seasoned[late & (seasoned["playoff_game"] == 0)]
    training = seasoned[asof.training_window(day, training_day(last), training_days) & ~late]
    if len(recent) < MINIMUM_RECENT or len(training) < MINIMUM_TRAINING:
        return []
    return [_compared(n, *(r[n].to_numpy(dtype=float, na_value=np.nan) for r in (training, recent))) for n in names]


def _compared(name: str, training: Floats, recent: Floats) -> FeatureDrift:
    before, since = training[~np.isnan(training)], recent[~np.isnan(recent)]
    shift = None
    if min(len(before), len(since)) >= MINIMUM_KNOWN and before.std() > 0:
        shift = float((since.mean() - before.mean()) / before.std())
    return FeatureDrift(
        name,
        rows_training=len(training),
        rows_recent=len(recent),
        unknown_training=1 - len(before) / len(training),
        unknown_recent=1 - len(since) / len(recent),
        mean_training=float(before.mean()) if len(before) else None,
        mean_recent=float(since.mean()) if len(since) else None,
        shift=shift,
    )
