"""The batched event log answers as the stock one does, is safe for several processes, and loses nothing."""

import datetime
import json
import multiprocessing
import os
import signal
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as db
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.events import AssetMaterializationPlannedData, StepMaterializationData
from dagster._core.execution.plan.objects import StepSuccessData
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage, SqlEventLogStorage, sql_event_log
from dagster._core.storage.event_log.base import EventLogStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata, SqlEventLogStorageTable
from dagster._core.test_utils import in_process_test_workspace
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._serdes import deserialize_value, serialize_value
from dagster_graphql.test.utils import execute_dagster_graphql
from sqlalchemy.exc import OperationalError

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.config.settings import Settings
from nba_pipeline.engine.verdicts import CheckVerdict, PartitionVerdict
from nba_pipeline.orchestration.event_log import packing, pruning
from nba_pipeline.orchestration.event_log import sqlite as event_log
from nba_pipeline.orchestration.event_log.batching import BATCH_SIZE
from nba_pipeline.orchestration.event_log.pruning import prune
from nba_pipeline.orchestration.event_log.sqlite import (
    BatchedSqliteEventLogStorage,
    EventLogBusyError,
    EventLogFailedError,
)
from nba_pipeline.orchestration.executor import refusal_tolerant_executor
from nba_pipeline.orchestration.instance import opened as open_instance
from nba_pipeline.orchestration.local_run import execute
from nba_pipeline.orchestration.partition_results import check_specs, report
from nba_pipeline_tests.support.postgres import Postgres

DAILY = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-11", timezone="America/New_York")
PARENT, CHILD = dg.AssetKey(["analytics", "box_scores"]), dg.AssetKey(["precompute", "form"])
NAMES = ("contract", "coverage")
MATERIALIZED = dg.DagsterEventType.ASSET_MATERIALIZATION


# ---- one history of runs, on both storages -----------------------------------------------------------------------


def table(key: dg.AssetKey, deps: Sequence[dg.AssetKey] = ()) -> dg.AssetsDefinition:
    @dg.asset(
        key=key,
        deps=deps,
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=check_specs(key, NAMES, dict.fromkeys(NAMES, "rule"), DAILY),
    )
    def built(context: dg.AssetExecutionContext) -> Iterator[Any]:
        bad = context.run.tags.get("bad", "").split()
        yield from report(context, key, [_verdict(day, day not in bad) for day in context.partition_keys])

    return built


def _verdict(key: str, good: bool) -> PartitionVerdict:
    checks = {
        "contract": CheckVerdict(good, "fine" if good else "points is NULL", {"bad_rows": 0 if good else 3}),
        "coverage": CheckVerdict(True, "10 of 10 games", {"games": 10}),
    }
    day = datetime.date.fromisoformat(key)
    return PartitionVerdict(day, good, 200 + day.day, checks, {})


@dg.asset(key=["raw", "notes"])
def unpartitioned(context: dg.AssetExecutionContext) -> None:
    context.log.info("an asset without partitions or checks")
    context.log_event(dg.AssetObservation(asset_key="feed", metadata={"rows": 1}))


defs = dg.Definitions(assets=[table(PARENT), table(CHILD, [PARENT]), unpartitioned])


BATCHED, HELD, POSTGRES, STOCK_POSTGRES = "batched", "batched and held", "batched postgres", "stock postgres"


@contextmanager
def opened(home: Path, event_log_storage: Mapping[str, Any] | None) -> Iterator[dg.DagsterInstance]:
    """An instance with this event log; None: the stock one."""
    home.mkdir(exist_ok=True)
    overrides = {"event_log_storage": dict(event_log_storage)} if event_log_storage else {}
    with dg.DagsterInstance.local_temp(str(home), overrides=overrides) as instance:
        yield instance


def storage_config(kind: str, home: Path, request: pytest.FixtureRequest) -> Mapping[str, Any]:
    if kind in (BATCHED, HELD):
        config, place = (
            {"base_dir": str(home)},
            ("nba_pipeline.orchestration.event_log.sqlite", "BatchedSqliteEventLogStorage"),
        )
    else:
        server: Postgres = request.getfixturevalue("postgres")
        config = {"postgres_url": server.url(server.new_database())}
        batched = ("nba_pipeline.orchestration.event_log.postgres", "BatchedPostgresEventLogStorage")
        place = batched if kind == POSTGRES else ("dagster_postgres", "PostgresEventLogStorage")
    return {"module": place[0], "class": place[1], "config": config}


def live_through(instance: dg.DagsterInstance) -> None:
    """A good range, a range with a refused day, its repair, a single partition, an asset of another kind, a wipe."""
    job = defs.resolve_implicit_global_asset_job_def()

    def run(assets: Sequence[dg.AssetKey], start: str, end: str, bad: str = "") -> None:
        tags = {"dagster/asset_partition_range_start": start, "dagster/asset_partition_range_end": end, "bad": bad}
        job.execute_in_process(instance=instance, tags=tags, asset_selection=list(assets), raise_on_error=False)

    run([PARENT, CHILD], "2024-01-02", "2024-01-05")
    run([PARENT, CHILD], "2024-01-04", "2024-01-07", bad="2024-01-04 2024-01-06")
    run([PARENT], "2024-01-04", "2024-01-04")
    dg.materialize([table(PARENT)], instance=instance, partition_key="2024-01-09")
    dg.materialize([unpartitioned], instance=instance)
    instance.wipe_assets([dg.AssetKey("feed")])


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """The history on the stock storage."""
    with opened(tmp_path_factory.mktemp("homes") / "stock", None) as instance:
        live_through(instance)
        yield instance


@pytest.fixture(scope="module", params=[BATCHED, pytest.param(HELD, marks=pytest.mark.guard), POSTGRES, STOCK_POSTGRES])
def other(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """The same history where verdicts are written in batches: on our storages, and on Dagster's own Postgres storage.

    The jobs of the pipeline hold what a step reports at its end, too.
    """
    home = tmp_path_factory.mktemp("homes") / "other"
    with opened(home, storage_config(request.param, home, request)) as instance:
        with ExitStack() as held:
            if request.param == HELD:
                assert isinstance(instance.event_log_storage, BatchedSqliteEventLogStorage)
                held.enter_context(instance.event_log_storage.holding())
            live_through(instance)
        yield instance


class Normalised:
    """Answers of one instance with run ids and storage ids replaced by what they stand for."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.storage: EventLogStorage = instance.event_log_storage
        ids = [record.dagster_run.run_id for record in instance.get_run_records(ascending=True)]
        self.runs = {run_id: f"run {number}" for number, run_id in enumerate(ids, 1)}

    def text(self, value: object) -> str:
        found = json.dumps(value, default=str)
        for run_id, name in self.runs.items():
            found = found.replace(run_id, name)
        return found

    def latest(self, key: dg.AssetKey) -> Mapping[str, str]:
        latest = self.storage.get_latest_storage_id_by_partition(key, MATERIALIZED)
        records = self.storage.get_asset_event_summary_records(MATERIALIZED, key, storage_ids=list(latest.values()))
        assert {record.partition: record.storage_id for record in records} == latest
        return {str(record.partition): self.runs[str(record.run_id)] for record in records}


@pytest.fixture(scope="module")
def pair(stock: dg.DagsterInstance, other: dg.DagsterInstance) -> tuple[Normalised, Normalised]:
    return Normalised(stock), Normalised(other)


def test_every_run_has_the_same_events_in_the_same_order(pair: tuple[Normalised, Normalised]) -> None:
    def events(side: Normalised) -> list[list[tuple[object, ...]]]:
        return [
            [
                (entry.dagster_event_type, entry.step_key, event and event.asset_key, event and event.partition)
                for entry in side.instance.all_logs(run_id)
                for event in [entry.dagster_event]
            ]
            for run_id in side.runs
        ]

    stock, batched = map(events, pair)
    assert [Counter(run) for run in batched] == [Counter(run) for run in stock]
    assert batched == stock
    assert len(batched) == 5


def test_the_latest_materialization_of_each_partition_is_the_same(pair: tuple[Normalised, Normalised]) -> None:
    stock, batched = pair
    assert batched.latest(PARENT) == stock.latest(PARENT)
    assert batched.latest(CHILD) == stock.latest(CHILD)
    assert batched.latest(PARENT)["2024-01-05"] == "run 2"
    assert "2024-01-06" not in batched.latest(PARENT)


def test_the_history_of_every_check_is_the_same(pair: tuple[Normalised, Normalised]) -> None:
    def history(side: Normalised, key: dg.AssetKey, name: str) -> list[tuple[object, ...]]:
        found = []
        for record in side.storage.get_asset_check_execution_history(dg.AssetCheckKey(key, name), limit=500):
            data = (
                record.event.dagster_event.event_specific_data if record.event and record.event.dagster_event else None
            )
            evaluation = data if isinstance(data, dg.AssetCheckEvaluation) else None
            target = evaluation.target_materialization_data if evaluation else None
            shown = evaluation and (evaluation.passed, evaluation.description, evaluation.metadata)
            found.append(
                (record.partition, record.status, side.runs[record.run_id], shown, target and side.runs[target.run_id])
            )
        return found

    stock, batched = pair
    for key in (PARENT, CHILD):
        for name in NAMES:
            assert history(batched, key, name) == history(stock, key, name)
    assert history(batched, PARENT, "contract")


def test_the_status_of_every_check_and_partition_is_the_same(pair: tuple[Normalised, Normalised]) -> None:
    def status(side: Normalised) -> list[tuple[object, ...]]:
        keys = [dg.AssetCheckKey(key, name) for key in (PARENT, CHILD) for name in NAMES]
        infos = side.storage.get_asset_check_partition_info(keys)
        return sorted(
            (
                info.check_key.to_user_string(),
                str(info.partition_key),
                info.latest_execution_status.value,
                side.runs[info.latest_planned_run_id],
                info.latest_target_materialization_storage_id == info.latest_materialization_storage_id,
            )
            for info in infos
        )

    stock, batched = map(status, pair)
    assert batched == stock
    assert ("analytics/box_scores:contract", "2024-01-06", "FAILED", "run 2", True) in batched


def test_asset_records_and_tags_are_the_same(pair: tuple[Normalised, Normalised]) -> None:
    def answers(side: Normalised) -> str:
        records = side.storage.get_asset_records([PARENT, CHILD, dg.AssetKey(["raw", "notes"]), dg.AssetKey("feed")])
        entries = [
            (
                entry.asset_key.to_user_string(),
                entry.last_run_id,
                entry.last_materialization and entry.last_materialization.get_dagster_event().partition,
                entry.asset_details is not None,
            )
            for entry in sorted((record.asset_entry for record in records), key=lambda entry: entry.asset_key)
        ]
        tags = side.storage.get_latest_tags_by_partition(PARENT, MATERIALIZED, ["dagster/data_version"])
        planned = side.storage.get_latest_planned_materialization_info(PARENT, "2024-01-06")
        keys = [key.to_user_string() for key in sorted(side.storage.all_asset_keys())]
        touched = {name: side.storage.get_materialized_partitions(PARENT) for name in ("PARENT",)}
        steps = [
            [(stat.step_key, stat.status) for stat in side.storage.get_step_stats_for_run(run)] for run in side.runs
        ]
        return side.text([entries, sorted(tags), planned and planned.run_id, keys, sorted(touched["PARENT"]), steps])

    stock, batched = pair
    assert answers(batched) == answers(stock)


def test_cursors_page_through_all_materializations_once(pair: tuple[Normalised, Normalised]) -> None:
    def paged(side: Normalised) -> list[str | None]:
        found: list[str | None] = []
        cursor, more = None, True
        while more:
            page = side.instance.fetch_materializations(PARENT, limit=3, cursor=cursor, ascending=True)
            found += [record.partition_key for record in page.records]
            cursor, more = page.cursor, page.has_more
        return found

    stock, batched = map(paged, pair)
    assert batched == stock
    assert len(batched) == 4 + 2 + 1 + 1


GRAPHQL = """
query($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode {
    assetPartitionStatuses { ... on TimePartitionStatuses { ranges { startKey endKey status } } }
    partitionStats { numMaterialized numFailed numMaterializing numPartitions }
    assetMaterializations(limit: 50) { partition runId metadataEntries { label ... on IntMetadataEntry { intValue } } }
    latestMaterializationByPartition(partitions: ["2024-01-04", "2024-01-06"]) { partition runId }
    assetChecksOrError { ... on AssetChecks { checks {
      name blocking
      partitionStatuses { ... on AssetCheckTimePartitionStatuses { ranges { startKey endKey status } } }
      executionForLatestMaterialization { status partition runId }
    } } }
  } }
  assetCheckExecutions(assetKey: $key, checkName: "contract", limit: 50) {
    runId status partition
    evaluation { success severity partition description targetMaterialization { runId }
                 metadataEntries { label ... on IntMetadataEntry { intValue } } }
  }
}
"""


def test_the_ui_is_told_the_same(pair: tuple[Normalised, Normalised]) -> None:
    def told(side: Normalised, key: dg.AssetKey) -> Any:
        origin = LoadableTargetOrigin(executable_path=sys.executable, python_file=__file__, attribute="defs")
        with in_process_test_workspace(side.instance, origin) as workspace:
            answer = execute_dagster_graphql(workspace, GRAPHQL, {"key": {"path": list(key.path)}})
        assert not answer.errors
        return json.loads(side.text(answer.data))

    stock, batched = pair
    for key in (PARENT, CHILD):
        assert told(batched, key) == told(stock, key)
    node = told(batched, PARENT)["assetNodeOrError"]
    ranges = {(item["startKey"], item["endKey"]): item["status"] for item in node["assetPartitionStatuses"]["ranges"]}
    assert ranges["2024-01-06", "2024-01-06"] == "FAILED"
    assert ranges["2024-01-02", "2024-01-05"] == "MATERIALIZED"
    contract = {check["name"]: check for check in node["assetChecksOrError"]["checks"]}["contract"]
    statuses = {(item["startKey"], item["endKey"]): item["status"] for item in contract["partitionStatuses"]["ranges"]}
    assert statuses["2024-01-06", "2024-01-06"] == "FAILED"
    assert statuses["2024-01-02", "2024-01-05"] == "SUCCEEDED"


def test_events_are_stored_as_the_text_dagster_reads_and_writes(pair: tuple[Normalised, Normalised]) -> None:
    storage = pair[1].storage
    assert isinstance(storage, SqlEventLogStorage)
    with storage.index_connection() as conn:
        texts = list(conn.execute(db.select(SqlEventLogStorageTable.c.event)).scalars())
    entries = [dg.EventLogEntry.from_json(text) for text in texts]
    assert [serialize_value(entry) for entry in entries] == texts
    assert len(texts) > 100


# ---- writing ----------------------------------------------------------------------------------------------------


def materialization(key: str, partition: str, run_id: str = "run") -> dg.EventLogEntry:
    tags = {"dagster/code_version": "2", "dagster/data_version": "1"}
    data = StepMaterializationData(dg.AssetMaterialization(key, partition=partition, tags=tags))
    return _entry(run_id, MATERIALIZED, data)


def planned(key: str, partition: str, run_id: str = "run") -> dg.EventLogEntry:
    data = AssetMaterializationPlannedData(dg.AssetKey(key), partition=partition)
    return _entry(run_id, dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED, data)


def planned_check(key: str, partitions: Sequence[str] | None) -> dg.EventLogEntry:
    subset = DAILY.subset_with_partition_keys(partitions).to_serializable_subset() if partitions else None
    data = AssetCheckEvaluationPlanned(asset_key=dg.AssetKey(key), check_name="contract", partitions_subset=subset)
    return _entry("run", dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED, data)


def evaluation(key: str, partition: str | None, passed: bool, run_id: str = "run") -> dg.EventLogEntry:
    data = dg.AssetCheckEvaluation(dg.AssetKey(key), "contract", passed, partition=partition)
    return _entry(run_id, dg.DagsterEventType.ASSET_CHECK_EVALUATION, data)


def _entry(run_id: str, event_type: dg.DagsterEventType, data: Any) -> dg.EventLogEntry:
    event = dg.DagsterEvent(event_type.value, "job", event_specific_data=data, message=event_type.value)
    return dg.EventLogEntry(
        error_info=None, level=10, user_message="", run_id=run_id, timestamp=time.time(), dagster_event=event
    )


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[BatchedSqliteEventLogStorage]:
    made = BatchedSqliteEventLogStorage(str(tmp_path))
    yield made
    made.dispose()


def contents(storage: SqlEventLogStorage) -> Mapping[str, list[Any]]:
    queries = {
        "event_logs": "id, event, dagster_event_type, timestamp, step_key, asset_key, partition, run_id",
        "asset_keys": "asset_key, last_materialization, last_run_id, last_materialization_timestamp",
        "asset_event_tags": "event_id, asset_key, key, value, event_timestamp",
        "asset_check_executions": "id, asset_key, check_name, partition, run_id, execution_status, evaluation_event, "
        "evaluation_event_timestamp, evaluation_event_storage_id, materialization_event_storage_id",
    }
    with storage.index_connection() as conn:
        tables = {name: SqlEventLogStorageMetadata.tables[name] for name in queries}
        selected = {name: [tables[name].c[c] for c in columns.split(", ")] for name, columns in queries.items()}
        return {
            name: [tuple(row) for row in conn.execute(db.select(*columns).order_by(*columns[:2]))]
            for name, columns in selected.items()
        }


def test_a_batch_leaves_the_rows_that_dagster_s_own_storage_leaves_for_its_events_one_by_one(tmp_path: Path) -> None:
    events = [
        planned("a", "2024-01-01"),
        planned("b", "2024-01-01"),
        planned_check("a", ["2024-01-01", "2024-01-02", "2024-01-03"]),
        planned_check("b", None),
        materialization("a", "2024-01-01"),
        evaluation("a", "2024-01-01", True),
        planned("a", "2024-01-02", run_id="later"),
        evaluation("a", "2024-01-01", False),
        evaluation("a", "2024-01-01", True, run_id="later"),
        evaluation("a", None, True),
        evaluation("b", None, True),
        materialization("a", "2024-01-02", run_id="later"),
    ]
    # Events of one asset that share a millisecond are moved apart, which is proved elsewhere.
    events = [e._replace(timestamp=e.timestamp + second) for second, e in enumerate(events)]
    reference = ConsolidatedSqliteEventLogStorage(str(tmp_path / "reference"))
    at_once = BatchedSqliteEventLogStorage(str(tmp_path / "at_once"))
    singly = BatchedSqliteEventLogStorage(str(tmp_path / "singly"))
    for event in events:
        reference.store_event(event)
        singly.store_event(event)
    at_once.store_event_batch(events)
    assert contents(at_once) == contents(reference)
    assert contents(singly) == contents(reference)
    assert len(contents(reference)["asset_check_executions"]) == 3 + 1 + 2


def test_a_batch_is_stored_whole_or_not_at_all(storage: BatchedSqliteEventLogStorage) -> None:
    runless = evaluation("a", "2024-01-01", True, run_id="")
    with pytest.raises(Exception, match="UNIQUE constraint failed"):
        storage.store_event_batch([materialization("a", "2024-01-01"), runless, runless])
    assert not any(contents(storage).values())


def of_step(step: str, event: dg.EventLogEntry) -> dg.EventLogEntry:
    return event._replace(step_key=step, dagster_event=event.get_dagster_event()._replace(step_key=step))


def ended(step: str) -> dg.EventLogEntry:
    return of_step(step, _entry("run", dg.DagsterEventType.STEP_SUCCESS, StepSuccessData(duration_ms=1.0)))


def stored_events(directory: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(directory / "event_log.db") as raw:
        return raw.execute("SELECT step_key, dagster_event_type FROM event_logs ORDER BY id").fetchall()


def test_held_events_are_read_in_this_process_and_stored_with_the_end_of_their_step(
    storage: BatchedSqliteEventLogStorage, tmp_path: Path
) -> None:
    with storage.holding():
        storage.store_event(of_step("a", materialization("a", "2024-01-01")))
        storage.store_event_batch([of_step("a", evaluation("a", "2024-01-01", True)) for _ in range(2)])
        assert stored_events(tmp_path) == []
        assert len(storage.get_records_for_run("run").records) == 3
        storage.store_event(of_step("a", evaluation("a", None, True)))
        assert len(stored_events(tmp_path)) == 3
        storage.store_event(ended("a"))
        assert [kind for _, kind in stored_events(tmp_path)][3:] == ["ASSET_CHECK_EVALUATION", "STEP_SUCCESS"]


def killed_within_the_second_step(directory: str) -> None:
    storage = BatchedSqliteEventLogStorage(directory)
    with storage.holding():
        for step in ("a", "b"):
            storage.store_event(of_step(step, materialization(step, "2024-01-01")))
            storage.store_event(of_step(step, evaluation(step, "2024-01-01", True)))
            if step == "b":
                os.kill(os.getpid(), signal.SIGKILL)
            storage.store_event(ended(step))


def test_a_process_that_is_killed_keeps_the_steps_that_ended_and_no_part_of_another(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=killed_within_the_second_step, args=(str(tmp_path),))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert stored_events(tmp_path) == [
        ("a", "ASSET_MATERIALIZATION"),
        ("a", "ASSET_CHECK_EVALUATION"),
        ("a", "STEP_SUCCESS"),
    ]


@pytest.mark.parametrize(("bad", "end"), [("", "STEP_SUCCESS"), ("2024-01-02", "STEP_FAILURE")])
def test_a_step_of_a_run_is_stored_in_a_few_transactions_and_its_end_with_what_it_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str, end: str
) -> None:
    job = dg.define_asset_job("days", [PARENT], executor_def=refusal_tolerant_executor)
    days = dg.Definitions(assets=[table(PARENT)], jobs=[job]).resolve_job_def("days")
    tags = {"dagster/asset_partition_range_start": "2024-01-02", "dagster/asset_partition_range_end": "2024-01-03"}
    transactions: list[list[str]] = []
    store = BatchedSqliteEventLogStorage._store_at_once  # pyright: ignore[reportPrivateUsage]

    def noted(storage: BatchedSqliteEventLogStorage, events: Sequence[dg.EventLogEntry]) -> None:
        transactions.append([e.get_dagster_event().event_type_value for e in events if e.step_key])
        store(storage, events)

    monkeypatch.setattr(BatchedSqliteEventLogStorage, "_store_at_once", noted)
    config = {
        "module": event_log.__name__,
        "class": "BatchedSqliteEventLogStorage",
        "config": {"base_dir": str(tmp_path)},
    }
    with opened(tmp_path / "home", config) as instance:
        execute(days, instance, "1" * 32, [PARENT], tags | {"bad": bad})
    of_the_step = [kinds for kinds in transactions[transactions.index(["STEP_START"]) :] if kinds]
    assert of_the_step[-1].count("ASSET_CHECK_EVALUATION") >= len(NAMES)
    assert of_the_step[-1][-1] == end
    assert len(of_the_step) <= 4


def test_opening_the_storage_turns_batching_on_unless_it_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)
    BatchedSqliteEventLogStorage(str(tmp_path / "one"))
    assert int(os.environ["DAGSTER_EVENT_BATCH_SIZE"]) == BATCH_SIZE > 1000
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "0")
    BatchedSqliteEventLogStorage(str(tmp_path / "two"))
    assert os.environ["DAGSTER_EVENT_BATCH_SIZE"] == "0"


def test_a_listener_of_a_run_hears_each_new_event_once(storage: BatchedSqliteEventLogStorage, tmp_path: Path) -> None:
    heard: list[str | None] = []
    done = threading.Event()

    def listen(entry: dg.EventLogEntry, _cursor: str) -> None:
        heard.append(entry.get_dagster_event().partition)
        if len(heard) == 3:
            done.set()

    storage.store_event(materialization("a", "before"))
    storage.watch("run", storage.get_records_for_run("run").cursor, listen)
    other = BatchedSqliteEventLogStorage(str(tmp_path))
    other.store_event_batch(
        [materialization("a", "one"), materialization("a", "two"), materialization("a", "x", "else")]
    )
    other.store_event(materialization("a", "three"))
    assert done.wait(10)
    storage.end_watch("run", listen)
    other.store_event(materialization("a", "after"))
    time.sleep(3 * event_log.WATCH_INTERVAL_SECONDS)
    assert heard == ["one", "two", "three"]


def test_a_locked_log_is_reported_after_a_bounded_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "LOCK_WAIT_SECONDS", 0.2)
    storage = BatchedSqliteEventLogStorage(str(tmp_path))
    holder = sqlite3.connect(tmp_path / "event_log.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(EventLogBusyError, match=r"event_log\.db has been locked by another process.*\n.*Fix:"):
        storage.store_event(materialization("a", "2024-01-01"))
    assert not storage.get_logs_for_run("run")
    holder.execute("ROLLBACK")
    storage.store_event(materialization("a", "2024-01-01"))
    assert len(storage.get_logs_for_run("run")) == 1


# ---- several processes ------------------------------------------------------------------------------------------


def _initialise(base: str, barrier: Barrier) -> None:
    barrier.wait()
    BatchedSqliteEventLogStorage(base).store_event(materialization("a", str(os.getpid())))


def _write(base: str, barrier: Barrier, name: str) -> None:
    storage = BatchedSqliteEventLogStorage(base)
    barrier.wait()
    for batch in range(10):
        days = [f"{name}-{batch}-{number}" for number in range(50)]
        storage.store_event_batch([planned("a", day, name) for day in days])
        storage.store_event(materialization("a", days[0], name))
        storage.store_event_batch([evaluation("a", day, True, name) for day in days])


def together(target: Any, arguments: Sequence[tuple[Any, ...]]) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(len(arguments))
    processes = [spawn.Process(target=target, args=(first, barrier, *rest)) for first, *rest in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * len(processes)


def test_processes_that_start_on_an_empty_home_at_once_find_one_complete_log(tmp_path: Path) -> None:
    together(_initialise, [(str(tmp_path / "home"),)] * 2)
    storage = BatchedSqliteEventLogStorage(str(tmp_path / "home"))
    current, head = storage.alembic_version()
    assert current == head
    assert len(storage.get_logs_for_run("run")) == 2
    with storage.index_connection() as conn:
        assert len(conn.exec_driver_sql("SELECT * FROM alembic_version").fetchall()) == 1
        assert conn.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_three_processes_writing_at_once_lose_nothing(tmp_path: Path) -> None:
    together(_write, [(str(tmp_path), name) for name in ("web", "daemon", "run")])
    storage = BatchedSqliteEventLogStorage(str(tmp_path))
    for name in ("web", "daemon", "run"):
        counts = Counter(entry.dagster_event_type for entry in storage.get_logs_for_run(name))
        assert sorted(counts.values()) == [10, 500, 500]
    found = contents(storage)
    assert len(found["asset_check_executions"]) == 1500
    assert len(found["asset_event_tags"]) == 30
    assert [row[0] for row in found["event_logs"]] == list(range(1, 3 * 1010 + 1))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY, EventLogBusyError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, EventLogBusyError),
        (sqlite3.SQLITE_FULL, EventLogFailedError),
        (None, EventLogFailedError),
    ],
)
def test_the_code_of_the_error_tells_a_lock_from_a_failure_whatever_its_wording(
    storage: BatchedSqliteEventLogStorage, code: int | None, expected: type[Exception]
) -> None:
    error = sqlite3.OperationalError("database is locked" if expected is EventLogFailedError else "reworded")
    if code is not None:
        error.sqlite_errorcode = code
    with pytest.raises(expected), storage.run_connection("run"):
        raise OperationalError("BEGIN IMMEDIATE", None, error)


# ---- the size of the log -----------------------------------------------------------------------------------------


def sizes(path: Path, table: str, column: str) -> list[tuple[str, int]]:
    with sqlite3.connect(path / "event_log.db") as raw:
        return raw.execute(
            f"SELECT typeof({column}), length({column}) FROM {table} WHERE {column} IS NOT NULL"
        ).fetchall()


def test_events_are_stored_compressed_and_the_result_of_a_check_once(
    storage: BatchedSqliteEventLogStorage, tmp_path: Path
) -> None:
    storage.store_event_batch([materialization("a", "2024-01-01"), evaluation("a", "2024-01-01", True)])
    assert all(kind == "blob" and size < 300 for kind, size in sizes(tmp_path, "event_logs", "event"))
    assert sizes(tmp_path, "asset_check_executions", "evaluation_event") == [("text", len("event 2"))]
    (execution,) = storage.get_asset_check_execution_history(dg.AssetCheckKey(dg.AssetKey("a"), "contract"), limit=10)
    assert execution.event is not None
    assert execution.event.run_id == "run"


def as_an_earlier_release(path: Path) -> None:
    """Rewrite a log in the form of earlier releases: texts, and the result of a check twice."""
    with sqlite3.connect(path / "event_log.db") as raw:
        texts = {number: packing.unpack(event) for number, event in raw.execute("SELECT id, event FROM event_logs")}
        raw.executemany("UPDATE event_logs SET event = ? WHERE id = ?", [(t, n) for n, t in texts.items()])
        raw.executemany(
            "UPDATE asset_check_executions SET evaluation_event = ? WHERE evaluation_event_storage_id = ?",
            [(t, n) for n, t in texts.items()],
        )


def test_a_log_of_an_earlier_release_is_read_and_shrinks_without_a_change(
    storage: BatchedSqliteEventLogStorage, tmp_path: Path
) -> None:
    events = [
        e for d in range(1, 10) for e in (materialization("a", f"2024-01-0{d}"), evaluation("a", f"2024-01-0{d}", True))
    ]
    storage.store_event_batch(events)
    before = contents(storage)
    as_an_earlier_release(tmp_path)
    assert contents(storage) == before
    done = prune(storage, datetime.datetime.now(datetime.UTC))
    assert (done.packed, done.referred, done.removed) == (18, 9, 0)
    assert contents(storage) == before
    again = prune(storage, datetime.datetime.now(datetime.UTC))
    assert (again.packed, again.referred, again.removed) == (0, 0, 0)


def test_results_of_checks_outlive_their_run_as_in_dagster_s_own_storage(tmp_path: Path) -> None:
    def told(kind: str, event_log_storage: Mapping[str, Any] | None) -> list[tuple[object, ...]]:
        with opened(tmp_path / kind, event_log_storage) as instance:
            ours = instance.event_log_storage
            for run in ("kept", "deleted"):
                ours.store_event(materialization("a", "2024-01-01", run_id=run))
                ours.store_event(evaluation("a", "2024-01-01", run == "kept", run_id=run))
                ours.store_event(evaluation("b", None, True, run_id=run))
            ours.delete_events("deleted")
            history = [
                record
                for key in ("a", "b")
                for record in ours.get_asset_check_execution_history(
                    dg.AssetCheckKey(dg.AssetKey(key), "contract"), limit=10
                )
            ]
            assert not ours.get_logs_for_run("deleted")
            return [
                (r.run_id, r.status, r.partition, r.event and r.event.get_dagster_event().event_specific_data)
                for r in history
            ]

    home = tmp_path / "batched"
    batched = {
        "module": "nba_pipeline.orchestration.event_log.sqlite",
        "class": "BatchedSqliteEventLogStorage",
        "config": {"base_dir": str(home)},
    }
    assert told("batched", batched) == told("stock", None)
    with sqlite3.connect(home / "event_log.db") as raw:
        held = raw.execute(
            "SELECT run_id, typeof(evaluation_event) FROM asset_check_executions WHERE partition IS NOT NULL"
        )
        assert sorted(held) == [("deleted", "blob"), ("kept", "text")]


def test_the_work_of_finding_superseded_events_grows_with_their_number_and_no_faster(tmp_path: Path) -> None:
    def steps(days: int) -> int:
        storage = BatchedSqliteEventLogStorage(str(tmp_path / str(days)))
        keys = [str(datetime.date(2000, 1, 1) + datetime.timedelta(days=n)) for n in range(days)]
        for run in ("first", "second"):
            storage.store_event_batch(
                [e for key in keys for e in (materialization("a", key, run), evaluation("a", key, True, run))]
            )
        storage.dispose()
        counted = [0]

        def count() -> int:
            counted[0] += 1
            return 0

        with sqlite3.connect(tmp_path / str(days) / "event_log.db") as raw:
            raw.set_progress_handler(count, 100)
            for query in (pruning.SUPERSEDED_EVENTS, pruning.SUPERSEDED_RESULTS):
                assert len(raw.execute(query, {"before": "2100-01-01"}).fetchall()) == days
        return counted[0]

    assert steps(1600) < 3 * steps(800)


def test_an_event_log_that_may_only_be_read_is_not_pruned_in_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Settings.from_environment({"NBA_PIPELINE_HOME": str(tmp_path)})
    (home.dagster_home).mkdir()
    (home.dagster_home / "dagster.yaml").touch()
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, *more: path != home.dagster_home and real(path, *more))
    with pytest.raises(ConfigurationError, match=r"can only be read by this account[\s\S]*Fix: run it under"):
        open_instance(home, to_change=True).__enter__()
    with open_instance(home) as copy:
        assert copy.root_directory != str(home.dagster_home)


def test_superseded_events_are_removed_once_they_are_old_and_the_latest_of_each_day_stay(
    storage: BatchedSqliteEventLogStorage,
) -> None:
    for run in ("first", "second"):
        storage.store_event_batch(
            [
                planned("a", "2024-01-01", run_id=run),
                materialization("a", "2024-01-01", run_id=run),
                evaluation("a", "2024-01-01", True, run_id=run),
            ]
        )
    storage.store_event(materialization("a", "2024-01-02", run_id="first"))
    assert prune(storage, datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)).removed == 0
    done = prune(storage, datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1))
    assert done.removed == 4
    left = [(row[7], row[2], row[6]) for row in contents(storage)["event_logs"]]
    assert left == [
        ("second", "ASSET_MATERIALIZATION", "2024-01-01"),
        ("second", "ASSET_CHECK_EVALUATION", None),
        ("first", "ASSET_MATERIALIZATION", "2024-01-02"),
    ]
    assert storage.get_materialized_partitions(dg.AssetKey("a")) == {"2024-01-01", "2024-01-02"}
    (execution,) = storage.get_asset_check_execution_history(dg.AssetCheckKey(dg.AssetKey("a"), "contract"), limit=10)
    assert execution.run_id == "second"


def test_the_latest_materialization_is_read_once_until_there_is_a_later_one_or_it_is_wiped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []

    def counted(text: str, *arguments: Any, **more: Any) -> Any:
        reads.append(text)
        return deserialize_value(text, *arguments, **more)

    stock = ConsolidatedSqliteEventLogStorage(str(tmp_path / "stock"))
    ours = BatchedSqliteEventLogStorage(str(tmp_path / "ours"))
    monkeypatch.setattr(sql_event_log, "deserialize_value", counted)
    key = dg.AssetKey("a")

    def look() -> int:
        """Compare what both storages know of the asset; returns how many texts ours read for it, asked three times."""
        expected = [record.asset_entry.last_materialization_record for record in stock.get_asset_records([key])]
        reads.clear()
        for _ in range(3):
            assert [r.asset_entry.last_materialization_record for r in ours.get_asset_records([key])] == expected
        return len(reads)

    def store(event: dg.EventLogEntry) -> None:
        for storage in (stock, ours):
            storage.store_event(event)

    assert look() == 0
    store(materialization("a", "2024-01-01"))
    assert look() == 1
    assert look() == 0
    store(materialization("a", "2024-01-02"))
    assert look() == 1
    for storage in (stock, ours):
        storage.wipe_asset(key)
    assert look() == 0
    assert ours.get_asset_records([key]) == []
    store(planned("a", "2024-01-03"))
    look()
    store(materialization("a", "2024-01-03"))
    look()
    ours.dispose()
