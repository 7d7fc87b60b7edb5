"""Prepare days of a table: read their inputs in one snapshot, compute, hash and audit them; nothing is written.

What is prepared is published by `nba_pipeline.engine.publish`, at once or after other tables.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline.asof.reads import Read
from nba_pipeline.common import clock
from nba_pipeline.contracts.checks import COVERAGE
from nba_pipeline.contracts.table import Table
from nba_pipeline.engine.audit import AuditFindings, audit, slate_columns
from nba_pipeline.engine.duckdb_executor import DuckDBExecutor
from nba_pipeline.engine.executor import Executor
from nba_pipeline.engine.plan import Plan
from nba_pipeline.engine.readiness import last_days_needed, unmet, waived
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import CLOCK, DAYS, MARKETS, SLATE, Transform
from nba_pipeline.engine.waivers import Waiver, Waivers
from nba_pipeline.engine.witnesses import settle
from nba_pipeline.sources.protocol import Source
from nba_pipeline.warehouse import Days, Reader, Warehouse


@dataclass
class Prepared:
    """Days of a table whose rows an executor holds, computed and audited, until they are published or `close` drops them.

    Attributes:
        transform: What computed them.
        days: The days, in order.
        run: The run that they belong to.
        executor: Holds the rows.
        blocked: The days that were not computed, each with what it needs.
        waivers: The waivers that took effect, by day.
        schedule: The read of the day's games; None where the table itself is it.
        basis: The ledger of these days of the table, and of the days that it reads, before they were computed; None where it was
            not noted.
        findings: What the audit found on the others.
        seconds: The time spent, by stage.
    """

    transform: Transform
    days: list[date]
    run: RunContext
    executor: Executor
    blocked: Mapping[date, str]
    waivers: Mapping[date, tuple[Waiver, ...]]
    schedule: Read | None = None
    basis: pa.Table | None = None
    findings: AuditFindings = field(default_factory=AuditFindings)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def computed(self) -> list[date]:
        return [d for d in self.days if d not in self.blocked]

    def is_current(self, warehouse: Warehouse) -> bool:
        """Return whether the ledger is unchanged since the days were computed; True where it was not noted.

        Args:
            warehouse: Where the tables are stored.
        """
        return self.basis is None or self.basis == _ledger(self.transform, self.schedule, warehouse, self.days)

    def close(self) -> None:
        self.executor.close()


def prepare(
    transform: Transform,
    days: Sequence[date],
    warehouse: Warehouse,
    source: Source,
    schedule: Read | None,
    run: RunContext,
    *,
    waits: bool = False,
) -> Prepared:
    """Compute and audit these days of the transform's table; the rows wait in the executor of what is returned.

    Args:
        transform: What computes the table.
        days: The days; at least one.
        warehouse: Where the tables that it reads are stored.
        source: Where its feeds come from.
        schedule: The read of the day's games, from which days without games are told apart; None where the table itself is it.
        run: The run.
        waits: Whether the rows wait before they are stored, so that others may publish meanwhile: `is_current` tells.

    Raises:
        SourceError: Raw data cannot be read at all.
        WarehouseError: The warehouse cannot be read.
    """
    ordered, spent = sorted(set(days)), defaultdict[str, float](float)
    with timed(spent, "plan"):
        plan = run.plans.of(transform, "bigquery" if is_pushed(transform, warehouse, run) else "duckdb")
    with timed(spent, "read"):
        with warehouse.snapshot():
            ledger = _ledger(transform, schedule, warehouse, ordered) if waits or transform.upstream() else None
            blocked, waivers = _blocked(transform, ledger, ordered, run.waivers)
            runnable = [d for d in ordered if d not in blocked]
            windows = _windows(transform, plan, schedule, runnable) if runnable else {}
            stored = warehouse.read(windows) if plan.dialect == DuckDBExecutor.dialect and windows else {}
        executor = _executor(transform, plan, warehouse, source, windows, stored, runnable, run)
        del stored  # the executor lets go of them before the rows are written
    basis = ledger if waits else None
    prepared = Prepared(transform, ordered, run, executor, blocked, waivers, schedule, basis, seconds=spent)
    try:
        if runnable:
            with timed(spent, "compute"):
                executor.compute(transform, runnable, run)
            with timed(spent, "audit"):
                prepared.findings = audit(transform, plan, executor, schedule)
                prepared.waivers = _settled(prepared.findings, waivers, transform.table.id, run)
    except BaseException:
        prepared.close()
        raise
    return prepared


def _settled(
    found: AuditFindings, waivers: Mapping[date, tuple[Waiver, ...]], table: str, run: RunContext
) -> dict[date, tuple[Waiver, ...]]:
    """Make problems of the disagreements that are not waived; returns the waivers that took effect, by day."""
    today = clock.eastern(run.at).date()
    problems, allowed = settle(found.disagreements, run.waivers.of(table), table, today)
    for day, said in problems.items():
        found.problems[day, COVERAGE] = [*said, *found.problems[day, COVERAGE]]
    return {**waivers, **{d: (*waivers.get(d, ()), w) for d, w in allowed.items()}}


@contextmanager
def timed(spent: dict[str, float], stage: str) -> Iterator[None]:
    """Add the seconds of the block to those of a stage."""
    began = time.perf_counter()
    try:
        yield
    finally:
        spent[stage] += time.perf_counter() - began


def _ledger(transform: Transform, schedule: Read | None, warehouse: Warehouse, days: list[date]) -> pa.Table:
    """Read the ledger of these days of the table, and of the days of all others that they are computed and audited with."""
    own, reads = transform.table.id, [*transform.reads.values(), *([schedule] if schedule else [])]
    first, last = min([days[0], *(r.needed(days)[0] for r in reads)]), last_days_needed(reads, days)
    ledger = warehouse.ledger(list(dict.fromkeys([own, *last])), first, days[-1])
    wanted = (pc.field("table_id") == own) & (pc.field("day") >= pa.scalar(days[0], pa.date32()))
    for table in last.keys() - {own}:
        wanted |= (pc.field("table_id") == table) & (pc.field("day") <= pa.scalar(last[table], pa.date32()))
    return ledger.filter(wanted)


def _blocked(
    transform: Transform, ledger: pa.Table | None, days: list[date], waivers: Waivers
) -> tuple[dict[date, str], dict[date, tuple[Waiver, ...]]]:
    """Days that cannot be computed, with what they need; and the waivers that let others be computed on gaps."""
    if ledger is None or not transform.upstream():
        return {}, {}
    return unmet(transform.reads, ledger, days, waivers), waived(transform.reads, ledger, days, waivers)


def is_pushed(transform: Transform, warehouse: Warehouse, run: RunContext) -> bool:
    """Whether BigQuery computes the table: where the settings push it down; an in-process DuckDB computes all others."""
    if warehouse.dialect != "bigquery":
        return False
    # Imported here, because Google's clients are not needed, nor loaded, where the warehouse is a DuckDB file.
    from nba_pipeline.engine.bigquery_executor import is_pushed as fits
    from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse

    return isinstance(warehouse, BigQueryWarehouse) and fits(transform, warehouse, run.plans)


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
