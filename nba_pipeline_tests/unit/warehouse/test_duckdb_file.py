"""The one file of the embedded warehouse: where it lies, who waits for whom, and what stays as it was declared."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import WarehouseBusyError, WarehouseError
from nba_pipeline.common.locking import file_lock
from nba_pipeline.contracts import sql_types as ddl
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline.warehouse.opening import connected
from nba_pipeline_tests.support.clock import Clock
from nba_pipeline_tests.support.results import RESULTS, days, state, write


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(tmp_path / "nba.duckdb", timeout=0.2)


def test_the_directories_above_the_file_are_made(tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "a" / "b" / "nba.duckdb")
    write(warehouse, days(0))
    assert state(warehouse) == {0: (2, 1)}


def test_a_new_file_has_the_format_that_every_supported_version_of_duckdb_reads(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    assert _format(warehouse) == "v1.5.0+"


def test_a_file_keeps_its_format_and_what_it_holds(warehouse: DuckDBWarehouse) -> None:
    with duckdb.connect(str(warehouse.path), config={"storage_compatibility_version": "v1.2.0"}) as db:
        db.execute("CREATE TABLE notes AS SELECT 'kept' AS text")
    write(warehouse, days(0))
    assert _format(warehouse) == "v1.2.0+"
    assert state(warehouse) == {0: (2, 1)}
    assert warehouse.query("SELECT text FROM notes").to_pylist() == [{"text": "kept"}]


def _format(warehouse: DuckDBWarehouse) -> str:
    """Read the format of the file, as DuckDB names it."""
    found = warehouse.query("SELECT tags['storage_version'] AS format FROM duckdb_databases() WHERE path IS NOT NULL")
    return found["format"].to_pylist()[0]


def test_a_file_without_tables_of_ours_holds_nothing(warehouse: DuckDBWarehouse) -> None:
    with duckdb.connect(str(warehouse.path)) as db:
        db.execute("CREATE TABLE notes (text VARCHAR)")
    assert (warehouse.ledger().num_rows, warehouse.quarantine().num_rows, state(warehouse)) == (0, 0, {})
    assert warehouse.contents([RESULTS], *days(0, 5), hashes=True).num_rows == 0


def test_a_state_without_tables_of_ours_can_be_read_on(warehouse: DuckDBWarehouse) -> None:
    with duckdb.connect(str(warehouse.path)) as db:
        db.execute("CREATE TABLE notes (text VARCHAR)")
    with warehouse.keeping(), warehouse.snapshot():
        for _ in range(2):
            assert (warehouse.ledger().num_rows, state(warehouse)) == (0, {})
    write(warehouse, days(0))
    assert state(warehouse) == {0: (2, 1)}


def test_a_quarantine_that_is_missing_beside_the_ledger_is_not_taken_for_an_empty_one(
    warehouse: DuckDBWarehouse,
) -> None:
    write(warehouse, days(0))
    with duckdb.connect(str(warehouse.path)) as db:
        db.execute(f"DROP TABLE {ddl.QUARANTINE}")
    with pytest.raises(duckdb.CatalogException, match="quarantine does not exist"):
        warehouse.quarantine()


def test_a_question_to_a_warehouse_that_is_not_there_says_how_to_make_one(warehouse: DuckDBWarehouse) -> None:
    with pytest.raises(WarehouseError, match=r"nba\.duckdb does not exist yet\n.*nba-pipeline backfill"):
        warehouse.query("SELECT 1")


def test_required_columns_stay_required_however_often_the_table_is_written(warehouse: DuckDBWarehouse) -> None:
    for version in (1, 2, 3):
        write(warehouse, days(0), version)
    found = warehouse.query(f'SELECT column_name, "null" FROM (DESCRIBE {RESULTS.id})').to_pylist()
    assert {r["column_name"] for r in found if r["null"] == "YES"} == {"points"}


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_one_thread_writes_the_file(tmp_path: Path) -> None:
    with connected(tmp_path / "nba.duckdb", read_only=False, timeout=0) as db:
        assert db.execute("SELECT current_setting('threads')").fetchall() == [(duck.THREADS,)]


def test_readers_do_not_wait_for_readers_and_writers_do(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    with file_lock(warehouse.path.with_name("nba.duckdb.lock"), exclusive=False, timeout=0):
        assert state(warehouse) == {0: (2, 1)}
        with pytest.raises(WarehouseBusyError, match=r"held the lock for more than 0\.2 s"):
            write(warehouse, days(1))
    write(warehouse, days(1))
    assert state(warehouse) == {0: (2, 1), 1: (2, 1)}


HELD = "IO Error: Could not set lock on file: Conflicting lock is held in /usr/bin/duckdb{}. See also the manual"


def refusing(monkeypatch: pytest.MonkeyPatch, message: str) -> Clock:
    """As if the file could not be opened; time passes only while somebody sleeps."""

    def connect(*_: Any, **__: Any) -> Any:
        raise duckdb.IOException(message)

    clock = Clock()
    monkeypatch.setattr("nba_pipeline.warehouse.opening.time", clock)
    monkeypatch.setattr(duck, "connect", connect)
    return clock


@pytest.mark.parametrize(("held", "who"), [(" (PID 4711)", "process 4711"), ("", "another process")])
def test_a_file_that_another_program_has_open_is_waited_for_as_long_as_told(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch, held: str, who: str
) -> None:
    clock = refusing(monkeypatch, HELD.format(held))
    with pytest.raises(WarehouseBusyError, match=rf"nba\.duckdb: {who} has it open for more than 0\.2 s"):
        write(warehouse, days(0))
    assert 100.2 <= clock.now <= 100.2 + 2 * max(clock.naps)
    assert max(clock.naps) <= 0.1


def test_with_no_time_to_wait_nobody_waits_for_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = refusing(monkeypatch, HELD.format(""))
    with pytest.raises(WarehouseBusyError):
        write(DuckDBWarehouse(tmp_path / "nba.duckdb", timeout=0), days(0))
    assert clock.naps == []


def test_a_file_that_cannot_be_opened_at_all_is_not_waited_for(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = refusing(monkeypatch, "IO Error: Cannot open file: Permission denied")
    with pytest.raises(WarehouseError, match=r"nba\.duckdb: .*Permission denied\n.*check the disk and the permissions"):
        write(warehouse, days(0))
    assert clock.naps == []


# --- snapshots --------------------------------------------------------------------------------------------------------


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were opened."""
    opened, real = [], duck.connect

    def connect(path: Path, **named: Any) -> duckdb.DuckDBPyConnection:
        opened.append(path)
        return real(path, **named)

    monkeypatch.setattr(duck, "connect", connect)
    return opened


def test_all_readings_of_a_snapshot_open_the_file_once(warehouse: DuckDBWarehouse, openings: list[Path]) -> None:
    write(warehouse, days(0))
    openings.clear()
    with warehouse.snapshot():
        assert warehouse.ledger().num_rows == 1
        with warehouse.snapshot():
            assert state(warehouse) == {0: (2, 1)}
        assert state(warehouse) == {0: (2, 1)}
    assert openings == [warehouse.path]


def test_others_publish_nothing_within_a_snapshot_and_again_after_it(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    with ThreadPoolExecutor(1) as other:
        with warehouse.snapshot(), pytest.raises(WarehouseBusyError):
            other.submit(write, warehouse, days(1)).result()
        with pytest.raises(ZeroDivisionError), warehouse.snapshot():
            raise ZeroDivisionError
        other.submit(write, warehouse, days(1)).result()
    assert state(warehouse) == {0: (2, 1), 1: (2, 1)}


def test_publishing_within_ones_own_snapshot_is_refused_at_once(warehouse: DuckDBWarehouse) -> None:
    with warehouse.snapshot(), pytest.raises(RuntimeError, match="within a snapshot of itself"):
        write(warehouse, days(0))


def test_a_snapshot_of_a_file_that_is_not_there_holds_nothing(warehouse: DuckDBWarehouse) -> None:
    with warehouse.snapshot():
        assert warehouse.ledger().num_rows == 0


@pytest.mark.parametrize("error", [OSError(2, "No such file"), duckdb.OutOfMemoryException("Out of Memory Error: x")])
def test_what_fails_within_a_snapshot_is_not_called_a_failure_of_the_file(
    warehouse: DuckDBWarehouse, error: Exception
) -> None:
    write(warehouse, days(0))
    with pytest.raises(type(error)) as failed, warehouse.snapshot():
        raise error
    assert failed.value is error


def test_a_reading_that_fails_within_a_snapshot_is_explained_where_it_failed(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    with warehouse.snapshot(), pytest.raises(WarehouseError, match=r"nba\.duckdb: reading failed: Out of Memory"):
        warehouse.query("SET memory_limit = '1KB'; SELECT array_agg(range::VARCHAR) FROM range(2000000)")
    assert state(warehouse) == {0: (2, 1)}
