"""The season calendar: partitions, game types by game id, season labels and ranges of days."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from nba_pipeline.common import clock
from nba_pipeline.common.errors import ConfigurationError

# The first day that any home may have, and the first day of a home that sets no other.
EPOCH = date(2021, 10, 19)
BOOTSTRAP_DAYS = 14


@dataclass
class _Bounds:
    """The days that tables have: `last` is None where they go on until today."""

    first: date = EPOCH
    last: date | None = None


_bounds = _Bounds()


def set_days(first: date, last: date | None) -> None:
    """Set the first and last day of all tables of this process; called where the settings are read.

    Args:
        first: The first day.
        last: The last day; None for today.
    """
    _bounds.first, _bounds.last = first, last


def first_day() -> date:
    """Return the first day that has a partition."""
    return _bounds.first


# The kind of a game by the first three digits of its id; the date never determines it.
SEASON_TYPES = {
    "001": "Preseason",
    "002": "Regular Season",
    "003": "All-Star",
    "004": "Playoffs",
    "005": "PlayIn",
    "006": "NBA Cup Final",
}
COUNTABLE_PREFIXES = ("002", "004", "005", "006")
GAME_ID = r"^00[1-6][0-9]{7}$"


def season_of_game(game_id: str) -> str:
    """Return the season label of a game id: `0022300634` -> `2023-24`."""
    year = 2000 + int(game_id[3:5])
    return f"{year}-{(year + 1) % 100:02d}"


def is_season(text: str) -> bool:
    """Return whether a text is the label of a season, such as `2023-24`."""
    found = re.fullmatch(r"(\d{4})-(\d{2})", text)
    return found is not None and int(found[2]) == (int(found[1]) + 1) % 100


def reading_bound(day: date) -> date:
    """Return a day before the first game of the season of `day`: 1 August at or before it.

    It only bounds how far back to read; the season of a game follows from its id.
    """
    return date(day.year if day.month >= 8 else day.year - 1, 8, 1)


def season_of(day: date) -> str:
    """Return the season of a day, such as 2024-25; seasons begin on 1 August."""
    year = reading_bound(day).year
    return f"{year}-{(year + 1) % 100:02d}"


def season_days(days: Iterable[date]) -> list[date]:
    """All days, from 1 August to 31 July, of the seasons that these days belong to."""
    firsts = sorted({reading_bound(d) for d in days})
    return [d for first in firsts for d in days_between(first, first.replace(year=first.year + 1) - timedelta(days=1))]


def training_day(day: date) -> date:
    """Return the day on which the models for `day` are trained: the first of its month, or the first partition."""
    return max(day.replace(day=1), first_day())


def training_quarter(day: date) -> date:
    """Return the first day of the quarter, from February, May, August or November on, that a day is in.

    Trainings of a quarter go on from one another. A quarter begins in August, the first month without games, so that what is
    read for October does not reach into the season before the last.
    """
    month = (day.month - 2) // 3 * 3 + 2
    return date(day.year, month, 1) if month > 0 else date(day.year - 1, 11, 1)


def latest_day() -> date:
    """Return the last day that has a partition: today, Eastern, in a home that does not end earlier."""
    return min(_bounds.last or date.max, clock.today())


def check_range(start: date, end: date, today: date) -> None:
    """Reject a range of days that no table has.

    Args:
        start: First day.
        end: Last day, inclusive.
        today: The last day that has a partition.

    Raises:
        ConfigurationError: The days are in the wrong order, before the first partition or in the future.
    """
    first, last = (f"{start}", f"{end}") if start == end else (f"START {start}", f"END {end}")
    if start > end:
        raise ConfigurationError(f"START {start} is after END {end}", f"give the earlier day first: {end} {start}")
    if start < first_day():
        raise ConfigurationError(f"{first} is before the first partition", f"start at {first_day()} or later")
    if end > today:
        raise ConfigurationError(f"{last} is in the future", f"end at {today} (today, Eastern) or earlier")


def days_between(start: date, end: date) -> list[date]:
    """Return all calendar days from start to end, both inclusive."""
    return [start + timedelta(days=i) for i in range((end - start).days + 1)]


def last_asked(start: date, end: date | None, last_run: date | None) -> date:
    """Return the last day of a range; START alone stands for the days from it to the last that was run, itself at least.

    Args:
        start: The first day.
        end: The last day, where it was given.
        last_run: The last day that was ever run; None where nothing was.
    """
    return end or max(start, last_run or start)


def ranges(days: Iterable[date]) -> list[tuple[date, date]]:
    """Return consecutive days as (first, last) pairs."""
    folded: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if folded and day - folded[-1][1] == timedelta(days=1):
            folded[-1] = (folded[-1][0], day)
        else:
            folded.append((day, day))
    return folded


def describe_days(days: Sequence[date], at_most: int = 6) -> str:
    """Describe days in errors and reports: `2024-01-01..2024-01-05, 2024-01-09 and 3 more ranges (12 days)`."""
    folded = ranges(days)
    shown = [f"{a}" if a == b else f"{a}..{b}" for a, b in folded[:at_most]]
    rest = len(folded) - at_most
    more = f" and {rest} more range{'s' if rest > 1 else ''}" if rest > 0 else ""
    return f"{', '.join(shown)}{more} ({len(set(days))} day{'s' if len(set(days)) != 1 else ''})"
