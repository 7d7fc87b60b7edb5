"""A small home of the pipeline with a short simulated history, and what is true in it afterwards."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pyarrow as pa
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from nba_pipeline.config.settings import Settings
from nba_pipeline.definitions import ASSETS, SETTINGS
from nba_pipeline.domain.calendar import EPOCH, days_between
from nba_pipeline.engine.transform import Transform
from nba_pipeline.orchestration.assets import Pipeline, table_asset
from nba_pipeline.orchestration.executor import refusal_tolerant_executor
from nba_pipeline.orchestration.instance import prepare
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.local_run import execute
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.orchestration.tags import RANGE_END, RANGE_START
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.warehouse import Days, Warehouse

FIRST, LAST = date(2021, 10, 19), date(2021, 11, 2)


def asset_of(transform: Transform) -> dg.AssetsDefinition:
    """The asset of a transform, configured as the definitions are."""
    return table_asset(transform, SETTINGS)


class HomePipeline(Pipeline):
    """The pipeline's resource, on a given home instead of the one of the environment."""

    home: str

    @property
    def settings(self) -> Settings:
        return Settings.from_environment({"NBA_PIPELINE_HOME": self.home})


@dataclass(frozen=True)
class Home:
    """Warehouse, source and Dagster storage below one directory."""

    path: Path

    @property
    def settings(self) -> Settings:
        return Settings.from_environment({"NBA_PIPELINE_HOME": str(self.path)})

    @property
    def warehouse(self) -> Warehouse:
        return self.settings.open_warehouse()

    @property
    def environment(self) -> dict[str, str]:
        """For processes that work on this home."""
        own = {k: v for k, v in os.environ.items() if not k.startswith(("NBA_PIPELINE_", "DAGSTER_"))}
        return own | {"NBA_PIPELINE_HOME": str(self.path), "DAGSTER_HOME": str(self.path / "dagster")}

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """The Dagster instance as the shipped `dagster.yaml` configures it."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DAGSTER_HOME", str(self.path / "dagster"))
            prepare(self.settings)
            with dg.DagsterInstance.get() as instance:
                yield instance

    def materialize(
        self, first: date, last: date, assets: Sequence[dg.AssetsDefinition] = ASSETS
    ) -> dg.JobExecutionResult:
        """One run of these assets over these days, by the executor of the product."""
        tags = {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}
        defs = dg.Definitions(
            assets=list(assets),
            resources={"pipeline": HomePipeline(home=str(self.path))},
            executor=refusal_tolerant_executor,
        )
        keys = [key for asset in assets for key in asset.keys]
        with self.instance() as instance:
            return execute(defs.resolve_implicit_global_asset_job_def(), instance, str(uuid4()), keys, tags)

    def bytes_of(self, table: str, day: date) -> bytes:
        """The rows of one day, all columns, by key."""
        contract = CATALOG[table].table
        wanted = {"rows": (contract, Days(day, day, tuple(contract.columns)))}
        rows = self.warehouse.read(wanted)["rows"].sort_by([(k, "ascending") for k in contract.key])
        assert rows.num_rows
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as stream:
            stream.write_table(rows.combine_chunks())
        return sink.getvalue().to_pybytes()

    def content(self) -> dict[tuple[str, date], tuple[int, str]]:
        """Rows and content hash of every table and day that has rows."""
        tables = [t.table for t in CATALOG.values()]
        held = self.warehouse.contents(tables, FIRST, LAST, hashes=True).to_pylist()
        return {(r["table_id"], r["day"]): (r["rows"], r["content_hash"]) for r in held}

    def refused(self, table: str) -> dict[date, str]:
        """Reasons of the days that are refused at present."""
        entries = self.warehouse.ledger([table]).to_pylist()
        return {e["day"]: str(e["reasons"]) for e in entries if e["state"] == "refused"}

    def published_by(self, table: str) -> dict[date, str]:
        """The run that published each day."""
        entries = self.warehouse.ledger([table]).to_pylist()
        return {e["day"]: e["run_id"] for e in entries if e["state"] == "published"}


def partitions(instance: dg.DagsterInstance, table: str) -> tuple[set[date], set[date]]:
    """The days that the UI shows as materialized and as failed; a failed day may have an earlier materialization."""
    daily = daily_partitions(EPOCH, None)
    status = get_and_update_asset_status_cache_value(instance, asset_key(CATALOG[table].table), daily)
    assert status is not None
    materialized = status.deserialize_materialized_partition_subsets(daily).get_partition_keys()
    failed = status.deserialize_failed_partition_subsets(daily).get_partition_keys()
    bad = {date.fromisoformat(k) for k in failed}
    return {date.fromisoformat(k) for k in materialized} - bad, bad


def check_statuses(instance: dg.DagsterInstance, table: str, name: str) -> Mapping[date, str]:
    """Status of a check by day; a verdict that is not about the latest materialization does not count."""
    key = dg.AssetCheckKey(asset_key(CATALOG[table].table), name)
    return {
        date.fromisoformat(info.partition_key): info.latest_execution_status.value
        for info in instance.event_log_storage.get_asset_check_partition_info([key])
        if info.partition_key
        and info.latest_target_materialization_storage_id == info.latest_materialization_storage_id
    }


def failure_text(result: dg.JobExecutionResult, table: str) -> str:
    """What the user reads when the table's step failed."""
    data = result.failure_data_for_node(table.replace(".", "__"))
    assert data is not None
    assert data.user_failure_data is not None, data.error_display_string
    return data.user_failure_data.description or ""


def all_days() -> set[date]:
    return set(days_between(FIRST, LAST))
