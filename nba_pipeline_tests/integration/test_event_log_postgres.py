"""The batched event log in Postgres: several writers lose nothing, and verdicts do not go one by one."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest
from dagster_postgres import PostgresEventLogStorage

from nba_pipeline.orchestration.event_log.postgres import BatchedPostgresEventLogStorage
from nba_pipeline_tests.integration.test_event_log import (
    NAMES,
    PARENT,
    STOCK_POSTGRES,
    defs,
    evaluation,
    materialization,
    opened,
    planned,
    planned_check,
    storage_config,
)
from nba_pipeline_tests.support.postgres import Postgres

RANGE = {"dagster/asset_partition_range_start": "2024-01-02", "dagster/asset_partition_range_end": "2024-01-08"}
DAYS = [f"2024-01-{n:02}" for n in range(1, 11)]


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.url(postgres.new_database())


@pytest.fixture
def storage(url: str) -> Iterator[BatchedPostgresEventLogStorage]:
    made = BatchedPostgresEventLogStorage(url)
    yield made
    made.dispose()


def executions(storage: BatchedPostgresEventLogStorage) -> list[tuple]:
    statement = "SELECT asset_key, run_id, partition, execution_status FROM asset_check_executions ORDER BY 1, 2, 3"
    with storage.index_connection() as conn:
        return [tuple(row) for row in conn.exec_driver_sql(statement)]


def test_writers_that_touch_the_same_assets_in_opposite_order_lose_nothing(
    url: str, storage: BatchedPostgresEventLogStorage
) -> None:
    def write(name: str, assets: Sequence[str]) -> None:
        writer = BatchedPostgresEventLogStorage(url)
        for _ in range(10):
            writer.store_event_batch([materialization(a, d, name) for a in assets for d in DAYS])
        writer.store_event_batch([planned_check(a, DAYS) for a in assets] if name == "up" else [])
        writer.store_event_batch([evaluation(a, d, True, name) for a in assets for d in DAYS])
        writer.dispose()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ("up", "down"), (["a", "b", "c"], ["c", "b", "a"])))
    for name in ("up", "down"):
        assert len(storage.get_records_for_run(name, limit=1000).records) == 300 + 30
    assert {row[3] for row in executions(storage) if row[1] in ("up", "down")} == {"SUCCEEDED"}
    assert len(executions(storage)) == 60 + 30


def test_the_last_of_two_verdicts_in_a_batch_stands(storage: BatchedPostgresEventLogStorage) -> None:
    storage.store_event_batch(
        [planned_check("a", DAYS[:1]), evaluation("a", DAYS[0], True), evaluation("a", DAYS[0], False)]
    )
    assert executions(storage) == [('["a"]', "run", DAYS[0], "FAILED")]


def test_numbers_follow_the_order_of_the_batch(storage: BatchedPostgresEventLogStorage) -> None:
    storage.store_event_batch([planned("a", day) for day in DAYS * 300])
    found = storage.get_records_for_run("run", limit=5000).records
    assert [r.event_log_entry.get_dagster_event().partition for r in found] == DAYS * 300
    assert [r.storage_id for r in found] == sorted(r.storage_id for r in found)


def test_verdicts_of_a_range_on_dagsters_own_postgres_storage_are_not_stored_one_by_one(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_by_one: list[str | None] = []
    store_event = PostgresEventLogStorage.store_event

    def counted(self: PostgresEventLogStorage, event: dg.EventLogEntry) -> None:
        if event.dagster_event and event.dagster_event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            one_by_one.append(event.dagster_event.partition)
        store_event(self, event)

    monkeypatch.setattr(PostgresEventLogStorage, "store_event", counted)
    home = tmp_path / "home"
    with opened(home, storage_config(STOCK_POSTGRES, home, request)) as instance:
        job = defs.resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(instance=instance, tags=RANGE, asset_selection=[PARENT]).success
        infos = instance.event_log_storage.get_asset_check_partition_info([dg.AssetCheckKey(PARENT, n) for n in NAMES])
    assert len([i for i in infos if i.partition_key]) == 7 * len(NAMES)
    assert len(one_by_one) == len(NAMES)
