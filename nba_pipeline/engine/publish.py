"""Publish a table: the one path by which rows reach it. No orchestrator here; `table_asset` wraps it.

Inputs are read in one snapshot, the result is computed and hashed outside any lock, and every partition is audited
(`nba_pipeline.engine.prepare`). Here the good partitions are published in one transaction. A partition that fails a rule is
refused: its earlier rows stay, and the rows that broke the rule go to quarantine with the reason. Many days are published in
blocks, each in this way, so that memory does not grow with them.
"""

from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from itertools import chain

import pyarrow as pa

from nba_pipeline.asof.reads import Read
from nba_pipeline.common.memory import give_back
from nba_pipeline.contracts.checks import CHECKS, COVERAGE
from nba_pipeline.engine import computed
from nba_pipeline.engine.audit import AuditFindings
from nba_pipeline.engine.blocks import SHORT, not_among, without_day
from nba_pipeline.engine.duckdb_executor import DuckDBExecutor
from nba_pipeline.engine.prepare import Prepared, is_pushed, prepare, timed
from nba_pipeline.engine.refusals import ReasonCode
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import Transform
from nba_pipeline.engine.verdicts import CheckVerdict, PartitionVerdict
from nba_pipeline.engine.waivers import Waiver
from nba_pipeline.sources.protocol import Source
from nba_pipeline.warehouse import LedgerEntry, Warehouse
from nba_pipeline.warehouse.protocol import REJECT_SCHEMA


@dataclass
class Publication:
    """What became of every day, and where the time went (seconds by stage).

    `undated` are the rejected rows without a day, which no day's publication may take out of quarantine again in the same run.
    """

    verdicts: list[PartitionVerdict]
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    rejected: int = 0
    undated: pa.Table = field(default_factory=REJECT_SCHEMA.empty_table)

    @property
    def refused(self) -> list[PartitionVerdict]:
        return [v for v in self.verdicts if not v.published]

    @property
    def published(self) -> list[date]:
        return [v.day for v in self.verdicts if v.published]

    def add(self, later: "Publication") -> None:
        """Count what became of later days of the same run."""
        self.verdicts += later.verdicts
        for stage, spent in later.seconds.items():
            self.seconds[stage] += spent
        self.rejected += later.rejected


def publish_in_blocks(
    transform: Transform,
    blocks: Sequence[Sequence[date]],
    warehouse: Warehouse,
    source: Source,
    schedule: Read | None,
    run: RunContext,
    ready: Callable[[int], Prepared | None] | None = None,
) -> Generator[Publication]:
    """Publish days as `publish` does, block by block, so that memory does not grow with history.

    What BigQuery computes needs no memory here, and is one block. An error ends the run between two blocks: those before are
    published and recorded in the ledger, of those after nothing is.

    Args:
        transform: What computes the table.
        blocks: The days.
        warehouse: Where the table is stored.
        source: Where its feeds come from.
        schedule: The read of the day's games; None where the table itself is it.
        run: The run.
        ready: Returns the block of a number where another thread has prepared it, else None; it is computed again if other runs
            have published meanwhile.
    """
    pushed = is_pushed(transform, warehouse, run)
    earlier = Publication([])
    for number, days in enumerate([list(chain(*blocks))] if pushed else blocks):
        made = ready(number) if ready and not pushed else None
        if made is None or not _is_current(made, warehouse):
            made = prepare(transform, days, warehouse, source, schedule, run)
        earlier = store(made, warehouse, earlier)
        del made  # so that its memory can be given back
        if len(days) > SHORT:
            give_back()
        yield earlier


def _is_current(made: Prepared, warehouse: Warehouse) -> bool:
    """Return whether what is prepared can be stored; closes it where it cannot, or where that cannot be told."""
    current = False
    try:
        current = made.is_current(warehouse)
    finally:
        if not current:
            made.close()
    return current


def publish(
    transform: Transform,
    days: Sequence[date],
    warehouse: Warehouse,
    source: Source,
    schedule: Read | None,
    run: RunContext,
    earlier: Publication | None = None,
) -> Publication:
    """Compute these days of the transform's table and publish those that pass the audit.

    `schedule` is the read of the day's games, from which days without games are told apart (None: the table itself
    is the schedule), `earlier` what the run published of the table before. Raises SourceError when raw data cannot be read at
    all and WarehouseError when storing fails; nothing is published then.
    """
    if not days:
        return Publication([])
    return store(prepare(transform, days, warehouse, source, schedule, run), warehouse, earlier)


def store(prepared: Prepared, warehouse: Warehouse, earlier: Publication | None = None) -> Publication:
    """Publish the prepared days that passed the audit, record a verdict on each, and close what is prepared.

    Args:
        prepared: The days.
        warehouse: Where the table is stored.
        earlier: What the run published of the table before.

    Raises:
        WarehouseError: Nothing is published.
    """
    transform, run, findings, executor = prepared.transform, prepared.run, prepared.findings, prepared.executor
    with closing(prepared):
        publication = Publication([_verdict_on(prepared, d) for d in prepared.days], prepared.seconds)
        entries = [
            _entry(transform, v, AuditFindings() if v.day in prepared.blocked else findings, run)
            for v in publication.verdicts
        ]
        with timed(publication.seconds, "write"):
            none = REJECT_SCHEMA.empty_table()
            rejects = executor.rejects(transform.table, run.id, run.at) if prepared.computed else none
            new = not_among(earlier.undated if earlier else none, rejects)
            rejects = pa.concat_tables([earlier.undated if earlier else none, new])
            made = _computed(prepared, publication.published)
            executor.store(warehouse, transform.table, publication.published, entries, rejects)
    for day, of_day in made.items():
        computed.remember(run.id, transform.table.id, day, of_day)
    publication.rejected, publication.undated = new.num_rows, without_day(rejects)
    return publication


def _computed(prepared: Prepared, published: list[date]) -> dict[date, computed.Computed]:
    """What a replay of a single day may know: what statements made it from. What Python makes is always made again."""
    executor = prepared.executor
    if len(published) != 1 or prepared.transform.apply is not None or not isinstance(executor, DuckDBExecutor):
        return {}
    (day,) = published
    return {day: computed.Computed(executor.inputs, prepared.findings.content.get(day, ""))}


def _verdict_on(prepared: Prepared, day: date) -> PartitionVerdict:
    if day in prepared.blocked:
        return _unmet(day, prepared.blocked[day])
    return _verdict(day, prepared.findings, prepared.waivers.get(day, ()))


def _unmet(day: date, need: str) -> PartitionVerdict:
    """Build the verdict on a day that was not computed because an input is not published."""
    missing = CheckVerdict(False, need, {"problems": 1}, ReasonCode.UPSTREAM_MISSING)
    not_computed = CheckVerdict(False, "not computed", {"problems": 0})
    return PartitionVerdict(
        day, False, 0, {COVERAGE: missing, **{c: not_computed for c in CHECKS if c != COVERAGE}}, {"rows": 0}
    )


def _verdict(day: date, findings: AuditFindings, waivers: Sequence[Waiver]) -> PartitionVerdict:
    """Build the verdict on a computed day: published if no check found a problem."""
    problems = {c: list(findings.problems.get((day, c), ())) for c in CHECKS}
    rows, expected = findings.rows.get(day, 0), findings.expected.get(day, 0)
    facts: dict[str, int | float | str | bool] = {
        "rows": rows,
        "games": findings.games.get(day, 0),
        "no_games": not findings.games.get(day, 0),
        "rejected_rows": findings.rejected.get(day, 0),
        "expected_rows": expected,
    }
    facts |= {"waived": "; ".join(map(str, waivers))} if waivers else {}
    facts |= findings.null_shares.get(day, {})
    absent = findings.absent.get(day, {})
    checks = {}
    for name in CHECKS:
        description = "; ".join(problems[name][:10])
        metadata: dict[str, int | float | str | bool] = {"rows": rows, "problems": len(problems[name])}
        if name == COVERAGE:
            metadata |= {"expected": expected, "absent": sum(absent.values())}
            metadata |= {"absent_because": ", ".join(f"{n} {r}" for r, n in sorted(absent.items()))} if absent else {}
            metadata |= {"waived": "; ".join(map(str, waivers))} if waivers else {}
        code = ReasonCode(name) if problems[name] else None
        checks[name] = CheckVerdict(not problems[name], description or "no problems", metadata, code)
    published = not any(problems.values())
    return PartitionVerdict(day, published, rows, checks, facts)


def _entry(transform: Transform, v: PartitionVerdict, findings: AuditFindings, run: RunContext) -> LedgerEntry:
    return LedgerEntry(
        table=transform.table.id,
        day=v.day,
        state="published" if v.published else "refused",
        rows=v.rows,
        expected=findings.expected.get(v.day, 0),
        absent=findings.absent.get(v.day, {}),
        unexplained=findings.unexplained.get(v.day, 0),
        games=findings.games.get(v.day, 0),
        rejected=findings.rejected.get(v.day, 0),
        content_hash=findings.content.get(v.day, "") if v.published else "",
        reasons=tuple(map(str, v.reasons)),
        run_id=run.id,
        recorded_at=run.at,
    )
