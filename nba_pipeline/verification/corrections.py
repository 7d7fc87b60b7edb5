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
from nba_pipeline.engine.prepare import read_inputs
from nba_pipeline.engine.run_context import RunContext
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
        texts = {
            "changed": f"{self.key} {self.column}: {self.published} -> {self.offered}",
            "added": f"{self.key}: only in the source",
            "withdrawn": f"{self.key}: no longer in the source",
            "refused": f"the day would be refused with the rows that the source has now: {self.offered}",
        }[self.kind]
        return f"{self.day} {self.table}: {texts}"

    def as_json(self) -> dict[str, Any]:
        values = {"published": self.published, "offered": self.offered}
        plain = {n: v if isinstance(v, int | float | bool | None) else str(v) for n, v in values.items()}
        own = {"table": self.table, "day": self.day.isoformat(), "kind": self.kind, "key": self.key}
        return own | {"column": self.column} | plain


@dataclass(frozen=True)
class _WithOffered:
    """A warehouse in which some tables have, on the compared days, the rows that the source offers."""

    warehouse: Warehouse
    offered: dict[str, pa.Table] = field(default_factory=dict)

    def read(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
        """Read as `Warehouse.read`; a replaced table has only the offered rows."""
        stored = {n: w for n, w in wanted.items() if w[0].id not in self.offered}
        rows = self.warehouse.read(stored) if stored else {}
        for name in wanted.keys() - stored.keys():
            table, days = wanted[name]
            rows[name] = self.offered[table.id].select(list(days.columns or table.columns))
        return rows


def days_within(span: timedelta, now: datetime) -> list[date]:
    """List the days of games within the last `span`, up to today, Eastern."""
    here = eastern(now)
    return days_between((here - span).date(), here.date())


def corrections(
    warehouse: Warehouse, source: Source, days: Sequence[date], run: RunContext, tables: Sequence[Table] = FACTS
) -> list[Correction]:
    """List the differences between the source and the published rows, by day and table.

    Args:
        warehouse: the warehouse of the published rows.
        source: the source to compare with.
        days: the days to compare; days that were never published have no corrections.
        run: the run of the recomputation.
        tables: the tables to compare in this order; each is built on the recomputed rows of those before it.

    Raises:
        SourceError: a feed cannot be read.
    """
    hashes = _published(warehouse, tables, days)
    compared = [d for d in sorted(set(days)) if any(d in own for own in hashes.values())]
    if not compared:
        return []
    reader, differences = _WithOffered(warehouse), []
    for table in tables:
        rows, content, problems = _offer(table, reader, source, compared, run)
        reader.offered[table.id] = rows
        altered = [d for d in compared if d in hashes[table.id] and content.get(d, "") != hashes[table.id][d]]
        differences += [Correction(table.id, d, "refused", offered=problems[d]) for d in altered if d in problems]
        differences += _differences(table, warehouse, rows, [d for d in altered if d not in problems])
    return sorted(differences, key=lambda c: (c.day, [t.id for t in tables].index(c.table), c.key, c.column))


def _published(warehouse: Warehouse, tables: Sequence[Table], days: Sequence[date]) -> dict[str, dict[date, str]]:
    """Return the content hashes of published days, by table."""
    entries = warehouse.ledger([t.id for t in tables], min(days), max(days)).to_pylist() if days else []
    hashes: dict[str, dict[date, str]] = {t.id: {} for t in tables}
    for e in entries:
        if e["state"] == "published":
            hashes[e["table_id"]][e["day"]] = e["content_hash"]
    return hashes


def _offer(
    table: Table, reader: _WithOffered, source: Source, days: list[date], run: RunContext
) -> tuple[pa.Table, dict[date, str], dict[date, str]]:
    """Recompute rows; return them, their content hashes by day, and the reasons of days that would be refused."""
    transform, schedule = CATALOG[table.id], schedule_read(CATALOG[table.id])
    executor = DuckDBExecutor(read_inputs(transform, reader, source, schedule, days, run))
    try:
        executor.compute(transform, days, run)
        findings = audit(transform, run.plans.of(transform, executor.dialect), executor, schedule)
        rows = executor.rows(table, days)
    finally:
        executor.close()
    problems: dict[date, str] = {}
    for (day, _), sentences in findings.problems.items():
        text = "; ".join(sentences)
        problems[day] = f"{problems[day]}; {text}" if day in problems else text
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
    requested, rest = set(days), [k for k in table.key if k != table.partition]
    return {(r[table.partition], *(r[k] for k in rest)): r for r in rows.to_pylist() if r[table.partition] in requested}
