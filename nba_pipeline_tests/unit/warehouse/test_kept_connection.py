"""Within `keeping` the file stays open: for all threads, until others wait for it, and never for longer than it is the same."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import WarehouseBusyError, WarehouseError
from nba_pipeline.common.locking import file_lock
from nba_pipeline.warehouse import duckdb as module
from nba_pipeline.warehouse import kept_connection as keeper
from nba_pipeline.warehouse.damage import mark
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline.warehouse.snapshot import take_snapshot
from nba_pipeline_tests.support.interference import Interfering, fail
from nba_pipeline_tests.support.results import NO_REJECTS, OtherType, days, declared, entry, recorded, state, write

SOON = 5.0  # longer than a busy machine takes; what waits for nothing takes as many milliseconds


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(tmp_path / "nba.duckdb", timeout=SOON)


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each opening of a file was for reading only."""
    opened, real = [], duck.connect

    def connect(path: Path, *, read_only: bool = False, threads: int | None = None) -> duckdb.DuckDBPyConnection:
        opened.append(read_only)
        return real(path, read_only=read_only, threads=threads)

    monkeypatch.setattr(duck, "connect", connect)
    return opened


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No operation is long, and no pause an idle one, however busy the machine is."""
    monkeypatch.setattr(keeper, "LONG_SECONDS", 1e9)
    monkeypatch.setattr(keeper, "IDLE_SECONDS", 1e9)


def is_open(warehouse: DuckDBWarehouse) -> bool:
    """Whether the file is kept open now, or is not wholly closed."""
    kept = keeper.kept_connection(warehouse.path)
    if kept is None:
        return False
    with kept._changed:
        return kept._file is not None


def soon(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + SOON
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()


# --- one connection ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("patient")
def test_all_operations_of_all_threads_open_the_file_once(warehouse: DuckDBWarehouse, openings: list[bool]) -> None:
    with warehouse.keeping(), warehouse.keeping(), ThreadPoolExecutor(3) as pool:
        write(warehouse, days(0))
        list(pool.map(lambda n: write(warehouse, days(n)), range(1, 7)))
        assert list(pool.map(lambda _: state(warehouse), range(3))) == [dict.fromkeys(range(7), (2, 1))] * 3
        with warehouse.snapshot():
            assert recorded(warehouse) == state(warehouse)
    assert openings == [False]
    assert not warehouse.path.with_name("nba.duckdb.wal").exists()
    with file_lock(warehouse.path.with_name("nba.duckdb.lock"), exclusive=True, timeout=0):
        assert not keeper._kept
    assert state(warehouse) == recorded(warehouse) == dict.fromkeys(range(7), (2, 1))


def test_outside_of_the_block_every_operation_opens_the_file(warehouse: DuckDBWarehouse, openings: list[bool]) -> None:
    with warehouse.keeping():
        pass
    write(warehouse, days(0))
    assert (state(warehouse), openings) == ({0: (2, 1)}, [False, True])


def test_a_file_that_is_not_there_is_not_made_by_reading(warehouse: DuckDBWarehouse) -> None:
    with warehouse.keeping(), warehouse.snapshot():
        assert (state(warehouse), warehouse.ledger().num_rows) == ({}, 0)
    assert list(warehouse.path.parent.iterdir()) == []


@pytest.mark.usefixtures("patient")
def test_what_an_operation_registered_and_set_is_gone_with_it(warehouse: DuckDBWarehouse) -> None:
    with warehouse.keeping():
        write(warehouse, days(0))
        for _ in range(2):
            with warehouse.reading(keep=True) as db:
                assert db is not None
                zone, shown = db.execute(
                    "SELECT current_setting('TimeZone'), current_setting('enable_progress_bar')"
                ).fetchall()[0]
                assert (zone, shown) == ("UTC", False)
                db.execute("SET TimeZone = 'Asia/Tokyo'")
                views = db.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
                assert views == []


@pytest.mark.usefixtures("patient")
def test_a_question_is_asked_through_a_connection_that_can_only_read(
    warehouse: DuckDBWarehouse, openings: list[bool]
) -> None:
    with warehouse.keeping():
        write(warehouse, days(0))
        with pytest.raises(WarehouseError, match="read-only"):
            warehouse.query("DELETE FROM nba_raw.results")
        assert state(warehouse) == {0: (2, 1)}
    assert openings == [False, True, False]


# --- states -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("patient")
def test_a_snapshot_sees_one_state_while_another_thread_publishes(
    warehouse: DuckDBWarehouse, openings: list[bool]
) -> None:
    with warehouse.keeping(), ThreadPoolExecutor(1) as other:
        write(warehouse, days(0))
        with warehouse.snapshot():
            other.submit(write, warehouse, days(0, 1), 2).result(SOON)
            assert other.submit(state, warehouse).result(SOON) == {0: (2, 2), 1: (2, 2)}
            assert state(warehouse) == recorded(warehouse) == {0: (2, 1)}
        assert state(warehouse) == recorded(warehouse) == {0: (2, 2), 1: (2, 2)}
    assert openings == [False]


@pytest.mark.usefixtures("patient")
def test_readers_see_nothing_of_a_writing_that_is_under_way_and_a_second_writer_waits(
    warehouse: DuckDBWarehouse,
) -> None:
    with warehouse.keeping(), ThreadPoolExecutor(2) as others:
        write(warehouse, days(0))
        with warehouse._writing() as db:
            db.execute("DELETE FROM nba_raw.results")
            second = others.submit(write, warehouse, days(1))
            assert others.submit(state, warehouse).result(SOON) == {0: (2, 1)}
            time.sleep(0.2)
            assert not second.done()
        second.result(SOON)
        assert state(warehouse) == {1: (2, 1)}


def test_publishing_within_ones_own_snapshot_is_refused_at_once(warehouse: DuckDBWarehouse) -> None:
    with warehouse.keeping(), warehouse.snapshot(), pytest.raises(RuntimeError, match="within a snapshot of itself"):
        write(warehouse, days(0))


# --- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("patient")
def test_a_refused_writing_changes_nothing_and_the_connection_stays(
    warehouse: DuckDBWarehouse, openings: list[bool]
) -> None:
    other = declared(OtherType)
    with warehouse.keeping():
        write(warehouse, days(0))
        with pytest.raises(WarehouseError, match="ALTER TABLE"):
            warehouse.replace(other, days(1), other.arrow_schema.empty_table(), [entry(days(1)[0])], NO_REJECTS)
        with pytest.raises(KeyboardInterrupt):
            delete_until_interrupted(warehouse)
        assert state(warehouse) == recorded(warehouse) == {0: (2, 1)}
        write(warehouse, days(0, 1), 2)
        assert state(warehouse) == recorded(warehouse) == {0: (2, 2), 1: (2, 2)}
    assert openings == [False]


def delete_until_interrupted(warehouse: DuckDBWarehouse) -> None:
    with warehouse._writing() as db:
        db.execute("DELETE FROM nba_raw.results")
        raise KeyboardInterrupt


@pytest.mark.usefixtures("patient")
def test_an_interruption_that_keeps_an_operation_from_its_end_leaves_the_file_closed_after_the_block(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(keeper.KeptConnection, "_end", lambda *_: fail(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            write_and_end_in_time(warehouse, patch)
    with file_lock(warehouse.path.with_name("nba.duckdb.lock"), exclusive=True, timeout=0):
        pass
    assert state(warehouse) == {0: (2, 1)}


def write_and_end_in_time(warehouse: DuckDBWarehouse, patch: pytest.MonkeyPatch) -> None:
    with warehouse.keeping():
        try:
            write(warehouse, days(0))
        finally:
            patch.undo()


@contextmanager
def interfering(at: str, act: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    real = duck.cursor
    with monkeypatch.context() as patch:
        patch.setattr(duck, "cursor", lambda db: Interfering(real(db), at, act))
        yield


INVALIDATED = duckdb.FatalException("FATAL Error: database has been invalidated because of a previous fatal error")


@pytest.mark.parametrize("at", ["BEGIN", "DELETE", "INSERT", "COMMIT"])
@pytest.mark.usefixtures("patient")
def test_a_writing_that_fails_changes_nothing_and_the_next_operation_opens_the_file_anew(
    warehouse: DuckDBWarehouse, openings: list[bool], monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    with warehouse.keeping():
        write(warehouse, days(0))
        with (
            interfering(at, lambda: fail(INVALIDATED), monkeypatch),
            pytest.raises(WarehouseError, match=r"nba\.duckdb: writing failed, nothing was changed: FATAL Error"),
        ):
            write(warehouse, days(0, 1), 2)
        openings.clear()
        assert state(warehouse) == recorded(warehouse) == {0: (2, 1)}
        write(warehouse, days(1), 2)
        assert state(warehouse) == recorded(warehouse) == {0: (2, 1), 1: (2, 2)}
    assert openings == [False]


@pytest.mark.parametrize("error", [INVALIDATED, duckdb.IOException("IO Error: bad block"), OSError(5, "Input/output")])
@pytest.mark.usefixtures("patient")
def test_a_reading_that_fails_is_explained_and_the_next_operation_opens_the_file_anew(
    warehouse: DuckDBWarehouse, openings: list[bool], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with warehouse.keeping(), ThreadPoolExecutor(1) as other:
        write(warehouse, days(0))
        with warehouse.snapshot():
            reading = other.submit(fails_in_a_snapshot, warehouse, error, monkeypatch)
            time.sleep(0.1)
            assert not reading.done()  # it does not close the file under the snapshot of another thread
            assert state(warehouse) == {0: (2, 1)}
        assert re.search(r"nba\.duckdb: reading failed: [\s\S]*check the disk", str(reading.exception(SOON)))
        openings.clear()
        assert state(warehouse) == {0: (2, 1)}
    assert openings == [False]


def fails_in_a_snapshot(warehouse: DuckDBWarehouse, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    with interfering("SELECT", lambda: fail(error), monkeypatch), warehouse.snapshot():
        warehouse.ledger()


@pytest.mark.usefixtures("patient")
def test_a_marked_file_is_only_read_until_it_is_written(warehouse: DuckDBWarehouse, openings: list[bool]) -> None:
    write(warehouse, days(0))
    mark(warehouse.path, "nba_raw.results")
    openings.clear()
    with warehouse.keeping():
        assert state(warehouse) == {0: (2, 1)}
        assert openings == [True]
        write(warehouse, days(1))
        assert state(warehouse) == {0: (2, 1), 1: (2, 1)}
    assert openings == [True, True, False]  # read, looked at, kept


@pytest.mark.usefixtures("patient")
def test_an_interruption_ends_the_statements_of_every_thread(warehouse: DuckDBWarehouse) -> None:
    with warehouse.keeping(), ThreadPoolExecutor(2) as others:
        write(warehouse, days(0))
        begun = threading.Barrier(3)

        def read_slowly() -> None:
            with warehouse.reading(keep=True) as db:
                assert db is not None
                begun.wait()
                db.execute("SELECT sum(hash(a.range + b.range)) FROM range(300000) AS a, range(300000) AS b")

        def write_slowly() -> None:
            with warehouse._writing() as db:
                db.execute("DELETE FROM nba_raw.results")
                begun.wait()
                db.execute("SELECT sum(hash(a.range + b.range)) FROM range(300000) AS a, range(300000) AS b")

        ended = [others.submit(read_slowly), others.submit(write_slowly)]
        begun.wait()
        assert soon(lambda: duck.interrupt_statements() or all(e.done() for e in ended))
        assert isinstance(ended[0].exception(), duckdb.InterruptException)
        assert "nothing was changed: INTERRUPT" in str(ended[1].exception())
        assert state(warehouse) == {0: (2, 1)}


# --- another file -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("patient")
def test_a_file_that_was_removed_between_operations_is_not_written_into(warehouse: DuckDBWarehouse) -> None:
    with warehouse.keeping():
        write(warehouse, days(0))
        warehouse.path.unlink()
        assert state(warehouse) == {}
        assert not warehouse.path.exists()
        write(warehouse, days(1))
        assert state(warehouse) == {1: (2, 1)}
    assert state(warehouse) == recorded(warehouse) == {1: (2, 1)}


@pytest.mark.usefixtures("patient")
def test_a_file_that_was_exchanged_between_operations_is_the_one_that_is_used(warehouse: DuckDBWarehouse) -> None:
    other = DuckDBWarehouse(warehouse.path.with_name("other.duckdb"))
    write(other, days(5))
    with warehouse.keeping():
        write(warehouse, days(0))
        other.path.replace(warehouse.path)
        assert state(warehouse) == {5: (2, 1)}
        write(warehouse, days(6))
    assert state(warehouse) == recorded(warehouse) == {5: (2, 1), 6: (2, 1)}


@pytest.mark.parametrize("at", ["DELETE", "COMMIT"])
@pytest.mark.parametrize("exchanged", [False, True], ids=["removed", "exchanged"])
@pytest.mark.usefixtures("patient")
def test_a_write_into_a_file_that_is_no_longer_there_is_not_called_a_success(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch, at: str, exchanged: bool
) -> None:
    write(warehouse, days(0))
    copy = warehouse.path.read_bytes()

    def take_away() -> None:
        warehouse.path.unlink(missing_ok=True)
        if exchanged:
            warehouse.path.write_bytes(copy)

    with warehouse.keeping():
        with (
            interfering(at, take_away, monkeypatch),
            pytest.raises(WarehouseError, match=r"removed or exchanged[\s\S]*--missing"),
        ):
            write(warehouse, days(0, 1), version=2)
        write(warehouse, days(0, 1), version=3)
    assert state(warehouse) == {0: (2, 3), 1: (2, 3)}


# --- giving it up -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.usefixtures("patient")
def test_who_waits_for_the_lock_gets_it_between_two_operations(warehouse: DuckDBWarehouse, exclusive: bool) -> None:
    with warehouse.keeping():
        write(warehouse, days(0))
        assert is_open(warehouse)
        with file_lock(warehouse.path.with_name("nba.duckdb.lock"), exclusive=exclusive, timeout=SOON):
            assert not is_open(warehouse)
            assert not warehouse.path.with_name("nba.duckdb.wal").exists()
        assert state(warehouse) == {0: (2, 1)}
        assert is_open(warehouse)


@pytest.mark.usefixtures("patient")
def test_operations_that_overlap_without_end_give_way_to_who_waits(warehouse: DuckDBWarehouse) -> None:
    """Each of two threads ends a reading only when the other has begun one since, or could not for a while."""
    write(warehouse, days(0))
    changed, begun, over = threading.Condition(), [0, 0], threading.Event()

    def begin_and_wait(me: int) -> None:
        with changed:
            other = begun[1 - me]
            begun[me] += 1
            changed.notify_all()
            changed.wait_for(lambda: begun[1 - me] > other, 0.5)

    def read_on(me: int) -> None:
        while not over.is_set():
            with warehouse.reading(keep=True):
                begin_and_wait(me)

    with warehouse.keeping(), ThreadPoolExecutor(2) as pool:
        reading = [pool.submit(read_on, me) for me in (0, 1)]
        assert soon(lambda: is_open(warehouse))
        try:
            with file_lock(warehouse.path.with_name("nba.duckdb.lock"), exclusive=True, timeout=SOON):
                pass
        finally:
            over.set()
        assert [r.exception() for r in reading] == [None, None]


def test_an_idle_file_is_closed(warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "IDLE_SECONDS", 0.1)
    with warehouse.keeping():
        write(warehouse, days(0))
        assert soon(lambda: not is_open(warehouse))
        with duckdb.connect(str(warehouse.path)) as db:
            assert db.execute("SELECT count(*) FROM nba_raw.results").fetchall() == [(2,)]


def test_a_long_operation_leaves_the_file_closed(warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "IDLE_SECONDS", 1e9)
    monkeypatch.setattr(keeper, "LONG_SECONDS", 0.0)
    with warehouse.keeping():
        write(warehouse, days(0))
        assert not is_open(warehouse)


@pytest.mark.usefixtures("patient")
def test_a_file_that_cannot_be_locked_at_once_is_read_as_outside_of_a_run(
    warehouse: DuckDBWarehouse, openings: list[bool]
) -> None:
    write(warehouse, days(0))
    openings.clear()
    began = time.monotonic()
    with file_lock(warehouse.path.with_name("nba.duckdb.lock"), exclusive=False, timeout=SOON), warehouse.keeping():
        assert state(warehouse) == {0: (2, 1)}
    assert time.monotonic() - began < SOON / 2
    assert openings == [True]


@pytest.mark.usefixtures("patient")
def test_a_read_copy_made_within_a_run_has_everything_that_was_committed(warehouse: DuckDBWarehouse) -> None:
    copy = warehouse.path.parent / "read" / "nba.duckdb"
    with warehouse.keeping():
        write(warehouse, days(0))
        write(warehouse, days(1))
        take_snapshot(warehouse, copy)
        write(warehouse, days(2))
    assert state(DuckDBWarehouse(copy)) == {0: (2, 1), 1: (2, 1)}
    assert state(warehouse) == dict.fromkeys(range(3), (2, 1))


@pytest.mark.parametrize("at", ["SELECT", "DELETE"], ids=["reading", "writing"])
def test_a_file_that_failed_stays_locked_until_it_was_looked_at(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Another process that waited would have it open else, and damage could not be told."""
    monkeypatch.setattr(keeper, "LONG_SECONDS", 0.0)
    write(warehouse, days(0))
    honest, looks = module.explained, list[str]()

    def looked_at(path: Path, what: str, error: Exception) -> WarehouseError:
        with (
            pytest.raises(WarehouseBusyError),
            file_lock(path.with_name("nba.duckdb.lock"), exclusive=False, timeout=0),
        ):
            pass
        looks.append(what)
        return honest(path, what, error)

    monkeypatch.setattr(module, "explained", looked_at)
    error = duckdb.IOException("IO Error: bad block")
    with warehouse.keeping(), pytest.raises(WarehouseError), interfering(at, lambda: fail(error), monkeypatch):
        warehouse.ledger() if at == "SELECT" else write(warehouse, days(0), version=2)
    assert len(looks) == 1
    assert state(warehouse) == {0: (2, 1)}
