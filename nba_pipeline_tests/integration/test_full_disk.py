"""Homes on volumes that are full or can only be read: commands name it, and what can be answered is answered."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from nba_pipeline_tests.support.homes import Home
from nba_pipeline_tests.support.small_disk import read_only, small_disk

QUERIES = ["status", "alerts", "backfills", "reconcile --dry-run", "quarantine", "models", "names"]


def command(environment: Mapping[str, str], text: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "nba_pipeline.cli", *text.split()]
    return subprocess.run(run, env=dict(environment), capture_output=True, text=True, check=False, timeout=300)


def test_a_backfill_on_a_disk_that_fills_up_says_so_and_leaves_whole_days() -> None:
    with small_disk(megabytes=12) as disk:
        home = Home(disk / "home")
        ended = command(home.environment, "backfill 2021-10-19 2021-10-20")
        assert ended.returncode == 1
        assert "Traceback" not in ended.stderr
        assert "error: no space is left on the volume of" in ended.stderr
        assert "Fix: free some space" in ended.stderr


@contextmanager
def only_read(home: Home) -> Iterator[dict[str, str]]:
    with read_only(home.path):
        yield home.environment


def test_queries_answer_on_a_home_that_can_only_be_read(home: Home) -> None:
    with only_read(home) as environment:
        for text in QUERIES:
            ended = command(environment, text)
            assert "Traceback" not in ended.stderr, text
            assert "Read-only" not in ended.stderr, text
            assert ended.stdout, text


@pytest.mark.parametrize("text", ["backfill 2021-10-20 2021-10-20", "snapshot", "report 2021-10-20", "reconcile"])
def test_what_must_write_names_the_volume(home: Home, text: str) -> None:
    with only_read(home) as environment:
        ended = command(environment, text)
    assert ended.returncode == 1
    assert "Read-only file system" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_home_without_lock_files_can_be_read(home: Home) -> None:
    for lock in Path(home.path).glob("*.lock*"):
        lock.unlink()
    with only_read(home) as environment:
        assert "nba_raw.schedule" in command(environment, "status --json").stdout
