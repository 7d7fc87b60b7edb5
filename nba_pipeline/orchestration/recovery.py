"""End runs whose process died, and find the days that such a run published without recording them.

The tables need no repair: a range is replaced whole or not at all. But in Dagster's storage the run stays `started` forever,
and keeps its place in the queue and its pool slots; and days that it published just before it died are not recorded as
materialized. A run is therefore tagged with the process that executes it. Once that process is gone, the run is reported as
failed, and days whose record is lost count as missing, so that `--missing` runs them again.
"""

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg
import psutil

from nba_pipeline.orchestration.tags import PROCESS, hidden_tag, table_of

if TYPE_CHECKING:
    import pyarrow as pa

UNFINISHED = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.SUSPENDED,
    dg.DagsterRunStatus.CANCELING,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
]
DIED = "nba_pipeline/process_died"
STEP_ENDS = {dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE}
STEPS = 1_000
ENDED_STATUSES = {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}


@dataclass(frozen=True)
class Claim:
    """The process that executes a run.

    `started` is the start of the process in hundredths of a second since the system started: a PID that another process got
    later has another start. It is None where an earlier version could not tell. `run_id` is the claimed run, because
    re-executions and retries inherit the tags of their parent; it is empty in tags of earlier versions.
    """

    host: str
    pid: int
    started: int | None
    run_id: str = ""

    @staticmethod
    def of_this_process(run_id: str) -> "Claim":
        process = psutil.Process()
        return Claim(socket.gethostname(), process.pid, _started(process), run_id)

    @staticmethod
    def from_tag(value: str) -> "Claim":
        host, pid, started, *run_id = value.split(" ")
        return Claim(host, int(pid), int(started) if started.isdecimal() else None, *run_id)

    def to_tag(self) -> str:
        return f"{self.host} {self.pid} {self.started} {self.run_id}".rstrip()

    def is_about(self, run_id: str) -> bool:
        """Return False for a claim that the run inherited from another run."""
        return self.run_id in ("", run_id)


def process_has_ended(claim: Claim) -> bool:
    """Return True where the claiming process has ended, False for processes of other hosts, which cannot be seen from here."""
    if claim.host != socket.gethostname():
        return False
    try:
        process = psutil.Process(claim.pid)
        return process.status() in ENDED_STATUSES or claim.started not in (None, _started(process))
    except psutil.NoSuchProcess:
        return True


def _started(process: psutil.Process) -> int:
    """Return hundredths of a second from the start of the system, which do not move when the clock is set."""
    return round((process.create_time() - psutil.boot_time()) * 100)


def claim(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Tag the run with this process."""
    tag = Claim.of_this_process(run.run_id).to_tag()
    if run.tags.get(PROCESS) != tag:
        instance.add_run_tags(run.run_id, {PROCESS: tag})


def dead_runs(instance: dg.DagsterInstance) -> list[tuple[dg.DagsterRun, Claim]]:
    """List the unfinished runs whose own process has ended, each with the claim of that process."""
    unfinished = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    claimed = [(r, Claim.from_tag(tag)) for r in unfinished if (tag := hidden_tag(r.tags, PROCESS)) is not None]
    return [(r, c) for r, c in claimed if c.is_about(r.run_id) and process_has_ended(c)]


def end_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Report every unfinished run whose own process has ended as failed, free its pool slots, and return the run ids."""
    ended = []
    for run, owner in dead_runs(instance):
        instance.add_run_tags(run.run_id, {DIED: "true"})
        instance.report_run_failed(
            run,
            f"The process of this run (PID {owner.pid}) ended without reporting a result: killed, or out of memory. Days that it "
            "had published completely stay published. Fix: run the rest with `nba-pipeline backfill START END --missing`.",
        )
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        ended.append(run.run_id)
    return ended


def recorded_only(ledger: "pa.Table", instance: dg.DagsterInstance) -> "pa.Table":
    """Return the ledger without entries of tables that a dead run, ended or not, published but did not record in Dagster."""
    import pyarrow as pa  # start-up time: `backfills` ends dead runs and reads no table

    died = {r.run_id for r in instance.get_runs(dg.RunsFilter(tags={DIED: "true"}))}
    died |= {r.run_id for r, _ in dead_runs(instance)}
    entries = ledger.select(["table_id", "run_id"]).to_pylist()
    recorded = {run: _tables_recorded_by(instance, run) for run in died & {e["run_id"] for e in entries}}
    keep = [e["run_id"] not in recorded or e["table_id"] in recorded[e["run_id"]] for e in entries]
    return ledger.filter(pa.array(keep, pa.bool_()))


def _tables_recorded_by(instance: dg.DagsterInstance, run: str) -> set[str]:
    """Return the tables whose step ended: the end follows the materializations and verdicts of all days."""
    page = instance.get_records_for_run(run, of_type=STEP_ENDS, limit=STEPS)
    ended = (r.event_log_entry.get_dagster_event().step_key or "" for r in page.records)
    return {table_of(step) for step in ended}
