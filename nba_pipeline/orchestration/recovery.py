"""What a process that died in the middle of a run leaves in Dagster's storage, and how the next one puts it right.

Nothing in the tables needs mending: a range is replaced whole or not at all. But the run stays `started` for good, and with
it a place in the queue and its pool slots; and days that it published just before it died are not recorded as
materialized. A run therefore carries the process that works on it; once that process is gone, the run is ended as failed,
and days whose record is lost count as missing, so that `--missing` runs them again.
"""

import os
import socket
from pathlib import Path

import dagster as dg
import pyarrow as pa
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

PROCESS = "nba_pipeline/process"
UNFINISHED = [*NOT_FINISHED_STATUSES]
DIED = "nba_pipeline/process_died"
STEP_ENDS = {dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE}
STEPS = 1_000


def this_process() -> str:
    """Names this process among all that ever ran: host, PID and, where the system tells, when it started."""
    return f"{socket.gethostname()} {os.getpid()} {_started(os.getpid())}"


def is_gone(process: str) -> bool:
    """True when the named process of this host has ended; of another host's processes nothing is known, so False."""
    host, pid, started = process.split(" ")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return _started(int(pid)) != started


def _started(pid: int) -> str:
    """Clock ticks from the start of the system to that of the process; a process that only waits to be reaped has ended."""
    try:
        state, *others = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "unknown"
    return "ended" if state in ("Z", "X") else others[18]


def claim(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Note on the run that this process works on it."""
    if run.tags.get(PROCESS) != this_process():
        instance.add_run_tags(run.run_id, {PROCESS: this_process()})


def end_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """End, as failed, every run whose process is gone, and free its pool slots; their ids."""
    ended = []
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)):
        process = run.tags.get(PROCESS)
        if process is None or not is_gone(process):
            continue
        instance.add_run_tags(run.run_id, {DIED: "true"})
        instance.report_run_failed(
            run,
            f"The process of this run (PID {process.split(' ')[1]}) ended without a word, killed or out of memory. What it had "
            "published stays, whole days only. What to do: `nba-pipeline backfill START END --missing` runs the rest.",
        )
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        ended.append(run.run_id)
    return ended


def recorded_only(ledger: pa.Table, instance: dg.DagsterInstance) -> pa.Table:
    """The ledger without the days that a run published and did not live to record: Dagster does not know of them."""
    died = {r.run_id for r in instance.get_runs(dg.RunsFilter(tags={DIED: "true"}))}
    entries = ledger.select(["table_id", "run_id"]).to_pylist()
    recorded = {run: _tables_recorded_by(instance, run) for run in died & {e["run_id"] for e in entries}}
    keep = [e["run_id"] not in recorded or e["table_id"] in recorded[e["run_id"]] for e in entries]
    return ledger.filter(pa.array(keep, pa.bool_()))


def _tables_recorded_by(instance: dg.DagsterInstance, run: str) -> set[str]:
    """The tables whose step came to its end: it follows the materializations and verdicts of all days."""
    page = instance.get_records_for_run(run, of_type=STEP_ENDS, limit=STEPS)
    ended = (r.event_log_entry.get_dagster_event().step_key or "" for r in page.records)
    return {step.replace("__", ".", 1) for step in ended}
