"""Compute the season calendar. Published seasons obey the same rules, so later seasons follow from them.

Opening night is a Tuesday; the last regular day is the Sunday 173 days later; the all-star break begins on the Friday
before the third Sunday of February; play-in on the Tuesday, Wednesday and Friday after the last day; play-offs from
the Saturday; the Finals begin 226 days after opening night.
"""

from dataclasses import dataclass
from datetime import date, timedelta

PUBLISHED_OPENINGS = {
    2021: date(2021, 10, 19),
    2022: date(2022, 10, 18),
    2023: date(2023, 10, 24),
    2024: date(2024, 10, 22),
    2025: date(2025, 10, 21),
}
FIRST_CUP_YEAR = 2023
REGULAR_SPAN_DAYS = 173
# Days after the start of a series on which its seven games are played, by round. Rounds start that many days after
# round one.
SERIES_OFFSETS = {
    1: (0, 2, 5, 7, 10, 12, 14),
    2: (0, 2, 4, 6, 8, 11, 13),
    3: (0, 2, 4, 6, 8, 10, 12),
    4: (0, 3, 6, 8, 11, 14, 17),
}
ROUND_STARTS = {1: 0, 2: 16, 3: 31, 4: 47}


def nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    """Return the n-th (1-based) weekday (Monday = 0) of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


@dataclass(frozen=True)
class SeasonCalendar:
    """Dates of one season, named by the calendar year of opening night."""

    year: int
    opening: date
    all_star: tuple[date, ...]
    trade_deadline: date
    regular_end: date
    playoffs_start: date
    cup_semifinals: date | None
    cup_final: date | None
    empty_days: frozenset[date]

    @property
    def season(self) -> str:
        """Name of the season, such as `2024-25`."""
        return f"{self.year}-{(self.year + 1) % 100:02d}"

    @property
    def open_days(self) -> list[date]:
        """List the days on which regular games can be played, in order."""
        days = [self.opening + timedelta(days=i) for i in range(REGULAR_SPAN_DAYS + 1)]
        return [day for day in days if day not in self.empty_days]

    def day_index(self, day: date) -> int:
        """Count the days since opening night."""
        return (day - self.opening).days

    def play_in(self) -> tuple[date, date, date]:
        """Return the three days of the play-in."""
        first, second, third = (self.regular_end + timedelta(days=n) for n in (2, 3, 5))
        return first, second, third

    def series_days(self, playoff_round: int, late_start: bool) -> list[date]:
        """List the dates of the seven games of a series; half of the series of rounds 1-3 start a day later."""
        shift = ROUND_STARTS[playoff_round] + (1 if late_start and playoff_round < 4 else 0)
        return [self.playoffs_start + timedelta(days=shift + offset) for offset in SERIES_OFFSETS[playoff_round]]


def opening_year(season: str) -> int:
    """Parse a season name (`2024-25` -> 2024); raise ValueError for any other form."""
    year = int(season[:4]) if season[:4].isdigit() else 0
    if year < 2017 or season != f"{year}-{(year + 1) % 100:02d}":
        raise ValueError(f"season must look like 2024-25 and start in 2017 or later, got {season!r}")
    return year


def season_calendar(year: int) -> SeasonCalendar:
    """Compute the calendar of the season that opens in `year`."""
    opening = PUBLISHED_OPENINGS.get(year, nth_weekday(year, 10, 1, 1))
    while opening < date(year, 10, 18):
        opening += timedelta(days=7)
    end = opening + timedelta(days=REGULAR_SPAN_DAYS)
    break_start = nth_weekday(year + 1, 2, 6, 3) - timedelta(days=2)
    break_days = 5 if year == 2024 else 6
    all_star = tuple(break_start + timedelta(days=i) for i in range(break_days))
    semifinals = final = None
    if year >= FIRST_CUP_YEAR:
        semifinals = date(2023, 12, 7) if year == FIRST_CUP_YEAR else nth_weekday(year, 12, 5, 2)
        final = date(2023, 12, 9) if year == FIRST_CUP_YEAR else semifinals + timedelta(days=3)
    empty = {
        *all_star,
        nth_weekday(year, 11, 3, 4),
        date(year, 12, 24),
        end - timedelta(days=6),
        end - timedelta(days=1),
    }
    if year % 2 == 0:  # election day
        empty.add(nth_weekday(year, 11, 0, 1) + timedelta(days=1))
    if final is not None:
        empty.add(final)
    deadline = break_start - timedelta(days=8)
    return SeasonCalendar(
        year, opening, all_star, deadline, end, end + timedelta(days=6), semifinals, final, frozenset(empty)
    )
