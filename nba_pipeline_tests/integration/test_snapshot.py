"""The read copy: clients that keep it open never keep the pipeline from publishing, and it is always one moment's."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage

import duckdb
import pytest

from nba_pipeline.common.errors import WarehouseBusyError, WarehouseError
from nba_pipeline.definitions import ASSETS
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline.warehouse.snapshot import take_snapshot
from nba_pipeline_tests.support.homes import FIRST, Home
from nba_pipeline_tests.support.results import days, write
from nba_pipeline_tests.support.small_disk import small_disk

CLIENT = """
import sys, duckdb
db = duckdb.connect(sys.argv[1], read_only=True)
for _ in sys.stdin:
    print(db.execute("SELECT count(*) FROM nba_raw.results").fetchone()[0], flush=True)
"""

KILLED = """
import os, sys, duckdb
db = duckdb.connect(sys.argv[1])
db.execute("CREATE TABLE late AS SELECT 1 AS n")
os._exit(9)
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(tmp_path / "nba.duckdb", timeout=1)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "read" / "nba.duckdb"


@contextmanager
def client(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that keeps the file open for reading."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", CLIENT, str(path)], text=True, **pipes) as process:  # pyright: ignore
        try:
            assert count(process) == 2
            yield process
        finally:
            process.kill()


def count(process: "subprocess.Popen[str]") -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def test_a_client_of_the_copy_blocks_neither_a_publication_nor_the_next_copy(
    warehouse: DuckDBWarehouse, copy: Path
) -> None:
    write(warehouse, days(0))
    take_snapshot(warehouse, copy)
    with client(copy) as process:
        write(warehouse, days(1))
        take_snapshot(warehouse, copy)
        assert count(process) == 2
    with client_of(copy) as db:
        assert db.execute("SELECT count(*) FROM nba.nba_raw.results").fetchall() == [(4,)]


def test_a_client_of_the_file_itself_blocks_a_publication_and_the_error_says_what_to_open_instead(
    warehouse: DuckDBWarehouse,
) -> None:
    write(warehouse, days(0))
    with client(warehouse.path), pytest.raises(WarehouseBusyError, match=r"has it open[\s\S]*nba-pipeline snapshot"):
        write(warehouse, days(1))


@contextmanager
def client_of(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(path), read_only=True) as db:
        yield db


def test_what_a_killed_writer_committed_is_in_the_copy(warehouse: DuckDBWarehouse, copy: Path) -> None:
    write(warehouse, days(0))
    subprocess.run([sys.executable, "-c", KILLED, str(warehouse.path)], check=False)
    assert warehouse.path.with_name("nba.duckdb.wal").stat().st_size
    take_snapshot(warehouse, copy)
    with client_of(copy) as db:
        assert db.execute("SELECT n FROM late").fetchall() == [(1,)]
    assert sorted(p.name for p in copy.parent.iterdir() if ".lock" not in p.name) == ["nba.duckdb"]


def test_a_copy_that_does_not_fit_is_a_named_error_and_the_earlier_copy_stays(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    with small_disk(megabytes=2) as disk:
        copy = disk / "nba.duckdb"
        take_snapshot(warehouse, copy)
        earlier = copy.read_bytes()
        (disk / "ballast").write_bytes(bytes(disk_usage(disk).free))
        with pytest.raises(WarehouseError, match="was not written: no space is left on the volume"):
            take_snapshot(warehouse, copy)
        assert copy.read_bytes() == earlier
        assert sorted(p.name for p in disk.iterdir() if ".lock" not in p.name) == ["ballast", "nba.duckdb"]


def test_a_run_leaves_a_copy_of_what_it_published_where_the_setting_says_so(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(home.path))
    schedule = [a for a in ASSETS if a.key.path[-1] == "schedule"]
    home.materialize(FIRST, FIRST, schedule)
    assert not home.settings.read_copy.exists()
    monkeypatch.setenv("NBA_PIPELINE_SNAPSHOT", "after_run")
    home.materialize(FIRST, FIRST, schedule)
    held = DuckDBWarehouse(home.settings.read_copy)
    assert held.ledger().equals(home.warehouse.ledger())
