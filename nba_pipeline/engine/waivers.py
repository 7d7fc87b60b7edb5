"""Waivers: gaps accepted by the operators, one dated line each, in `waivers.csv` of the home.

A waiver lets later days be computed although days that they look back on are missing or refused, and takes these days out
of what `check` calls incomplete. Where the day was refused because witnesses disagree about it, such as a schedule that lost a
game, the waiver says that the source is right, and the day is published as the source has it. It never lets a bad row in, and
it is shown wherever it took effect: in `check`, in `status` and on the partition in the UI.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.domain.calendar import days_between

FILE = "waivers.csv"
COLUMNS = ("written", "table", "first_day", "last_day", "until", "by", "reason")
LONGEST_DAYS = 400


@dataclass(frozen=True)
class Waiver:
    """Days of a table that are waived, who decided so when and why, and until when it holds (None: until taken out)."""

    table: str
    first: date
    last: date
    written: date
    by: str
    reason: str
    until: date | None = None

    def holds(self, today: date) -> bool:
        return self.until is None or today <= self.until

    def __str__(self) -> str:
        days = f"{self.first}" if self.first == self.last else f"{self.first}..{self.last}"
        ends = f", until {self.until}" if self.until else ""
        return f"{self.table} {days} waived by {self.by} on {self.written}{ends}: {self.reason}"


@dataclass(frozen=True)
class Waivers:
    """The waivers in force today."""

    holding: tuple[Waiver, ...] = ()

    @cached_property
    def _days(self) -> dict[str, dict[date, Waiver]]:
        by_table: dict[str, dict[date, Waiver]] = {}
        for waiver in self.holding:
            by_table.setdefault(waiver.table, {}).update(dict.fromkeys(days_between(waiver.first, waiver.last), waiver))
        return by_table

    def of(self, table: str) -> dict[date, Waiver]:
        """Return the waived days of a table, each with its waiver."""
        return self._days.get(table, {})


NO_WAIVERS = Waivers()


def waiver_line(table: str, day: date, today: date) -> str:
    """Return the line of `waivers.csv` that waives one day of a table; author and reason are left to be filled in."""
    return f"{today},{table},{day},{day},,NAME,REASON"


def read_waivers(home: Path, tables: Sequence[str], today: date) -> Waivers:
    """Read the waivers of `<home>/waivers.csv` that are in force today; none without a file.

    Raises ConfigurationError, naming the line, for a table that does not exist, a day that is none, a range that is empty or
    longer than 400 days, and a line without author or reason.
    """
    path = home / FILE
    if not path.is_file():
        return Waivers()
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if set(COLUMNS) - set(rows.fieldnames or ()):
            raise ConfigurationError(f"{path}: columns are missing", f"give it the header line {','.join(COLUMNS)}")
        all_waivers = [_waiver(row, f"{path}, line {n}", tables) for n, row in enumerate(rows, start=2)]
    return Waivers(tuple(w for w in all_waivers if w.holds(today)))


def _waiver(row: dict[str, str | None], where: str, tables: Sequence[str]) -> Waiver:
    values = {c: (row[c] or "").strip() for c in COLUMNS}
    if values["table"] not in tables:
        raise ConfigurationError(f"{where}: there is no table {values['table']!r}", "write it as dataset.table")
    for name in ("by", "reason"):
        if not values[name]:
            raise ConfigurationError(f"{where}: {name} is empty", "name the author of the waiver and its reason")
    days = {c: _day(values[c], f"{where}, {c}") for c in ("written", "first_day", "last_day")}
    first, last = days["first_day"], days["last_day"]
    if not 0 <= (last - first).days < LONGEST_DAYS:
        raise ConfigurationError(
            f"{where}: {first}..{last} is not a range of 1 to {LONGEST_DAYS} days", "correct the days"
        )
    until = _day(values["until"], f"{where}, until") if values["until"] else None
    return Waiver(values["table"], first, last, days["written"], values["by"], values["reason"], until)


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{where}: {text!r} is not a day", "write it as 2024-01-31") from None
