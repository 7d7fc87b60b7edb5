"""One table in a run: what it is computed with, and its days published or prepared to be."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa

from nba_pipeline.asof.reads import Read
from nba_pipeline.common import clock
from nba_pipeline.config.settings import Settings
from nba_pipeline.engine.plan import Plan
from nba_pipeline.engine.prepare import Prepared, prepare
from nba_pipeline.engine.publish import Publication, publish_in_blocks, store
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import Transform
from nba_pipeline.engine.waivers import read_waivers
from nba_pipeline.orchestration.feature_readiness import require_model_features
from nba_pipeline.sources.fingerprints import FingerprintingSource
from nba_pipeline.sources.state_db import SourceState
from nba_pipeline.tables.catalog import blocks_of, graph_order, schedule_read
from nba_pipeline.tables.plans import stored_plans
from nba_pipeline.warehouse import Warehouse


@dataclass(frozen=True)
class TableRun:
    """The days of a table in a run, with all that computes, stores and describes them.

    Attributes:
        transform: What computes them.
        days: The days.
        settings: The settings of the environment.
        run: The run.
        plan: The statements of the table.
        warehouse: Where it is stored.
        source: Where its feeds come from.
        prepared: The days, computed and not published; None before.
        basis: What the ledger said of the table, and of those that it reads, before they were computed; None before.
    """

    transform: Transform
    days: tuple[date, ...]
    settings: Settings
    run: RunContext
    plan: Plan
    warehouse: Warehouse
    source: FingerprintingSource
    prepared: Prepared | None = None
    basis: pa.Table | None = None

    @property
    def schedule(self) -> Read | None:
        """The read of the day's games; None for the schedule itself."""
        return schedule_read(self.transform)

    def prepare(self) -> "TableRun":
        """Compute and audit the days, and return them with this; nothing is published."""
        basis = self._ledger()
        made = prepare(self.transform, self.days, self.warehouse, self.source, self.schedule, self.run)
        return replace(self, prepared=made, basis=basis)

    def _ledger(self) -> pa.Table:
        """Read what the ledger says of the table and of all tables that it is computed and audited with."""
        reads = [*self.transform.reads.values(), *([self.schedule] if self.schedule else [])]
        first = min([self.days[0], *(r.needed(list(self.days))[0] for r in reads)])
        tables = dict.fromkeys([self.transform.table.id, *(r.table.id for r in reads)])
        return self.warehouse.ledger(list(tables), first, self.days[-1])

    def publish(self) -> Iterator[Publication]:
        """Publish the days block by block, each with the digests of the feeds that it was built from."""
        for block in self._blocks():
            self.source.record(SourceState(self.settings.open_state()), self.run.id, block.published)
            if block.published:
                self.settings.record_origin()
            yield block

    def _blocks(self) -> Iterator[Publication]:
        if self.prepared is not None and self.basis == self._ledger():
            return iter([store(self.prepared, self.warehouse)])
        if self.prepared is not None:  # another run has published what it was computed from, or the days themselves
            self.prepared.close()
        return publish_in_blocks(
            self.transform,
            blocks_of(self.transform, self.days, len(self.run.markets)),
            self.warehouse,
            self.source,
            self.schedule,
            self.run,
        )


def open_table_run(transform: Transform, days: tuple[date, ...], settings: Settings, run_id: str) -> TableRun:
    """Open what a table's days are computed with, and refuse stored features that lack what models read.

    Args:
        transform: What computes the table.
        days: The days.
        settings: The settings of the environment.
        run_id: The id of the run.

    Raises:
        MissingHistoryError: Models would read features that were not computed.
    """
    waivers = read_waivers(settings.open_state().declarations(), graph_order(), clock.today())
    plans = stored_plans(settings.cache)
    run = RunContext(run_id, clock.now(), settings.markets, settings.open_artifacts(), waivers, plans)
    plan, warehouse = plans.of(transform, "duckdb"), settings.open_warehouse()
    require_model_features(transform, plan.used_columns, warehouse, list(days))
    return TableRun(transform, days, settings, run, plan, warehouse, FingerprintingSource(settings.open_source()))
