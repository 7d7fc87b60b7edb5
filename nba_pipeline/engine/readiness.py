"""Whether the days that a computation needs were published: it refuses, naming them, rather than compute on gaps."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline.asof.reads import Read
from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.calendar import days_between, describe_days
from nba_pipeline.domain.game_states import PENDING
from nba_pipeline.engine.waivers import NO_WAIVERS, Waiver, Waivers

FINISHED = ("before", "season", "training")


@dataclass(frozen=True)
class Gaps:
    """Days of one table that a reader cannot rely on, in order, each with what is wrong with it."""

    days: tuple[date, ...]
    why: Mapping[date, str]

    def within(self, first: date, last: date) -> tuple[date, ...]:
        return self.days[bisect_left(self.days, first) : bisect_right(self.days, last)]

    def only(self, days: Container[date], *, kept: bool) -> "Gaps":
        """The gaps that are among `days`, or with `kept` false those that are not."""
        left = tuple(d for d in self.days if (d in days) is kept)
        return Gaps(left, {d: self.why[d] for d in left})


def is_unfinished(entry: Mapping[str, Any]) -> bool:
    """Whether a published day lacks rows for games that were not over when it ran, or for no known reason."""
    return bool(entry["unexplained"]) or PENDING in json.loads(entry["absent"])


def gaps(table: Table, ledger: pa.Table, first: date, last: date, *, finished: bool) -> Gaps:
    """Days from first to last that were never published or were refused; with `finished`, also those with games to come."""
    state: dict[date, str] = {}
    own = ledger.filter(pc.field("table_id") == table.id)
    days, states, absent = (own[n].to_pylist() for n in ("day", "state", "absent"))
    pending = {text for text in set(absent) if PENDING in json.loads(text)} if finished else set[str]()
    for day, published_or_refused, text in zip(days, states, absent, strict=True):
        if published_or_refused == "refused":
            state[day] = "refused"
        else:
            state.setdefault(day, "published before its games were over" if text in pending else "")
    why = {d: state.get(d, "never published") for d in days_between(first, last) if first <= last}
    bad = {d: w for d, w in why.items() if w}
    return Gaps(tuple(sorted(bad)), bad)


def unmet(
    reads: Mapping[str, Read], ledger: pa.Table, days: Sequence[date], waivers: Waivers = NO_WAIVERS
) -> dict[date, str]:
    """Describe, for each day that cannot be computed, the table and days that it lacks."""
    blocked: dict[date, str] = {}
    for read, gaps_of_read in _gaps(reads, ledger, days):
        gaps_of_read = gaps_of_read.only(waivers.of(read.table.id), kept=False)
        for day in days:
            if day in blocked or not gaps_of_read.days:
                continue
            lacking = gaps_of_read.within(read.first_needed(day), read.last_needed(day))
            if lacking:
                blocked[day] = _sentence(read, gaps_of_read, lacking)
    return blocked


def waived(
    reads: Mapping[str, Read], ledger: pa.Table, days: Sequence[date], waivers: Waivers
) -> dict[date, tuple[Waiver, ...]]:
    """List, for each day that is computed over gaps, the waivers that allow it."""
    allowed: dict[date, dict[Waiver, None]] = {}
    for read, gaps_of_read in _gaps(reads, ledger, days) if waivers.holding else ():
        of_table = waivers.of(read.table.id)
        gaps_of_read = gaps_of_read.only(of_table, kept=True)
        for day in days if gaps_of_read.days else ():
            for gap in gaps_of_read.within(read.first_needed(day), read.last_needed(day)):
                allowed.setdefault(day, {})[of_table[gap]] = None
    return {day: tuple(waivers_of_day) for day, waivers_of_day in allowed.items()}


def _gaps(reads: Mapping[str, Read], ledger: pa.Table, days: Sequence[date]) -> Iterator[tuple[Read, Gaps]]:
    """Yield each read with the gaps among all days of its windows."""
    for read in dict.fromkeys(reads.values()):
        first, last = read.needed(days)
        if first <= last and read.kind != "kept":
            yield read, gaps(read.table, ledger, first, last, finished=read.kind in FINISHED)


def _sentence(read: Read, gaps_of_read: Gaps, lacking: Sequence[date]) -> str:
    kinds = sorted({gaps_of_read.why[d] for d in lacking})
    return f"needs {read.window_text} of {read.table.id}, but it lacks {describe_days(lacking, 3)}: {', '.join(kinds)}"


def history_needed(reads: Sequence[Read], days: Sequence[date]) -> dict[Table, set[date]]:
    """Collect, by table, the days that its readers need to compute `days`, including `days`."""
    needed: dict[Table, set[date]] = {}
    for read in dict.fromkeys(r for r in reads if r.kind != "kept"):
        first, last = read.needed(days)
        needed.setdefault(read.table, set()).update(days_between(first, last))
    return needed


def last_days_needed(reads: Iterable[Read], days: Sequence[date]) -> dict[str, date]:
    """Return the last day of each table, by its id, that any of the reads needs to compute `days`.

    Args:
        reads: The reads.
        days: The days; for one that needs nothing, it is the day before.
    """
    last: dict[str, date] = {}
    for read in reads:
        _, day = read.needed(days)
        last[read.table.id] = max(day, last.get(read.table.id, day))
    return last
