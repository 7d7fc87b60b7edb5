"""A web server and a daemon on a home, driven as the UI drives them: over GraphQL."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from nba_pipeline.domain.calendar import days_between
from nba_pipeline.orchestration.tags import RANGE_END, RANGE_START

LOCATION = "nba_pipeline"
PATIENCE = 120.0
OVER = ("SUCCESS", "FAILURE", "CANCELED")
Found = TypeVar("Found")

LOADED = """{ workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError {
  __typename ... on PythonError { message } } } } } }"""
BACKFILL = """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) { __typename
  ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
RUN = """mutation($p: ExecutionParams!) { launchPipelineExecution(executionParams: $p) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
RUNS = """query($f: RunsFilter!) { runsOrError(filter: $f) { ... on Runs { results { runId status } } } }"""
TITLE = """query($b: String!) { partitionBackfillOrError(backfillId: $b) { ... on PartitionBackfill { title } } }"""
STATUSES = """query($k: AssetKeyInput!, $c: String!) { assetNodeOrError(assetKey: $k) { ... on AssetNode {
  assetPartitionStatuses { ... on TimePartitionStatuses { ranges { startKey endKey status } } }
  assetCheckOrError(checkName: $c) { ... on AssetCheck { partitionStatuses {
    ... on AssetCheckTimePartitionStatuses { ranges { startKey endKey status } } } } } } } }"""


@dataclass(frozen=True)
class Services:
    """The address of a running web server."""

    url: str

    def ask(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self.url, data=body, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def loaded(self) -> bool:
        try:
            (entry,) = self.ask(LOADED)["workspaceOrError"]["locationEntries"]
        except (urllib.error.URLError, ConnectionError, ValueError):
            return False
        if entry["loadStatus"] != "LOADED":
            return False
        assert entry["locationOrLoadError"]["__typename"] == "RepositoryLocation", entry
        return True

    def launch_backfill(self, tables: Sequence[str], first: date, last: date, title: str) -> str:
        """Launch as the dialog `Materialize` does, and give the id of the backfill."""
        days = {"ranges": [{"start": first.isoformat(), "end": last.isoformat()}]}
        parameters = {
            "title": title,
            "tags": [],
            "partitionsByAssets": [{"assetKey": _key(t), "partitions": days} for t in tables],
        }
        launched = self.ask(BACKFILL, p=parameters)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        return launched["backfillId"]

    def launch_run(self, tables: Sequence[str], first: date, last: date) -> str:
        """Launch one run over a range, and give its id."""
        selector = {
            "repositoryLocationName": LOCATION,
            "repositoryName": "__repository__",
            "pipelineName": "__ASSET_JOB",
            "assetSelection": [_key(t) for t in tables],
            "assetCheckSelection": None,
        }
        tags = {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}
        metadata = {"tags": [{"key": k, "value": v} for k, v in tags.items()]}
        parameters = {"selector": selector, "executionMetadata": metadata, "mode": "default"}
        launched = self.ask(RUN, p=parameters)["launchPipelineExecution"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return launched["run"]["runId"]

    def runs_of(self, backfill: str) -> list[str]:
        """Status of the runs of a backfill, once there are some and all are over."""
        return self._over({"tags": [{"key": "dagster/backfill", "value": backfill}]})

    def status_of(self, run: str) -> str:
        """How a run ended."""
        (status,) = self._over({"runIds": [run]})
        return status

    def _over(self, chosen: Mapping[str, Any]) -> list[str]:
        def ended() -> list[str] | None:
            found = [r["status"] for r in self.ask(RUNS, f=chosen)["runsOrError"]["results"]]
            return found if found and all(s in OVER for s in found) else None

        return until(ended)

    def title_of(self, backfill: str) -> str:
        return self.ask(TITLE, b=backfill)["partitionBackfillOrError"]["title"]

    def statuses(self, table: str, check: str) -> tuple[dict[date, str], dict[date, str]]:
        """Status of the table and of one of its checks by day, as the partition bars show them."""
        node = self.ask(STATUSES, k=_key(table), c=check)["assetNodeOrError"]
        of_check = node["assetCheckOrError"]["partitionStatuses"]
        return _by_day(node["assetPartitionStatuses"]["ranges"]), _by_day(of_check["ranges"])


def _key(table: str) -> dict[str, list[str]]:
    return {"path": table.split(".")}


def _by_day(ranges: Sequence[Mapping[str, str]]) -> dict[date, str]:
    ends = [(date.fromisoformat(r["startKey"]), date.fromisoformat(r["endKey"]), r["status"]) for r in ranges]
    return {day: status for first, last, status in ends for day in days_between(first, last)}


def until(condition: Callable[[], Found | None], patience: float = PATIENCE) -> Found:
    """Wait for a true answer, and give it."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if answer := condition():
            return answer
        time.sleep(0.25)
    raise AssertionError(f"not within {patience} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def process_group(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen]:
    """A process that ends with all its children: asked to first, killed if it does not listen."""
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, *command],
            env=dict(environment),
            stdout=out,
            stderr=out,
            start_new_session=True,
            preexec_fn=_listen,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            if group_alive(process.pid):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _listen() -> None:
    """A shell lets what it starts in the background ignore SIGINT, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def group_alive(group: int) -> bool:
    """True while a process of the group runs; one that has ended and waits to be reaped does not."""
    running = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    states = (line.split() for line in running.splitlines())
    return any(int(of) == group and not state.startswith("Z") for of, state in states)


@contextmanager
def services(module: str, environment: Mapping[str, str], directory: Path) -> Iterator[Services]:
    """Web server and daemon for a module with definitions, on the Dagster home of the environment."""
    workspace, port = directory / "workspace.yaml", free_port()
    workspace.write_text(
        f"load_from:\n  - python_module:\n      module_name: {module}\n      location_name: {LOCATION}\n"
    )
    command = ["-m", "dagster", "dev", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)]
    with process_group(command, environment, directory / "services.log") as process:
        running = Services(f"http://127.0.0.1:{port}/graphql")

        def ready() -> bool:
            assert process.poll() is None, (directory / "services.log").read_text()[-3000:]
            return running.loaded()

        until(ready)
        yield running
