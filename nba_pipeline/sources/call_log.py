"""Record every call to the services: when, how it ended, and what it cost. In a home: `calls.sqlite` beside the stored answers.

The record tells what stored answers cannot: that an answer was unchanged, that a document does not exist, what was spent.
Without the file nothing is lost but that: such calls are made again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

from nba_pipeline.common import clock
from nba_pipeline.state.protocol import StateRecord, StateStore

ODDS = "odds_api"
Outcome = Literal["answered", "unchanged", "absent", "unreachable", "refused", "rejected"]
# The outcomes that show that the service answers this machine; "absent" does not, since some turn machines away by its status.
REACHED: tuple[Outcome, ...] = ("answered", "unchanged", "rejected")
COLUMNS = (
    "at TEXT, source TEXT, kind TEXT, key TEXT, outcome TEXT, "
    "credits INTEGER, credits_left INTEGER, credits_used INTEGER"
)

Name = tuple[str, str, str]


@dataclass(frozen=True)
class Usage:
    """Credits of a service as its answer states them: of this call, left in the plan, used in the plan's period."""

    credits: int = 0
    left: int | None = None
    used: int | None = None


@dataclass(frozen=True)
class Entry:
    """A call that was made. `at` in UTC."""

    at: datetime
    source: str
    kind: str
    key: str
    outcome: Outcome
    usage: Usage = Usage()


@dataclass
class CallLog:
    """The record of the calls of a home."""

    state: StateStore
    _latest: dict[Outcome, dict[Name, datetime]] = field(default_factory=dict)

    @cached_property
    def _record(self) -> StateRecord:
        return self.state.record("calls", COLUMNS)

    def record(self, entry: Entry) -> None:
        """Append a call."""
        self.record_all([entry])

    def record_all(self, entries: Iterable[Entry]) -> None:
        """Append calls, all or none."""
        listed = list(entries)
        if not listed:
            return
        rows = [
            (
                *(e.at.astimezone(UTC).isoformat(), e.source, e.kind, e.key, e.outcome),
                *(e.usage.credits, e.usage.left, e.usage.used),
            )
            for e in listed
        ]
        self._record.append(rows)
        for e in listed:
            if e.outcome in self._latest:
                self._latest[e.outcome][e.source, e.kind, e.key] = e.at

    def latest(self, outcome: Outcome, source: str, kind: str, key: str) -> datetime | None:
        """Return when a call last had this outcome; None if it never had."""
        if outcome not in self._latest:
            found = self._rows(
                "SELECT source, kind, key, max(at) FROM calls WHERE outcome = ? GROUP BY 1, 2, 3", outcome
            )
            self._latest[outcome] = {(s, k, x): datetime.fromisoformat(at) for s, k, x, at in found}
        return self._latest[outcome].get((source, kind, key))

    def reached(self, source: str) -> datetime | None:
        """Return when the service last answered a call; None if it never did."""
        marks = ", ".join("?" * len(REACHED))
        ((at,),) = self._rows(
            f"SELECT max(at) FROM calls WHERE source = ? AND outcome IN ({marks})", source, *REACHED
        ) or [(None,)]
        return datetime.fromisoformat(at) if at else None

    def spent(self, source: str, since: datetime) -> int:
        """Return the credits of a service's calls since a time."""
        ((total,),) = self._rows(
            "SELECT sum(credits) FROM calls WHERE source = ? AND at >= ?", source, since.astimezone(UTC).isoformat()
        ) or [(None,)]
        return int(total or 0)

    def usage(self, source: str) -> tuple[datetime, Usage] | None:
        """Return the credits that the service stated last, with the time; None if it never did."""
        rows = self._rows(
            "SELECT at, credits, credits_left, credits_used FROM calls WHERE source = ? AND credits_left IS NOT NULL "
            "ORDER BY at DESC LIMIT 1",
            source,
        )
        return (datetime.fromisoformat(rows[0][0]), Usage(*rows[0][1:])) if rows else None

    def _rows(self, sql: str, *values: object) -> list[tuple]:
        return self._record.read(lambda db: db.execute(sql, values).fetchall())


def month_of(at: datetime) -> datetime:
    """Return the beginning of the calendar month (UTC): the period of the cap on credits."""
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def recorded_credits(log: CallLog, cap: int | None) -> dict[str, Any] | None:
    """Return the credits of the odds service as recorded: spent this month, cap, left at the service; None without a record.

    Args:
        log: the record of calls.
        cap: the monthly cap, if one is set.
    """
    stated = log.usage(ODDS)
    spent = log.spent(ODDS, month_of(clock.now()))
    if stated is None and not spent:
        return None
    return {
        "spent_this_month": spent,
        "monthly_cap": cap,
        "left": stated[1].left if stated else None,
        "left_at": stated[0].isoformat() if stated else None,
    }
