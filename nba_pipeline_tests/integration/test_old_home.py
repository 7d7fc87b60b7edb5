"""A home whose dagster.yaml names the earlier addresses of the event log opens and shows its history."""

from pathlib import Path

import dagster as dg
import yaml

from nba_pipeline import event_log, event_log_postgres
from nba_pipeline.orchestration.event_log.postgres import BatchedPostgresEventLogStorage
from nba_pipeline.orchestration.event_log.sqlite import BatchedSqliteEventLogStorage


def write_config(home: Path, module: str) -> None:
    storage = {"module": module, "class": "BatchedSqliteEventLogStorage", "config": {"base_dir": str(home)}}
    (home / "dagster.yaml").write_text(yaml.safe_dump({"event_log_storage": storage, "telemetry": {"enabled": False}}))


def test_events_written_through_the_earlier_address_are_read_through_it_and_through_the_present_one(
    tmp_path: Path,
) -> None:
    for module in ("nba_pipeline.event_log", BatchedSqliteEventLogStorage.__module__):
        write_config(tmp_path, module)
        with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
            assert isinstance(instance.event_log_storage, BatchedSqliteEventLogStorage)
            if module == "nba_pipeline.event_log":
                instance.report_runless_asset_event(
                    dg.AssetMaterialization(["nba_raw", "shots"], partition="2024-01-01")
                )
            assert instance.get_materialized_partitions(dg.AssetKey(["nba_raw", "shots"])) == {"2024-01-01"}


def test_the_earlier_address_of_the_postgres_event_log_names_the_same_class() -> None:
    assert event_log_postgres.BatchedPostgresEventLogStorage is BatchedPostgresEventLogStorage
    assert event_log.BatchedSqliteEventLogStorage is BatchedSqliteEventLogStorage
