"""Plan which days of which tables to run: missing history first, then the range itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pyarrow as pa

from nba_pipeline.domain.calendar import days_between, ranges
from nba_pipeline.engine.readiness import history_needed, is_unfinished
from nba_pipeline.orchestration.work import work
from nba_pipeline.tables.catalog import CATALOG, graph_order


@dataclass(frozen=True)
class Step:
    """One run: these tables over these days."""

    tables: tuple[str, ...]
    start: date
    end: date
    why: str

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


@dataclass(frozen=True)
class Plan:
    """The runs of a backfill: those that bring missing history, and those of the range itself."""

    history: tuple[Step, ...]
    requested: tuple[Step, ...]

    @property
    def steps(self) -> list[Step]:
        """All runs, in their order."""
        return [*self.history, *self.requested]

    @property
    def table_days(self) -> int:
        """Table-days of all runs."""
        return sum(s.days * len(s.tables) for s in self.steps)

    @property
    def work(self) -> dict[str, list[int]]:
        """The work of each table, run by run."""
        found: dict[str, list[int]] = {}
        for step in self.steps:
            for table in step.tables:
                found.setdefault(table, []).append(work(table, step.start, step.end))
        return found


def plan(selected: Sequence[str], start: date, end: date, ledger: pa.Table, *, missing: bool) -> Plan:
    """Plan a backfill.

    Args:
        selected: the selected tables.
        start: the first day of the range.
        end: the last day of the range.
        ledger: what counts as published: `recovery.recorded_only` of the ledger.
        missing: whether only days that are missing, refused or unfinished run.
    """
    own = missing_steps(selected, start, end, ledger) if missing else [Step(tuple(selected), start, end, "requested")]
    return Plan(tuple(history_steps(selected, start, end, ledger)), tuple(own))


def joined(planned: Plan) -> Plan:
    """Let tables that lack all history up to the range run once, over both: more seasons at once keep both cores at work.

    Args:
        planned: The plan of one range, on all of whose days the selected tables run.
    """
    (asked,) = planned.requested
    selected, done = set(asked.tables), set[str]()
    steps: list[Step] = []
    for step in planned.history:
        tables = set(step.tables)
        reads = {t.id for table in step.tables for t in CATALOG[table].upstream()} & selected
        if tables <= selected and reads <= done | tables and step.end == asked.start - timedelta(days=1):
            done |= tables
            steps.append(replace(step, end=asked.end, why=f"{step.why}, and the range"))
        else:
            steps.append(step)
    left = tuple(t for t in asked.tables if t not in done)
    return Plan(tuple(steps), (replace(asked, tables=left),) if left else ())


def with_all_below(table: str) -> str:
    """The selection of a table and of everything that is computed from it."""
    return f'key:"{table.replace(".", "/")}"+'


def downstream_closure(tables: set[str], within: Sequence[str]) -> tuple[str, ...]:
    """These tables and every selected table that reads them, directly or not, in graph order."""
    reached = set(tables)
    for table in within:
        if any(t.id in reached for t in CATALOG[table].upstream()):
            reached.add(table)
    return tuple(t for t in within if t in reached)


def history_steps(selected: Sequence[str], start: date, end: date, ledger: pa.Table) -> list[Step]:
    """Plan runs of upstream days before `start` that were never published.

    Every table is completed up to `start` without a gap. Tables computed from single days (raw tables and facts) share one
    range, so that they are one run.

    Args:
        selected: the selected tables.
        start: the first day of the range.
        end: the last day of the range.
        ledger: the ledger of the warehouse.
    """
    published = _published(ledger)
    earliest_day: dict[str, date] = {}
    lacking: dict[str, set[date]] = {}
    for table in reversed(graph_order()):
        history = days_between(earliest_day[table], start - timedelta(days=1)) if table in earliest_day else []
        lacking[table] = set(history) - published.get(table, set())
        days = sorted(lacking[table]) + (days_between(start, end) if table in selected else [])
        for upstream, needed in history_needed(list(CATALOG[table].reads.values()), days).items() if days else ():
            first = min(needed, default=start)
            earliest_day[upstream.id] = min(first, earliest_day.get(upstream.id, start))
    single_day_tables = _tables_of_the_day()
    together = set().union(*(lacking[t] for t in single_day_tables))
    runs: dict[tuple[date, ...], list[str]] = {}
    for table in graph_order():
        days = together if table in single_day_tables and lacking[table] else lacking[table]
        if days:
            runs.setdefault(tuple(sorted(days)), []).append(table)
    reason = "upstream history of the range"
    return [Step(tuple(tables), a, b, reason) for days, tables in runs.items() for a, b in ranges(days)]


def _tables_of_the_day() -> set[str]:
    """List the tables whose rows of a day depend on that day alone, directly and indirectly."""
    tables: set[str] = set()
    for table in graph_order():
        reads = CATALOG[table].reads.values()
        if all(r.kind == "kept" or (r.kind == "same_day" and r.table.id in tables) for r in reads):
            tables.add(table)
    return tables


def missing_steps(selected: Sequence[str], start: date, end: date, ledger: pa.Table) -> list[Step]:
    """Plan runs of exactly the missing, refused and unfinished days, with every selected downstream table.

    An unfinished day lacks expected rows because its games were not over when it ran, or without a reason: all of its tables
    are run, since its schedule and lines are from before the games as well.
    """
    published = _published(ledger)
    entries = ledger.select(["table_id", "day", "state", "absent", "unexplained"]).to_pylist()
    unfinished = {
        e["day"] for e in entries if e["table_id"] in selected and e["state"] == "published" and is_unfinished(e)
    }
    by_tables: dict[tuple[str, ...], list[date]] = {}
    for day in days_between(start, end):
        absent = {t for t in selected if day in unfinished or day not in published.get(t, set())}
        if absent:
            by_tables.setdefault(downstream_closure(absent, selected), []).append(day)
    steps = [Step(t, a, b, "missing, refused or unfinished") for t, days in by_tables.items() for a, b in ranges(days)]
    return sorted(steps, key=lambda s: (s.start, s.end))


def _published(ledger: pa.Table) -> dict[str, set[date]]:
    """Return the days by table that are published and not refused since."""
    published: dict[str, set[date]] = {}
    refused: dict[str, set[date]] = {}
    for table, day, state in zip(*(ledger[n].to_pylist() for n in ("table_id", "day", "state")), strict=True):
        (published if state == "published" else refused).setdefault(table, set()).add(day)
    return {t: days - refused.get(t, set()) for t, days in published.items()}


def refusals(ledger: pa.Table, tables: Sequence[str]) -> Mapping[str, dict[date, str]]:
    """Return the refused days with their reasons, by table."""
    reasons: dict[str, dict[date, str]] = {t: {} for t in tables}
    for e in ledger.to_pylist():
        if e["state"] == "refused" and e["table_id"] in reasons:
            reasons[e["table_id"]][e["day"]] = e["reasons"]
    return {t: days for t, days in reasons.items() if days}
