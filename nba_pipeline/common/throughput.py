"""How far long work is: done, failed, remaining, the rate of the last minutes, and the time that is left at that rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=10)


@dataclass(frozen=True)
class Pace:
    """Work in units (table-days: one table, one day). `ended` lists when how many units ended, well or not, in order of time."""

    total: int
    done: int
    failed: int
    began: datetime
    now: datetime
    ended: Sequence[tuple[datetime, int]] = ()

    @property
    def remaining(self) -> int:
        return max(self.total - self.done - self.failed, 0)

    @property
    def per_hour(self) -> float | None:
        """Units an hour over the last ten minutes; over the whole time where it is shorter or nothing ended in them.

        None before anything ended.
        """
        since = max(self.began, self.now - WINDOW)
        recent = sum(n for at, n in self.ended if at > since)
        if recent:
            return hourly(recent, self.now - since)
        return hourly(self.done + self.failed, self.now - self.began) if self.done + self.failed else None

    @property
    def left(self) -> timedelta | None:
        """The time that the remaining units take at this rate; None where there is no rate yet."""
        rate = self.per_hour
        return timedelta(hours=self.remaining / rate) if rate else None


def hourly(units: int, elapsed: timedelta) -> float | None:
    """Units an hour; None where no time has passed. 268 in 3 h 12 min are 83.75 an hour."""
    seconds = elapsed.total_seconds()
    return units / seconds * 3600 if seconds > 0 else None


def in_words(left: timedelta) -> str:
    """`45 s`, `12 min`, `7.8 h`."""
    seconds = left.total_seconds()
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def rate_in_words(units: int, seconds: float) -> str:
    """Return a rate in the unit in which it is at least one: `12/s`, `30/min`, `5/h`."""
    if units >= seconds:
        return f"{units / max(seconds, 1e-6):,.0f}/s"
    if units * 60 >= seconds:
        return f"{units / seconds * 60:,.0f}/min"
    return f"{units / seconds * 3600:,.0f}/h"


def counted(units: int, noun: str) -> str:
    """Return a number with its noun: `1 day`, `12 days`."""
    return f"{units:,} {noun}" if units == 1 else f"{units:,} {noun}s"
