"""Which failed runs to try again, and when: transient failures only, a bounded number of times, at growing intervals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from nba_pipeline.automation.schedule_rules import RunPlan

ATTEMPTS = 3
FIRST_WAIT = timedelta(minutes=5)
FACTOR = 3
FORGOTTEN_AFTER = timedelta(days=2)


@dataclass(frozen=True)
class FailedRun:
    """A run that failed.

    Attributes:
        errors: The names of the errors of its steps, for people.
        refused: Whether its steps failed only because days were refused.
        transient: Whether a step failed with an error that may pass without a change.
        origin: The first run of the chain of tries.
        attempt: The place in that chain, from 0.
        message: The message of the first error.
    """

    run_id: str
    ended: datetime
    tables: tuple[str, ...]
    start: date
    end: date
    errors: frozenset[str]
    refused: bool
    transient: bool
    origin: str
    attempt: int
    message: str = ""

    @property
    def may_be_retried(self) -> bool:
        """Whether a step failed for another reason than refused days, and that reason may pass by itself."""
        return self.transient and not self.refused


def due(run: FailedRun) -> datetime:
    """Return when the next try of a failed run may start: 5, 15 and 45 minutes after the failures."""
    return run.ended + FIRST_WAIT * FACTOR**run.attempt


def latest_tries(failed: Iterable[FailedRun]) -> dict[str, FailedRun]:
    """Return the latest failed try of each chain, by the origin of the chain."""
    latest: dict[str, FailedRun] = {}
    for run in failed:
        if run.origin not in latest or run.attempt > latest[run.origin].attempt:
            latest[run.origin] = run
    return latest


def retries(failed: Iterable[FailedRun], settled: Iterable[str], now: datetime) -> list[tuple[RunPlan, FailedRun]]:
    """Plan the tries that are due.

    The key of a plan names the chain and the attempt, so that each try is requested once, however often this is evaluated.

    Args:
        failed: The failed runs.
        settled: Origins of chains of which a later try waits, runs or has succeeded.
        now: The time of the evaluation.
    """
    over = set(settled)
    plans = []
    for origin, run in sorted(latest_tries(failed).items(), key=lambda item: (item[1].start, item[0])):
        if origin in over or run.attempt >= ATTEMPTS or not run.may_be_retried:
            continue
        if due(run) <= now <= run.ended + FORGOTTEN_AFTER:
            why = f"try {run.attempt + 2} of {ATTEMPTS + 1}: {', '.join(sorted(run.errors))}"
            plans.append((RunPlan(run.tables, run.start, run.end, why, f"retry {origin} {run.attempt + 1}"), run))
    return plans


@dataclass(frozen=True)
class Refusal:
    """A day that a table refused because days that it needs were not published."""

    table: str
    day: date
    run_id: str


def repaired(refusals: Sequence[Refusal], still_unmet: Mapping[str, Iterable[date]]) -> dict[date, set[str]]:
    """Return the refused days whose upstream days have been published since, with their tables.

    Args:
        refusals: Days that were refused only because upstream days were missing.
        still_unmet: By table, the days whose upstream days are still missing.
    """
    tables: dict[date, set[str]] = {}
    for r in refusals:
        if r.day not in set(still_unmet.get(r.table, ())):
            tables.setdefault(r.day, set()).add(r.table)
    return tables
