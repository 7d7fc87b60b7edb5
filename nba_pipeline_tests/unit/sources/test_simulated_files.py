"""Seasons that are simulated ahead: in processes that Ctrl-C does not reach, and that leave nothing unfinished behind."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from nba_pipeline import simulator
from nba_pipeline.sources.simulated_files import SimulatedFiles

SEASON = "2024-25"
PATIENCE_SECONDS = 60


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Collect the processes that are begun."""
    processes, popen = [], subprocess.Popen

    def begin(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        processes.append(popen(*arguments, **options))  # pyright: ignore[reportCallIssue, reportArgumentType]
        return processes[-1]

    monkeypatch.setattr(subprocess, "Popen", begin)
    return processes


def drafts(files: SimulatedFiles) -> list[Path]:
    return list(files.place(SEASON).parent.glob(f".{SEASON}-*"))


def wait_for_draft(files: SimulatedFiles) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not drafts(files):
        assert time.monotonic() < ends, "nothing is simulated"
        time.sleep(0.01)


def test_a_season_that_is_there_needs_no_process(tmp_path: Path, begun: list[subprocess.Popen[bytes]]) -> None:
    files = SimulatedFiles(tmp_path, seed=1)
    files.place(SEASON).mkdir(parents=True)
    with files.ahead([SEASON]):
        assert begun == []


@pytest.mark.integration
def test_a_process_is_out_of_the_reach_of_ctrl_c_and_leaves_no_draft_where_it_is_ended(
    tmp_path: Path, begun: list[subprocess.Popen[bytes]]
) -> None:
    files = SimulatedFiles(tmp_path, seed=1)
    with files.ahead([SEASON, SEASON]):
        (process,) = begun
        assert os.getpgid(process.pid) == process.pid
        wait_for_draft(files)
    assert process.returncode == 1
    assert drafts(files) == []
    assert not files.place(SEASON).exists()


@pytest.mark.integration
def test_a_reader_waits_for_a_season_that_is_under_way(
    tmp_path: Path, begun: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def simulated_here(*_: object) -> None:
        raise AssertionError("it is simulated twice")

    monkeypatch.setattr(simulator, "simulate_season", simulated_here)
    files = SimulatedFiles(tmp_path, seed=1)
    with files.ahead([SEASON]):
        wait_for_draft(files)
        assert {p.stem for p in files.of(SEASON).iterdir()} == set(simulator.FEEDS)
    assert len(begun) == 1
