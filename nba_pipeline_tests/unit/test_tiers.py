"""The tiers of the tests: a fast test that starts a process, opens a socket or home, or takes long, fails by name."""

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from nba_pipeline_tests.support.tiers import Observation, observed, order, violations

ROOT = Path(__file__).parents[2]
PLUGINS = ("-p", "no:bqemulator", "-p", "nba_pipeline_tests.support.tiers")
NO_FIXTURES: frozenset[str] = frozenset()


def start_a_process(_: Path) -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


def fork(_: Path) -> None:
    if not (child := os.fork()):
        os._exit(0)
    os.waitpid(child, 0)


def bind_a_socket(_: Path) -> None:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))


def open_an_instance(directory: Path) -> None:
    (directory / "history").mkdir()
    with closing(sqlite3.connect(directory / "history" / "runs.db")):
        pass


def open_another_database(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "state.sqlite")):
        pass


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (start_a_process, "starts a process (subprocess.Popen)"),
        (fork, "starts a process (os.fork)"),
        (bind_a_socket, "opens a socket (socket.bind)"),
        (open_an_instance, "opens a Dagster instance on disk"),
    ],
)
def test_what_a_fast_test_must_not_do_is_seen(act: Callable[[Path], None], expected: str, tmp_path: Path) -> None:
    observation = Observation()
    with observed(observation):
        act(tmp_path)
    assert expected in violations(observation, NO_FIXTURES, 0, 2)


def test_files_and_other_databases_are_allowed(tmp_path: Path) -> None:
    observation = Observation()
    with observed(observation):
        open_another_database(tmp_path)
        (tmp_path / "file").write_text("text")
    assert violations(observation, NO_FIXTURES, 1.9, 2) == []


def test_homes_and_long_computations_are_named() -> None:
    broken = violations(Observation(), frozenset({"home", "tmp_path"}), 2.5, 2)
    assert broken == ["uses the fixture home", "takes 2.5 CPU seconds, more than 2"]


def test_one_file_builds_the_home_at_once_and_the_others_that_use_it_do_not_wait_for_it() -> None:
    fast, integration, one, two = Path("fast.py"), Path("integration.py"), Path("one.py"), Path("two.py")
    assert order([fast, one, integration, two], {integration, one, two}, {one, two}) == [one, integration, two, fast]
    assert order([fast, integration], {integration}, ()) == [integration, fast]


TESTS = """
import subprocess, time, pytest
def test_without_a_mark(): subprocess.run(["true"])
@pytest.mark.integration
def test_with_a_mark(): subprocess.run(["true"])
def test_long():
    end = time.process_time() + 0.4
    while time.process_time() < end: pass
def test_that_fails_by_itself(): assert subprocess.run(["true"]).returncode == 1
def test_short(): pass
"""


def run_of_pytest(directory: Path, *options: str) -> tuple[dict[str, str], list[str]]:
    """Run `TESTS` in a process: the outcome of each test, and the lines printed."""
    (directory / "test_some.py").write_text(TESTS)
    (directory / "pytest.ini").write_text("[pytest]\nmarkers = integration: not fast\n")
    command = [sys.executable, "-m", "pytest", "-rfp", *options, *PLUGINS]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    ended = [line.split(" ") for line in lines if line.startswith(("FAILED ", "PASSED "))]
    return {test.split("::")[1]: outcome.lower() for outcome, test, *_ in ended}, lines


def listed_as_slow(lines: list[str]) -> list[str]:
    return [line.split("::")[1] for line in lines if line.strip()[:1].isdigit() and " s  " in line]


OUTCOMES = {
    "test_without_a_mark": "failed",
    "test_with_a_mark": "passed",
    "test_long": "passed",
    "test_that_fails_by_itself": "failed",
    "test_short": "passed",
}


@pytest.mark.integration
def test_a_run_fails_tests_without_a_mark_that_are_not_fast_and_prints_the_seconds_of_each_tier(tmp_path: Path) -> None:
    outcomes, lines = run_of_pytest(tmp_path, "--fast-seconds=0.2")
    assert outcomes == OUTCOMES | {"test_long": "failed"}, lines
    assert listed_as_slow(lines) == ["test_long"]
    assert any("assert 0 == 1" in line for line in lines)
    assert [line.split()[:3] for line in lines if " tests " in line] == [
        ["fast", "4", "tests"],
        ["integration", "1", "tests"],
        ["whole", "run", "5"],
    ]


@pytest.mark.integration
@pytest.mark.parametrize(("seconds", "outcome"), [(2.2, "passed"), (19, "passed"), (21, "failed")])
def test_a_slow_machine_fails_no_test_but_lists_it(seconds: float, outcome: str, tmp_path: Path) -> None:
    """Seconds of the clock are those that the test seems to take: a machine that is slower, or a test that is no fast one."""
    clock = f"""
import time
import nba_pipeline_tests.support.tiers as tiers
true, jump = tiers.cpu_seconds, [0.0]
tiers.cpu_seconds = lambda: true() + jump[0]
def test_on_a_slow_machine(): jump[0] += {seconds}
"""
    (tmp_path / "test_slow.py").write_text(clock)
    outcomes, lines = run_of_pytest(tmp_path)
    assert outcomes == OUTCOMES | {"test_on_a_slow_machine": outcome}, lines
    assert listed_as_slow(lines) == ["test_on_a_slow_machine"]
