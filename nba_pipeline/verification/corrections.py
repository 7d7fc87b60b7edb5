"""Corrections: where the source now says something else about finished games than what is published.

Box scores are corrected for days after a game. What the source offers now is taken through the same build and the same audit
as when it is published, and held against the published rows; nothing is written.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

import pyarrow as pa

from nba_pipeline.common.clock import eastern
from nba_pipeline.contracts.table import COMPUTED_AT, HASH_COLUMN, Table
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.audit import audit
from nba_pipeline.engine.duckdb_executor import DuckDBExecutor
from nba_pipeline.engine.publish import read_inputs
from nba_pipeline.engine.transform import RunContext
from nba_pipeline.sources.protocol import Source
from nba_pipeline.tables.analytics.player_game_summary import PLAYER_GAME_SUMMARY
from nba_pipeline.tables.analytics.team_defense_game_summary import TEAM_DEFENSE_GAME_SUMMARY
from nba_pipeline.tables.analytics.team_offense_game_summary import TEAM_OFFENSE_GAME_SUMMARY
from nba_pipeline.tables.catalog import CATALOG, schedule_read
from nba_pipeline.tables.grading.prediction_accuracy import PREDICTION_ACCURACY
from nba_pipeline.tables.grading.system_daily_performance import SYSTEM_DAILY_PERFORMANCE
from nba_pipeline.tables.raw.player_boxscores import PLAYER_BOXSCORES
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.raw.shots import SHOTS
from nba_pipeline.tables.raw.team_boxscores import TEAM_BOXSCORES
from nba_pipeline.warehouse import Days, Warehouse

FACTS = (SCHEDULE, PLAYER_BOXSCORES, TEAM_BOXSCORES, SHOTS)
SUMMARIES = (PLAYER_GAME_SUMMARY, TEAM_OFFENSE_GAME_SUMMARY, TEAM_DEFENSE_GAME_SUMMARY)
GRADES = (PREDICTION_ACCURACY, SYSTEM_DAILY_PERFORMANCE)

# What a correction changes on its own day. Pre-game information, forecasts above all, stays unchanged.
REPAIRED = tuple(t.id for t in (*FACTS, *SUMMARIES, *GRADES))

Kind = Literal["changed", "added", "withdrawn", "refused"]


@dataclass(frozen=True)
class Correction:
    """One difference between a published day and what the source says now.

    `changed`: a cell, with both values; `added` and `withdrawn`: a row that only the source, or only the table, has;
    `refused`: the day as the source has it now would not pass the audit, `offered` says why.
    """

    table: str
    day: date
    kind: Kind
    key: str = ""
    column: str = ""
    published: Any = None
    offered: Any = None

    def __str__(self) -> str:
        said = {
            "changed": f"{self.key} {self.column}: {self.published} -> {self.offered}",
            "added": f"{self.key}: only in the source",
            "withdrawn": f"{self.key}: no longer in the source",
            "refused": f"the day as it is in the source now would be refused: {self.offered}",
        }[self.kind]
        return f"{self.day} {self.table}: {said}"

    def as_json(self) -> dict[str, Any]:
        values = {"published": self.published, "offered": self.offered}
        plain = {n: v if isinstance(v, int | float | bool | None) else str(v) for n, v in values.items()}
        own = {"table": self.table, "day": self.day.isoformat(), "kind": self.kind, "key": self.key}
        return own | {"column": self.column} | plain


@dataclass(frozen=True)
class _WithOffered:
    """Reads a warehouse in which some tables hold, on the days compared, what the source offers."""

    warehouse: Warehouse
    offered: dict[str, pa.Table] = field(default_factory=dict)

    def read(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
        """As `Warehouse.read`; a replaced table holds nothing but what is offered."""
        stored = {n: w for n, w in wanted.items() if w[0].id not in self.offered}
        found = self.warehouse.read(stored) if stored else {}
        for name in wanted.keys() - stored.keys():
            table, days = wanted[name]
            found[name] = self.offered[table.id].select(list(days.columns or table.columns))
        return found


def days_within(span: timedelta, now: datetime) -> list[date]:
    """The days of games that the last `span` reaches into, up to today, Eastern."""
    here = eastern(now)
    return days_between((here - span).date(), here.date())


def corrections(
    warehouse: Warehouse, source: Source, days: Sequence[date], run: RunContext, tables: Sequence[Table] = FACTS
) -> list[Correction]:
    """What the source says otherwise about these days than what is published, day by day and table by table.

    A day that was never published has no correction, whatever the source says. Raises SourceError when a feed cannot be
    read. The tables are compared in this order; each is built on what the source offers for those before it.
    """
    known = _published(warehouse, tables, days)
    compared = [d for d in sorted(set(days)) if any(d in own for own in known.values())]
    if not compared:
        return []
    seen, found = _WithOffered(warehouse), []
    for table in tables:
        rows, content, problems = _offer(table, seen, source, compared, run)
        seen.offered[table.id] = rows
        altered = [d for d in compared if d in known[table.id] and content.get(d, "") != known[table.id][d]]
        found += [Correction(table.id, d, "refused", offered=problems[d]) for d in altered if d in problems]
        found += _differences(table, warehouse, rows, [d for d in altered if d not in problems])
    return sorted(found, key=lambda c: (c.day, [t.id for t in tables].index(c.table), c.key, c.column))


def _published(warehouse: Warehouse, tables: Sequence[Table], days: Sequence[date]) -> dict[str, dict[date, str]]:
    """Content hashes of the published days, by table."""
    entries = warehouse.ledger([t.id for t in tables], min(days), max(days)).to_pylist() if days else []
    found: dict[str, dict[date, str]] = {t.id: {} for t in tables}
    for e in entries:
        if e["state"] == "published":
            found[e["table_id"]][e["day"]] = e["content_hash"]
    return found


def _offer(
    table: Table, seen: _WithOffered, source: Source, days: list[date], run: RunContext
) -> tuple[pa.Table, dict[date, str], dict[date, str]]:
    """The rows that would be published, their content hashes by day, and why a day would be refused."""
    transform, schedule = CATALOG[table.id], schedule_read(CATALOG[table.id])
    executor = DuckDBExecutor(read_inputs(transform, seen, source, schedule, days, run))
    try:
        executor.compute(transform, days, run)
        findings = audit(transform, executor, schedule)
        rows = executor.rows(table, days)
    finally:
        executor.close()
    problems: dict[date, str] = {}
    for (day, _), sentences in findings.problems.items():
        said = "; ".join(sentences)
        problems[day] = f"{problems[day]}; {said}" if day in problems else said
    schema = pa.schema([f.with_nullable(True) for f in table.arrow_schema])
    return rows.cast(schema), findings.content, {d: w for d, w in problems.items() if w}


def _differences(table: Table, warehouse: Warehouse, offered: pa.Table, days: list[date]) -> Iterator[Correction]:
    if not days:
        return
    stored = warehouse.read({"rows": (table, Days(days[0], days[-1]))})["rows"]
    before, after = _by_key(table, stored, days), _by_key(table, offered, days)
    compared = [c for c in table.columns if c not in (COMPUTED_AT, HASH_COLUMN)]
    for key in before.keys() | after.keys():
        day, words = key[0], " ".join(map(str, key[1:]))
        if key not in after:
            yield Correction(table.id, day, "withdrawn", words)
        elif key not in before:
            yield Correction(table.id, day, "added", words)
        else:
            one, other = before[key], after[key]
            yield from (
                Correction(table.id, day, "changed", words, c, one[c], other[c]) for c in compared if one[c] != other[c]
            )


def _by_key(table: Table, rows: pa.Table, days: Iterable[date]) -> dict[tuple, dict[str, Any]]:
    wanted, rest = set(days), [k for k in table.key if k != table.partition]
    return {(r[table.partition], *(r[k] for k in rest)): r for r in rows.to_pylist() if r[table.partition] in wanted}
