"""Orphans: staging tables of ended runs are found by their labels and dropped; nothing else is touched, whatever its name."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from google.cloud.bigquery import Dataset, SchemaField
from google.cloud.bigquery import Table as StoredTable

from nba_pipeline.automation.sensors import housekeeping
from nba_pipeline.automation.staging_cleanup import NOTHING_STAGED, sweep, verdicts
from nba_pipeline.cli.main import main
from nba_pipeline.common.errors import WarehouseError
from nba_pipeline.warehouse.bigquery.client import JobLabels
from nba_pipeline.warehouse.bigquery.location import STAGING
from nba_pipeline.warehouse.bigquery.schema import staging
from nba_pipeline.warehouse.bigquery.staging import StagingTable, drop, staging_tables
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse
from nba_pipeline_tests.support.results import days, state, write

COLUMNS = [SchemaField("x", "INTEGER")]
ENDED = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> str:
    """The id of a run that Dagster knows to have this status."""
    return instance.create_run_for_job(_nothing, status=status).run_id


@dg.job
def _nothing() -> None:
    return None


def leave(warehouse: BigQueryWarehouse, run_id: str, name: str) -> None:
    """A staging table that its run did not drop."""
    table = staging(warehouse.connection.location, name, COLUMNS, JobLabels("nba_raw.results", run_id))
    warehouse.connection.client.create_table(table)


@pytest.mark.parametrize(
    "status", [s for s in dg.DagsterRunStatus if s is not dg.DagsterRunStatus.QUEUED], ids=lambda s: s.value
)
def test_a_staging_table_goes_when_its_run_has_ended_and_not_before(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    table = StagingTable("t", run(instance, status), "nba_raw_results", datetime.now(UTC), 0)
    (verdict,) = verdicts([table], instance)
    assert verdict.ended is (status in ENDED)


def test_what_no_run_is_known_of_stays(instance: dg.DagsterInstance) -> None:
    unknown = StagingTable("t", "5f5f5f5f-0000-0000-0000-000000000000", "nba_raw_results", datetime.now(UTC), 0)
    assert [v.ended for v in verdicts([unknown], instance)] == [False]


def test_49_orphans_go_and_tables_that_are_only_named_alike_stay(
    bigquery_warehouse: BigQueryWarehouse, instance: dg.DagsterInstance
) -> None:
    write(bigquery_warehouse, days(0, 1))
    dead, alive = run(instance, dg.DagsterRunStatus.FAILURE), run(instance, dg.DagsterRunStatus.STARTED)
    for i in range(49):
        leave(bigquery_warehouse, dead, f"results_rows_{i:02}")
    leave(bigquery_warehouse, alive, "results_rows_of_a_live_run")
    location, client = bigquery_warehouse.connection.location, bigquery_warehouse.connection.client
    client.create_table(StoredTable(f"{location.dataset(STAGING)}.by_hand_staging", schema=COLUMNS))
    ours = StoredTable(f"{location.dataset('nba_raw')}.results_staging", schema=COLUMNS)
    ours.labels = {"product": "nba_pipeline", "kind": "staging", "run": dead, "table": "nba_raw_results"}
    client.create_table(ours)
    assert len(sweep(bigquery_warehouse.connection, instance)) == 49
    left = {t.name for t in staging_tables(bigquery_warehouse.connection)}
    assert left == {"results_rows_of_a_live_run", "by_hand_staging"}
    assert client.get_table(ours.reference)
    assert state(bigquery_warehouse) == {0: (2, 1), 1: (2, 1)}
    assert sweep(bigquery_warehouse.connection, instance) == []


@pytest.mark.parametrize(
    "name", ["../nba_raw.results", "x.y", "x`", "nba_raw.results", ""], ids=["path", "dot", "quote", "table", "nothing"]
)
def test_no_name_leads_out_of_the_staging_dataset(bigquery_warehouse: BigQueryWarehouse, name: str) -> None:
    write(bigquery_warehouse, days(0))
    with pytest.raises(WarehouseError):
        drop(bigquery_warehouse.connection, StagingTable(name, "run", "nba_raw_results", datetime.now(UTC), 0))
    assert state(bigquery_warehouse) == {0: (2, 1)}


def test_a_table_without_our_labels_cannot_be_dropped(bigquery_warehouse: BigQueryWarehouse) -> None:
    with pytest.raises(WarehouseError, match="was not made by this product"):
        drop(bigquery_warehouse.connection, StagingTable("by_hand", "", "", datetime.now(UTC), 0))


def test_without_a_staging_dataset_there_is_nothing_to_list(bigquery_warehouse: BigQueryWarehouse) -> None:
    client, location = bigquery_warehouse.connection.client, bigquery_warehouse.connection.location
    client.create_dataset(Dataset(location.dataset("nba_raw")))
    assert staging_tables(bigquery_warehouse.connection) == []


def test_the_sensor_is_off_until_it_is_switched_on_and_skips_where_nothing_is_staged(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NBA_PIPELINE_WAREHOUSE", raising=False)
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(tmp_path))
    assert housekeeping.default_status is dg.DefaultSensorStatus.STOPPED
    with dg.build_sensor_context(instance=instance) as context:
        said: Any = housekeeping(context)
    assert NOTHING_STAGED in said.skip_message


def test_the_command_exists() -> None:
    assert {"staging"} <= set(main.commands)
