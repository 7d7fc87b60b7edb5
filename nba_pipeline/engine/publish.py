"""Compute, audit, publish: the one path by which rows reach a table. No orchestrator here; `table_asset` wraps it.

Inputs are read in one snapshot, the result is computed and hashed outside any lock, every partition is audited, and the
good partitions are published in one transaction. A partition that fails a rule is refused: its earlier rows stay, and
the rows that broke the rule go to quarantine with the reason. Many days are published in blocks, each in this way, so that
memory does not grow with them.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from nba_pipeline.asof.reads import Read
from nba_pipeline.common import clock
from nba_pipeline.common.memory import give_back
from nba_pipeline.contracts.checks import CHECKS, COVERAGE
from nba_pipeline.contracts.table import Table
from nba_pipeline.engine import computed
from nba_pipeline.engine.audit import AuditFindings, audit, slate_columns
from nba_pipeline.engine.blocks import blocks, not_among, without_day
from nba_pipeline.engine.duckdb_executor import DuckDBExecutor
from nba_pipeline.engine.executor import Executor
from nba_pipeline.engine.plan import Plan
from nba_pipeline.engine.readiness import unmet, waived
from nba_pipeline.engine.refusals import ReasonCode
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import CLOCK, DAYS, MARKETS, SLATE, Transform
from nba_pipeline.engine.verdicts import CheckVerdict, PartitionVerdict
from nba_pipeline.engine.waivers import Waiver, Waivers
from nba_pipeline.engine.witnesses import settle
from nba_pipeline.sources.protocol import Source
from nba_pipeline.warehouse import Days, LedgerEntry, Reader, Warehouse
from nba_pipeline.warehouse.protocol import REJECT_SCHEMA

# Days up to which memory is not worth tidying up.
SHORT = 31


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
    days: Sequence[date],
    warehouse: Warehouse,
    source: Source,
    schedule: Read | None,
    run: RunContext,
    seasons: int,
) -> Iterator[Publication]:
    """Publish these days as `publish` does, in blocks of so many `seasons` at most, so that memory does not grow with history.

    What BigQuery computes needs no memory here, and is one block. An error ends the run between two blocks: those before are
    published and recorded in the ledger, of those after nothing is.
    """
    pushed = _is_pushed(transform, warehouse, run)
    earlier = Publication([])
    for block in [days] if pushed else blocks(days, seasons):
        earlier = publish(transform, block, warehouse, source, schedule, run, earlier)
        if len(block) > SHORT:
            give_back()
        yield earlier


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
    ordered = sorted(set(days))
    publication = Publication([])
    if not ordered:
        return publication
    spent = publication.seconds
    with _timed(spent, "plan"):
        plan = run.plans.of(transform, "bigquery" if _is_pushed(transform, warehouse, run) else "duckdb")
    with _timed(spent, "read"):
        with warehouse.snapshot():
            blocked, waivers = _blocked(transform, warehouse, ordered, run.waivers)
            runnable = [d for d in ordered if d not in blocked]
            windows = _windows(transform, plan, schedule, runnable) if runnable else {}
            stored = warehouse.read(windows) if plan.dialect == DuckDBExecutor.dialect and windows else {}
        executor = _executor(transform, plan, warehouse, source, windows, stored, runnable, run)
        del stored  # the executor lets go of them before the rows are written
    try:
        findings = AuditFindings()
        if runnable:
            with _timed(spent, "compute"):
                executor.compute(transform, runnable, run)
            with _timed(spent, "audit"):
                findings = audit(transform, plan, executor, schedule)
                waivers = _settled(findings, waivers, transform.table.id, run)
        verdicts = [
            _unmet(d, blocked[d]) if d in blocked else _verdict(d, findings, waivers.get(d, ())) for d in ordered
        ]
        publication.verdicts = verdicts
        entries = [_entry(transform, v, AuditFindings() if v.day in blocked else findings, run) for v in verdicts]
        with _timed(spent, "write"):
            rejects = executor.rejects(transform.table, run.id, run.at) if runnable else REJECT_SCHEMA.empty_table()
            known = earlier.undated if earlier else REJECT_SCHEMA.empty_table()
            new = not_among(known, rejects)
            rejects = pa.concat_tables([known, new])
            made = _computed(transform, executor, publication.published, findings)
            executor.store(warehouse, transform.table, publication.published, entries, rejects)
        for day, of_day in made.items():
            computed.remember(run.id, transform.table.id, day, of_day)
        publication.rejected, publication.undated = new.num_rows, without_day(rejects)
    finally:
        executor.close()
    return publication


def _computed(
    transform: Transform, executor: Executor, published: list[date], findings: AuditFindings
) -> dict[date, computed.Computed]:
    """What a replay of a single day may know: what statements made it from. What Python makes is always made again."""
    if len(published) != 1 or transform.apply is not None or not isinstance(executor, DuckDBExecutor):
        return {}
    (day,) = published
    return {day: computed.Computed(executor.inputs, findings.content.get(day, ""))}


def _settled(
    found: AuditFindings, waivers: dict[date, tuple[Waiver, ...]], table: str, run: RunContext
) -> dict[date, tuple[Waiver, ...]]:
    """Make problems of the disagreements that are not waived; returns the waivers that took effect, by day."""
    today = clock.eastern(run.at).date()
    problems, allowed = settle(found.disagreements, run.waivers.of(table), table, today)
    for day, said in problems.items():
        found.problems[day, COVERAGE] = [*said, *found.problems[day, COVERAGE]]
    return waivers | {d: (*waivers.get(d, ()), w) for d, w in allowed.items()}


@contextmanager
def _timed(spent: dict[str, float], stage: str) -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    finally:
        spent[stage] += time.perf_counter() - began


def _blocked(
    transform: Transform, warehouse: Warehouse, days: list[date], waivers: Waivers
) -> tuple[dict[date, str], dict[date, tuple[Waiver, ...]]]:
    """Days that cannot be computed, with what they need; and the waivers that let others be computed on gaps."""
    if not transform.upstream():
        return {}, {}
    first = min(r.needed(days)[0] for r in transform.reads.values())
    ledger = warehouse.ledger([t.id for t in transform.upstream()], first, days[-1])
    return unmet(transform.reads, ledger, days, waivers), waived(transform.reads, ledger, days, waivers)


def _is_pushed(transform: Transform, warehouse: Warehouse, run: RunContext) -> bool:
    """Whether BigQuery computes the table: where the settings push it down; an in-process DuckDB computes all others."""
    if warehouse.dialect != "bigquery":
        return False
    # Imported here, because Google's clients are not needed, nor loaded, where the warehouse is a DuckDB file.
    from nba_pipeline.engine.bigquery_executor import is_pushed
    from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse

    return isinstance(warehouse, BigQueryWarehouse) and is_pushed(transform, warehouse, run.plans)


def _executor(
    transform: Transform,
    plan: Plan,
    warehouse: Warehouse,
    source: Source,
    windows: Mapping[str, tuple[Table, Days]],
    stored: dict[str, pa.Table],
    days: list[date],
    run: RunContext,
) -> Executor:
    """Open the executor of the plan's dialect on the inputs: BigQuery reads its windows itself."""
    if plan.dialect == "bigquery":
        from nba_pipeline.engine.bigquery_executor import BigQueryExecutor  # as above
        from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse

        assert isinstance(warehouse, BigQueryWarehouse), "only tables of a BigQuery warehouse are pushed down to it"
        return BigQueryExecutor(warehouse, transform, windows, run)
    return DuckDBExecutor(stored | _other_inputs(transform, source, days, run) if days else {})


def _windows(
    transform: Transform, plan: Plan, schedule: Read | None, days: list[date]
) -> dict[str, tuple[Table, Days]]:
    """List what to read of each table, by name of the input."""
    reads = dict(transform.reads) | ({SLATE: schedule} if schedule else {})
    columns = {**plan.used_columns, SLATE: slate_columns(schedule)}
    windows = {}
    for name, read in reads.items():
        windows[name] = (read.table, Days(*read.needed(days), columns[name]))
    return windows


def read_inputs(
    transform: Transform, warehouse: Reader, source: Source, schedule: Read | None, days: list[date], run: RunContext
) -> dict[str, pa.Table]:
    """Read all inputs of the transform for days, by parameter name, from one snapshot of the warehouse."""
    stored = warehouse.read(_windows(transform, run.plans.of(transform, DuckDBExecutor.dialect), schedule, days))
    return stored | _other_inputs(transform, source, days, run)


def _other_inputs(transform: Transform, source: Source, days: list[date], run: RunContext) -> dict[str, pa.Table]:
    """Read the feeds and witnesses of the transform for days, and what it needs to know of the run, by parameter name."""
    inputs = {name: source.read(feed, days) for name, feed in transform.feeds.items()}
    inputs |= {name: source.read(w.feed.as_witness(), w.days(days)) for name, w in transform.witnesses.items()}
    run_inputs = {
        CLOCK: pa.table({"now": pa.array([run.at], pa.timestamp("us", "UTC"))}),
        DAYS: pa.table({"day": pa.array(days, pa.date32())}),
        MARKETS: pa.table({"market": pa.array(run.markets, pa.string())}),
    }
    return inputs | {n: rows for n, rows in run_inputs.items() if n in transform.parameters}


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
