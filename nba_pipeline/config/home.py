"""A home belongs to the source that filled it: invented and real days must not mix."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from nba_pipeline.common import clock
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.common.files import write_atomically
from nba_pipeline.domain.calendar import EPOCH, set_days

FILE = "source.json"


@dataclass(frozen=True)
class Origin:
    """The source that fills a home, and the days of its tables.

    Attributes:
        source: The name of the source.
        seed: The seed of the simulator; None for any other source.
        first_day: The first day.
        last_day: The last day; None where the home goes on until today. It may be moved, and belongs to no comparison.
    """

    source: str
    seed: int | None = None
    first_day: date = EPOCH
    last_day: date | None = field(default=None, compare=False)

    def __str__(self) -> str:
        days = "" if self.first_day == EPOCH else f" from {self.first_day} on"
        return f"{self.source}{days}" if self.seed is None else f"{self.source} with seed {self.seed}{days}"

    @property
    def record(self) -> dict[str, str | int]:
        """The origin as JSON; what is ordinary is left out, so that earlier releases read it."""
        record: dict[str, str | int] = {"source": self.source}
        if self.seed is not None:
            record["seed"] = self.seed
        if self.first_day != EPOCH:
            record["first_day"] = self.first_day.isoformat()
        if self.last_day is not None:
            record["last_day"] = self.last_day.isoformat()
        return record


def recorded_origin(home: Path) -> Origin | None:
    """Return the source that filled the home; None where none is recorded, as in a new home or one of an earlier release.

    Raises:
        ConfigurationError: The record cannot be read.
    """
    path = home / FILE
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        last = record.get("last_day")
        return Origin(
            record["source"],
            record.get("seed"),
            date.fromisoformat(record.get("first_day", EPOCH.isoformat())),
            date.fromisoformat(last) if last else None,
        )
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            f"{path} is not a record of a source", "remove it; the next run writes it anew"
        ) from None


def require_origin(home: Path, origin: Origin) -> None:
    """Refuse a source other than the one that filled the home.

    Raises:
        ConfigurationError: names both sources.
    """
    recorded = recorded_origin(home)
    if recorded is not None and recorded != origin:
        raise ConfigurationError(
            f"the home {home} was filled from {recorded}, and the configured source is {origin}",
            f"set NBA_PIPELINE_SOURCE (and NBA_PIPELINE_SEED, NBA_PIPELINE_FIRST_DAY) back, choose another NBA_PIPELINE_HOME, or "
            f"remove {home / FILE} if this home is to go on from the other one: its days are then to be run again",
        )


def set_days_of(home: Path, given: date | None) -> tuple[date, date | None]:
    """Set the days of the tables of this process to those of the home, and return the first and the last.

    Args:
        home: The home.
        given: The value of NBA_PIPELINE_FIRST_DAY; None where it is not set: the first day that the home records.

    Raises:
        ConfigurationError: The given day is before any data, in the future, or not the day on which the home begins.
    """
    if given is not None and not EPOCH <= given <= clock.today():
        raise ConfigurationError(
            f"NBA_PIPELINE_FIRST_DAY is {given}", f"give a day from {EPOCH} to today, best the 1 August before a season"
        )
    recorded = recorded_origin(home)
    if recorded is not None and given not in (None, recorded.first_day):
        raise ConfigurationError(
            f"NBA_PIPELINE_FIRST_DAY is {given}, and the home {home} begins on {recorded.first_day}",
            f"unset the variable, choose another NBA_PIPELINE_HOME, or remove {home / FILE} if this home is to begin on "
            f"{given}: its days are then to be run again",
        )
    days = (recorded.first_day, recorded.last_day) if recorded is not None else (given or EPOCH, None)
    set_days(*days)
    return days


def record_origin(home: Path, origin: Origin) -> None:
    """Record the source of a home that has none recorded."""
    if recorded_origin(home) is None:
        write_atomically(home / FILE, json.dumps(origin.record).encode())


@contextmanager
def moving_last_day(home: Path, day: date) -> Iterator[None]:
    """Move the last day of a home as `move_last_day` does, and back again where the block fails.

    Where another process moved the day meanwhile, it stays where that one put it.

    Args:
        home: The home.
        day: The day that is to be within the days of the home.
    """
    before = move_last_day(home, day)
    try:
        yield
    except BaseException:
        if before is not None:
            _replace_last_day(home, lambda now: before if now == day else now)
        raise


def move_last_day(home: Path, day: date) -> date | None:
    """Move the last day of a home that has one to this day, if it is later; return the day before, None where none was moved."""
    return _replace_last_day(home, lambda now: max(now, day))


def _replace_last_day(home: Path, following: Callable[[date], date]) -> date | None:
    """Put another day in place of the last day of a home, and return the earlier one; None where nothing changes.

    Args:
        home: The home.
        following: The last day that follows the recorded one.
    """
    recorded = recorded_origin(home)
    if recorded is None or recorded.last_day is None or (last := following(recorded.last_day)) == recorded.last_day:
        return None
    write_atomically(home / FILE, json.dumps(replace(recorded, last_day=last).record).encode())
    return recorded.last_day
