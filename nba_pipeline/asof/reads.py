"""Reads: the days of a table that a computation may use, relative to the day it computes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.calendar import first_day, reading_bound, training_day, training_quarter

if TYPE_CHECKING:
    import pandas as pd

# How long after a game its results are corrected.
CORRECTED_FOR = timedelta(hours=72)


@dataclass(frozen=True)
class Read:
    """The days of a table that a computation needs, and the columns it may use.

    `kind`: `same_day` reads the target days themselves; `before` a fixed number of days before each; `season` everything
    since the season began, excluding the day; `month` the training day of the day's month; `training` what each training day
    learns from (`learned_from`), and nothing for other days; `kept` the rows of the computed table itself on the
    target days, if any.
    """

    table: Table
    kind: Literal["same_day", "before", "season", "month", "training", "kept"]
    days_back: int = 0
    visible: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a computation may use: all, unless `visible` lists some."""
        return self.visible or tuple(self.table.columns)

    def first_needed(self, day: date) -> date:
        """Return the first day needed for this one; later than the last if none is needed."""
        if self.kind in ("same_day", "kept") or (self.kind == "training" and day != training_day(day)):
            return day
        if self.kind == "month":
            return training_day(day)
        if self.kind == "training":
            return max(learned_from(day, self.days_back), first_day())
        first = reading_bound(day) if self.kind == "season" else day - timedelta(days=self.days_back)
        return max(first, first_day())

    def last_needed(self, day: date) -> date:
        if self.kind in ("same_day", "kept"):
            return day
        return training_day(day) if self.kind == "month" else day - timedelta(days=1)

    def needed(self, days: Sequence[date]) -> tuple[date, date]:
        """Return the first and last day needed for any of the days; first is later than last if none is needed."""
        spans = [(self.first_needed(d), self.last_needed(d)) for d in days]
        nonempty = [(first, last) for first, last in spans if first <= last] or spans[:1]
        return min(first for first, _ in nonempty), max(last for _, last in nonempty)

    @property
    def window_text(self) -> str:
        return {
            "same_day": "the day itself",
            "before": f"the {self.days_back} days before the day",
            "season": "the season up to the day before",
            "month": "the first day of the day's month",
            "training": f"on the first of a month, from {self.days_back} days before the quarter of the month before",
            "kept": "its own rows of the day",
        }[self.kind]


def same_day(table: Table, *, visible: tuple[str, ...] = ()) -> Read:
    """Read rows of the day itself: other tables' results for the day, or facts that grading compares with.

    `visible` limits the columns, for example to those of the schedule that are known before tip-off.
    """
    return Read(table, "same_day", visible=visible)


def before(table: Table, days: int) -> Read:
    """Read rows of the `days` calendar days that end the day before."""
    return Read(table, "before", days)


def season_to_date(table: Table) -> Read:
    """Read rows since the season began, up to the day before."""
    return Read(table, "season")


def of_the_month(table: Table) -> Read:
    """Read rows of the training day of the day's month: models trained on it serve the month."""
    return Read(table, "month")


def kept(table: Table) -> Read:
    """Read the rows that the computed table already has for the day; none are required."""
    return Read(table, "kept")


def before_training(table: Table, days: int) -> Read:
    """Read rows that the models of a training day learn from, and those that they go on from, each from `days` days."""
    return Read(table, "training", days)


def learned_from(trained_on: date, days: int) -> date:
    """Return the first day that the models of a training day learn from, or models that they go on from.

    Args:
        trained_on: The training day.
        days: What each learns from: so many days before its training day. The oldest is trained where the quarter of the month
            before begins.
    """
    return training_quarter(training_day(trained_on - timedelta(days=1))) - timedelta(days=days)


def training_window(game_date: "pd.Series", trained_on: date, days: int) -> "pd.Series":
    """Return true for the rows that a model of that training day may use: the `days` days that end the day before."""
    import pandas as pd  # deferred: takes most of a second to load, and only training needs it

    day = game_date.astype("datetime64[ns]")
    return (day < pd.Timestamp(trained_on)) & (day >= pd.Timestamp(trained_on - timedelta(days=days)))
