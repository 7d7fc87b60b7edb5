"""Reads: which days of a table a computation may see, relative to the day it computes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.calendar import EPOCH, reading_bound, training_day

if TYPE_CHECKING:
    import pandas as pd

# How long after a game its results are corrected.
CORRECTED_FOR = timedelta(hours=72)


@dataclass(frozen=True)
class Read:
    """Days of a table that a computation for some days needs, and what it may see of them.

    `kind`: `same_day` reads the target days themselves; `before` a fixed number of days before each; `season` everything
    since the season began, excluding the day; `month` the training day of the day's month; `training` a fixed number of days
    before each training day, and nothing for other days; `kept` what the computed table itself holds for the target days,
    which may be nothing.
    """

    table: Table
    kind: Literal["same_day", "before", "season", "month", "training", "kept"]
    days_back: int = 0
    visible: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns a computation may see: all, unless fewer are made visible."""
        return self.visible or tuple(self.table.columns)

    def first_needed(self, day: date) -> date:
        """The first day that it needs for this one; later than the last where it needs nothing."""
        if self.kind in ("same_day", "kept") or (self.kind == "training" and day != training_day(day)):
            return day
        if self.kind == "month":
            return training_day(day)
        first = reading_bound(day) if self.kind == "season" else day - timedelta(days=self.days_back)
        return max(first, EPOCH)

    def last_needed(self, day: date) -> date:
        return {"same_day": day, "kept": day, "month": training_day(day)}.get(self.kind, day - timedelta(days=1))

    def needed(self, days: Sequence[date]) -> tuple[date, date]:
        """First and last day that it needs for any of the days; the first is later than the last where it needs none."""
        spans = [(self.first_needed(d), self.last_needed(d)) for d in days]
        some = [(first, last) for first, last in spans if first <= last] or spans[:1]
        return min(first for first, _ in some), max(last for _, last in some)

    @property
    def window_text(self) -> str:
        return {
            "same_day": "the day itself",
            "before": f"the {self.days_back} days before the day",
            "season": "the season up to the day before",
            "month": "the first day of the day's month",
            "training": f"the {self.days_back} days before the first of a month",
            "kept": "its own rows of the day",
        }[self.kind]


def same_day(table: Table, *, visible: tuple[str, ...] = ()) -> Read:
    """Rows of the day itself: other tables' results for the day, or facts that grading compares with.

    `visible` limits what may be seen of them, such as the columns of the schedule that are known before tip-off.
    """
    return Read(table, "same_day", visible=visible)


def before(table: Table, days: int) -> Read:
    """Rows of the `days` calendar days that end the day before."""
    return Read(table, "before", days)


def season_to_date(table: Table) -> Read:
    """Rows since the season began, up to the day before."""
    return Read(table, "season")


def of_the_month(table: Table) -> Read:
    """Rows of the training day of the day's month: what was trained then serves the month."""
    return Read(table, "month")


def kept(table: Table) -> Read:
    """What the table that is computed holds for the day already; nothing is demanded of it."""
    return Read(table, "kept")


def before_training(table: Table, days: int) -> Read:
    """Rows of the `days` calendar days that end the day before a training day."""
    return Read(table, "training", days)


def training_window(game_date: "pd.Series", trained_on: date, days: int) -> "pd.Series":
    """True for the rows that a model of that training day may see: the `days` days that end the day before."""
    import pandas as pd  # deferred: takes most of a second to load, and only training needs it

    day = pd.to_datetime(game_date)
    return (day < pd.Timestamp(trained_on)) & (day >= pd.Timestamp(trained_on - timedelta(days=days)))
