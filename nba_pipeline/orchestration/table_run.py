"""One table in a run: what it is computed with, and its days published or prepared to be."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import date

from nba_pipeline.asof.reads import Read
from nba_pipeline.common import clock
from nba_pipeline.config.settings import Settings
from nba_pipeline.engine.plan import Plan
from nba_pipeline.engine.prepare import Prepared, prepare
from nba_pipeline.engine.publish import Publication, publish_in_blocks
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import Transform
from nba_pipeline.engine.waivers import read_waivers
from nba_pipeline.orchestration.compiling import wait_for_plan
from nba_pipeline.orchestration.feature_readiness import require_model_features
from nba_pipeline.sources.fingerprints import FingerprintingSource
from nba_pipeline.sources.state_db import SourceState
from nba_pipeline.tables.catalog import blocks_ahead, blocks_of, graph_order, schedule_read
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
        prepared: The first block of the days, computed and not published; None before.
        under_way: Waits for the first block, which another thread computes; None where none does.
    """

    transform: Transform
    days: tuple[date, ...]
    settings: Settings
    run: RunContext
    plan: Plan
    warehouse: Warehouse
    source: FingerprintingSource
    prepared: Prepared | None = None
    under_way: Callable[[], Prepared] | None = None

    @property
    def schedule(self) -> Read | None:
        """The read of the day's games; None for the schedule itself."""
        return schedule_read(self.transform)

    @property
    def blocks(self) -> list[list[date]]:
        return blocks_of(self.transform, self.days, len(self.run.markets))

    def prepare(self) -> "TableRun":
        """Compute and audit the first block of the days, and return them with this; nothing is published."""
        first, *_ = self.blocks
        made = prepare(self.transform, first, self.warehouse, self.source, self.schedule, self.run, waits=True)
        return replace(self, prepared=made)

    def publish(self) -> Generator[Publication]:
        """Publish the days block by block, each with the digests of the feeds that it was built from."""
        made, blocks = self.prepared, self.blocks
        several = len(blocks) > 1 and self.warehouse.dialect == "duckdb"
        publications = publish_in_blocks(
            self.transform,
            blocks,
            self.warehouse,
            self.source,
            self.schedule,
            self.run,
            first=self.under_way if made is None else lambda: made,
            ahead=blocks_ahead(self.transform, len(self.run.markets)) if several else 0,
        )
        with ExitStack() as ended:
            if made:
                ended.callback(made.close)  # of a run that is interrupted before it is stored
            ended.enter_context(closing(publications))
            for block in publications:
                self.source.record(SourceState(self.settings.open_state()), self.run.id, block.published)
                if block.published:
                    self.settings.record_origin()
                yield block


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
    wait_for_plan(transform.table.id)
    plan, warehouse = plans.of(transform, "duckdb"), settings.open_warehouse()
    require_model_features(transform, plan.used_columns, warehouse, list(days), run_id)
    return TableRun(transform, days, settings, run, plan, warehouse, FingerprintingSource(settings.open_source()))
