"""One table in a run: what it is computed with, and its days published or prepared to be."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from threading import Lock

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
        ready: Returns the block of a number where another thread has prepared it, and waits for it where one is about to, else
            None; None where no other thread prepares blocks.
        checked: The days whose stored features were looked at.
        checking: Guards these, so that no two threads look at the same.
    """

    transform: Transform
    days: tuple[date, ...]
    settings: Settings
    run: RunContext
    plan: Plan
    warehouse: Warehouse
    source: FingerprintingSource
    ready: Callable[[int], Prepared | None] | None = None
    checked: set[date] = field(default_factory=set)
    checking: Lock = field(default_factory=Lock)

    @property
    def schedule(self) -> Read | None:
        """The read of the day's games; None for the schedule itself."""
        return schedule_read(self.transform)

    @property
    def blocks(self) -> list[list[date]]:
        return blocks_of(self.transform, self.days, len(self.run.markets))

    def prepare(self, block: int) -> Prepared:
        """Compute and audit the block of a number; nothing is published.

        Raises:
            MissingHistoryError: Models would read features that were not computed.
        """
        days = self.blocks[block]
        self._require_model_features(days)
        return prepare(self.transform, days, self.warehouse, self.source, self.schedule, self.run, waits=True)

    def publish(self) -> Generator[Publication]:
        """Publish the days block by block, each with the digests of the feeds that it was built from.

        Raises:
            MissingHistoryError: Models would read features that were not computed.
        """
        self._require_model_features(self.days)
        publications = publish_in_blocks(
            self.transform, self.blocks, self.warehouse, self.source, self.schedule, self.run, self.ready
        )
        with closing(publications):
            for block in publications:
                self.source.record(SourceState(self.settings.open_state()), self.run.id, block.published)
                if block.published:
                    self.settings.record_origin()
                yield block

    def _require_model_features(self, days: Sequence[date]) -> None:
        """Refuse to compute these days from stored features that lack what the models read."""
        with self.checking:
            if unchecked := sorted(set(days) - self.checked):
                require_model_features(self.transform, self.plan.used_columns, self.warehouse, unchecked, self.run.id)
                self.checked.update(unchecked)


def open_table_run(transform: Transform, days: tuple[date, ...], settings: Settings, run_id: str) -> TableRun:
    """Open what a table's days are computed with.

    Args:
        transform: What computes the table.
        days: The days.
        settings: The settings of the environment.
        run_id: The id of the run.
    """
    waivers = read_waivers(settings.open_state().declarations(), graph_order(), clock.today())
    plans = stored_plans(settings.cache)
    run = RunContext(run_id, clock.now(), settings.markets, settings.open_artifacts(), waivers, plans)
    wait_for_plan(transform.table.id)
    plan, warehouse = plans.of(transform, "duckdb"), settings.open_warehouse()
    return TableRun(transform, days, settings, run, plan, warehouse, FingerprintingSource(settings.open_source()))
