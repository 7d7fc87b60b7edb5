"""Which failed runs are worth another try, and when: transient failures only, a bounded number of times, ever later."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from nba_pipeline.automation.schedule_rules import Ask

ATTEMPTS = 3
FIRST_WAIT = timedelta(minutes=5)
FACTOR = 3
FORGOTTEN_AFTER = timedelta(days=2)

# What may be otherwise in five minutes: somebody else held the warehouse, or the network or the other side failed.
TRANSIENT = frozenset(
    {
        "WarehouseBusyError",
        "Unreachable",
        "ConnectionError",
        "ConnectionResetError",
        "ConnectionRefusedError",
        "ConnectTimeout",
        "ReadTimeout",
        "Timeout",
        "TimeoutError",
        "RetryError",
        "ServiceUnavailable",
        "InternalServerError",
        "BadGateway",
        "GatewayTimeout",
        "TooManyRequests",
        "RemoteDisconnected",
        "TransportError",
    }
)


@dataclass(frozen=True)
class FailedRun:
    """A run that failed. `errors` are the names of the errors of its steps, causes included; `refused` is true where a step
    failed because days broke their contract. `origin` is the first run of a chain of tries, `attempt` its place, from 0."""

    run_id: str
    ended: datetime
    tables: tuple[str, ...]
    start: date
    end: date
    errors: frozenset[str]
    refused: bool
    origin: str
    attempt: int
    said: str = ""


def is_transient(run: FailedRun) -> bool:
    """True where nothing was refused and the failure may pass by itself."""
    return not run.refused and bool(run.errors & TRANSIENT)


def due(run: FailedRun) -> datetime:
    """When the next try of a failed run may start: 5, 15 and 45 minutes after the failures."""
    return run.ended + FIRST_WAIT * FACTOR**run.attempt


def retries(failed: Iterable[FailedRun], going_on: Iterable[str], now: datetime) -> list[tuple[Ask, FailedRun]]:
    """The tries that are due. `going_on` are the origins of chains of which a later try runs, waits, or has succeeded.

    The key names the chain and the attempt, so that a try is asked for once, however often this is evaluated.
    """
    latest: dict[str, FailedRun] = {}
    for run in failed:
        if run.origin not in latest or run.attempt > latest[run.origin].attempt:
            latest[run.origin] = run
    over = set(going_on)
    asked = []
    for origin, run in sorted(latest.items(), key=lambda item: (item[1].start, item[0])):
        if origin in over or run.attempt >= ATTEMPTS or not is_transient(run):
            continue
        if due(run) <= now <= run.ended + FORGOTTEN_AFTER:
            why = f"try {run.attempt + 2} of {ATTEMPTS + 1}: {', '.join(sorted(run.errors & TRANSIENT))}"
            asked.append((Ask(run.tables, run.start, run.end, why, f"retry {origin} {run.attempt + 1}"), run))
    return asked


@dataclass(frozen=True)
class Refusal:
    """A day that a table refused because days that it needs were not published."""

    table: str
    day: date
    run_id: str


def repaired(refusals: Sequence[Refusal], still_unmet: Mapping[str, Iterable[date]]) -> dict[date, set[str]]:
    """The refused days whose needs are met by now, with their tables: what they lacked has been published since."""
    found: dict[date, set[str]] = {}
    for r in refusals:
        if r.day not in set(still_unmet.get(r.table, ())):
            found.setdefault(r.day, set()).add(r.table)
    return found
