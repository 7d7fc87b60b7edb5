"""A run whose process died is ended, gives back what it held, and its unrecorded days count as missing."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pyarrow as pa
import pytest
from dagster._core.events import StepMaterializationData
from dagster._core.execution.plan.objects import StepFailureData, StepSuccessData

from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration import recovery
from nba_pipeline.orchestration.instance import prepare
from nba_pipeline.orchestration.tags import PROCESS
from nba_pipeline.warehouse.protocol import LedgerEntry, entries_table

POOL = "one_writer"


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2024-01-01"))
def table() -> None: ...


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    prepare(Settings.from_environment({"NBA_PIPELINE_HOME": str(tmp_path)}))
    with dg.DagsterInstance.get() as opened:
        yield opened


@pytest.fixture
def other() -> Iterator[subprocess.Popen]:
    """A process that waits to be killed."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def started(instance: dg.DagsterInstance, process: recovery.Claim | None) -> dg.DagsterRun:
    """A run with the status `started` that is tagged with a process."""
    job = dg.define_asset_job("job", [table]).resolve(asset_graph=dg.Definitions([table]).resolve_asset_graph())
    tags = {PROCESS: process.to_tag()} if process else {}
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    instance.event_log_storage.set_concurrency_slots(POOL, 1)
    instance.event_log_storage.claim_concurrency_slot(POOL, run.run_id, "step")
    return run


def claim_of(process: subprocess.Popen, run_id: str = "") -> recovery.Claim:
    return recovery.Claim(socket.gethostname(), process.pid, recovery._started(psutil.Process(process.pid)), run_id)


def this_process() -> recovery.Claim:
    return recovery.Claim.of_this_process("")


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status.value


def slots(instance: dg.DagsterInstance) -> int:
    return instance.event_log_storage.get_concurrency_info(POOL).active_slot_count


def test_a_run_whose_process_was_killed_is_ended_and_gives_back_its_pool_slot(
    instance: dg.DagsterInstance, other: subprocess.Popen
) -> None:
    run = started(instance, claim_of(other))
    assert recovery.end_dead_runs(instance) == []
    assert (status(instance, run), slots(instance)) == ("STARTED", 1)
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert recovery.end_dead_runs(instance) == [run.run_id]
    assert (status(instance, run), slots(instance)) == ("FAILURE", 0)
    assert recovery.end_dead_runs(instance) == []
    said = [e.message for e in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)]
    assert any("--missing" in text and str(other.pid) in text for text in said)


def test_a_process_that_waits_to_be_reaped_has_ended(other: subprocess.Popen) -> None:
    owner = claim_of(other)
    os.kill(other.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert recovery.process_has_ended(owner)


def test_a_pid_that_another_process_got_since_is_not_that_process() -> None:
    owner = this_process()
    assert not recovery.process_has_ended(owner)
    assert recovery.process_has_ended(replace(owner, started=1))


def test_processes_of_another_host_are_not_taken_for_ended(other: subprocess.Popen) -> None:
    other.kill()
    other.wait()
    assert not recovery.process_has_ended(recovery.Claim("elsewhere", other.pid, 1))


def test_a_run_that_inherited_the_tag_of_its_parent_goes_on_when_the_process_of_the_parent_has_ended(
    instance: dg.DagsterInstance, other: subprocess.Popen
) -> None:
    child = started(instance, claim_of(other, run_id="the-parent"))
    other.kill()
    other.wait()
    assert recovery.end_dead_runs(instance) == []
    assert status(instance, child) == "STARTED"


def test_a_run_is_ended_when_the_process_that_claimed_it_by_its_id_has_ended(
    instance: dg.DagsterInstance, other: subprocess.Popen
) -> None:
    run = started(instance, None)
    instance.add_run_tags(run.run_id, {PROCESS: claim_of(other, run.run_id).to_tag()})
    other.kill()
    other.wait()
    assert recovery.end_dead_runs(instance) == [run.run_id]


def test_a_run_that_an_earlier_version_left_is_ended_too(instance: dg.DagsterInstance, other: subprocess.Popen) -> None:
    run = started(instance, None)
    instance.add_run_tags(run.run_id, {"nba_pipeline/process": claim_of(other, run.run_id).to_tag()})
    other.kill()
    other.wait()
    assert recovery.end_dead_runs(instance) == [run.run_id]


def test_a_claim_is_read_back_from_its_tag_and_from_the_shorter_tag_of_earlier_versions() -> None:
    owner = recovery.Claim("host", 12, 345, "run")
    assert recovery.Claim.from_tag(owner.to_tag()) == owner
    assert recovery.Claim.from_tag("host 12 345") == replace(owner, run_id="")
    assert recovery.Claim.from_tag("host 12 unknown").started is None


def test_runs_of_living_processes_and_runs_without_one_go_on(instance: dg.DagsterInstance) -> None:
    mine, unknown = started(instance, this_process()), started(instance, None)
    assert recovery.end_dead_runs(instance) == []
    assert {status(instance, mine), status(instance, unknown)} == {"STARTED"}


def test_a_run_can_be_claimed_by_the_process_that_works_on_it(
    instance: dg.DagsterInstance, other: subprocess.Popen
) -> None:
    run = started(instance, claim_of(other))
    recovery.claim(instance, run)
    other.kill()
    other.wait()
    assert recovery.end_dead_runs(instance) == []
    assert status(instance, run) == "STARTED"


def test_days_of_a_dead_run_that_is_not_ended_yet_count_as_unrecorded_too(
    instance: dg.DagsterInstance, other: subprocess.Popen
) -> None:
    run = started(instance, claim_of(other))
    ledger = published(run, "nba_raw.schedule")
    assert recovery.recorded_only(ledger, instance).num_rows == 1
    other.kill()
    other.wait()
    assert recovery.recorded_only(ledger, instance).num_rows == 0
    assert status(instance, run) == "STARTED", "looking changes nothing"


def published(run: dg.DagsterRun, *tables: str) -> pa.Table:
    at = datetime(2024, 2, 1, tzinfo=UTC)
    return entries_table(
        [LedgerEntry(t, date(2024, 1, 1), "published", 1, 1, {}, 0, 1, 0, "hash", (), run.run_id, at) for t in tables]
    )


@pytest.mark.parametrize(
    ("end", "ended"),
    [
        (dg.DagsterEventType.STEP_SUCCESS, StepSuccessData(duration_ms=1.0)),
        (dg.DagsterEventType.STEP_FAILURE, StepFailureData(error=None, user_failure_data=None)),
    ],
)
def test_what_a_dead_run_published_without_coming_to_the_end_of_its_record_counts_as_missing(
    instance: dg.DagsterInstance, other: subprocess.Popen, end: dg.DagsterEventType, ended: Any
) -> None:
    """A table's materializations and verdicts are written in batches; only the end of its step says that all are there."""
    dead, living = started(instance, claim_of(other)), started(instance, this_process())
    data = StepMaterializationData(dg.AssetMaterialization(["raw", "torn"], partition="2024-01-01"))
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION.value
    instance.report_dagster_event(dg.DagsterEvent(kind, "job", event_specific_data=data), dead.run_id)
    whole = dg.DagsterEvent(end.value, "job", step_key="raw__whole_table", event_specific_data=ended)
    instance.report_dagster_event(whole, dead.run_id)
    ledger = pa.concat_tables([published(dead, "raw.torn", "raw.whole_table"), published(living, "raw.running")])
    assert recovery.recorded_only(ledger, instance) == ledger
    other.kill()
    other.wait()
    recovery.end_dead_runs(instance)
    assert recovery.recorded_only(ledger, instance)["table_id"].to_pylist() == ["raw.whole_table", "raw.running"]
