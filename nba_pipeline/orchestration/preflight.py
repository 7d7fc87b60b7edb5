"""Whether a range of days can run: place, source and history, each with what is wrong and what fixes it."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute

from nba_pipeline.common.errors import SourceError
from nba_pipeline.domain.calendar import COUNTABLE_PREFIXES, days_between, describe_days
from nba_pipeline.engine.readiness import history_needed
from nba_pipeline.engine.waivers import Waivers
from nba_pipeline.orchestration.backfill_plan import history_steps, refusals
from nba_pipeline.sources.landing import FEEDS, PROBLEMS, SCHEDULE
from nba_pipeline.sources.protocol import Source
from nba_pipeline.tables.catalog import CATALOG

LEAST_FREE_BYTES = 2**30


@dataclass(frozen=True)
class Finding:
    """The result of one check: whether it passed, what it measured, and the fix if it failed."""

    what: str
    fine: bool
    said: str
    fix: str = ""


def preflight(
    home: Path, source: Source, ledger: pa.Table, start: date, end: date, waivers: Waivers
) -> Iterator[Finding]:
    """Everything that a run of all tables over start..end needs. `ledger` covers all days."""
    yield _place(home)
    yield from _feeds(source, days_between(start, end))
    yield _history(ledger, start, end)
    yield from _refused_history(ledger, start, end, waivers)
    yield from (Finding("waiver", True, str(w)) for w in waivers.holding)


def _place(home: Path) -> Finding:
    home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home).free
    fix = f"free some of the disk that holds {home}" if free < LEAST_FREE_BYTES else ""
    return Finding(
        "disk", not fix, f"{free / 2**30:.1f} GiB free, at least {LEAST_FREE_BYTES / 2**30:.0f} required", fix
    )


def _feeds(source: Source, days: Sequence[date]) -> Iterator[Finding]:
    """Every feed of the days can be read; how many rows it has, and how many of them will go to quarantine."""
    for feed in FEEDS.values():
        try:
            rows = source.read(feed, days)
        except SourceError as e:
            yield Finding(f"feed {feed.name}", False, e.what, e.remedy)
            continue
        untyped = len(rows) - rows[PROBLEMS].null_count
        description = f"{len(rows):,} rows" + (f", {untyped:,} of them for quarantine" if untyped else "")
        if feed is SCHEDULE:
            games = _countable_games(rows, days)
            description += f", {games:,} countable games" if games else ": no games in these days"
        elif not len(rows):
            description = "no rows: its table stays empty"
        yield Finding(f"feed {feed.name}", True, description)


def _countable_games(rows: pa.Table, days: Sequence[date]) -> int:
    requested = set(days)
    ids = zip(rows["game_id"].to_pylist(), rows["game_date"].to_pylist(), strict=True)
    return sum(d in requested and bool(g) and g.startswith(COUNTABLE_PREFIXES) for g, d in ids)


def _history(ledger: pa.Table, start: date, end: date) -> Finding:
    """The days before the range that it looks back on and that were never run: `backfill` brings them, so this is no fault."""
    steps = history_steps(list(CATALOG), start, end, ledger)
    if not steps:
        return Finding("history", True, "all days that the range looks back on are published")
    days = sum(s.days * len(s.tables) for s in steps)
    first = min(s.start for s in steps)
    return Finding(
        "history", True, f"{days:,} table-days from {first} on are not published yet; backfill runs them first"
    )


def _refused_history(ledger: pa.Table, start: date, end: date, waivers: Waivers) -> Iterator[Finding]:
    """Refused days before the range, which block it until they are published or waived."""
    needed_days: dict[str, set[date]] = {}
    for transform in CATALOG.values():
        for table, needed in history_needed(list(transform.reads.values()), [start, end]).items():
            needed_days.setdefault(table.id, set()).update(needed)
    for table, reasons in _refused(ledger).items():
        blocking = {d for d in needed_days.get(table, ()) if d < start and d in reasons} - set(waivers.of(table))
        if blocking:
            first = min(blocking)
            yield Finding(
                f"history {table}",
                False,
                f"refused {describe_days(sorted(blocking))}; {first}: {reasons[first][:200]}",
                f"correct the source, then run nba-pipeline backfill {first} {start - timedelta(days=1)} --missing; "
                "or waive the days in waivers.csv",
            )


def _refused(ledger: pa.Table) -> Mapping[str, dict[date, str]]:
    return refusals(ledger, list(CATALOG))
