"""A run that keeps the warehouse open, and other processes: they get in, they see whole days, and its death loses none."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import WarehouseBusyError, WarehouseError
from nba_pipeline.common.locking import file_lock
from nba_pipeline.definitions import ASSETS
from nba_pipeline.warehouse import kept_connection as keeper
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline.warehouse.snapshot import take_snapshot
from nba_pipeline_tests.support.homes import FIRST, Home
from nba_pipeline_tests.support.other_processes import UNPRIVILEGED, damage, finish, said, start
from nba_pipeline_tests.support.results import days, recorded, state, write

SOON = 10.0


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(tmp_path / "nba.duckdb", timeout=SOON)


@contextmanager
def running(code: str, warehouse: DuckDBWarehouse) -> Iterator[subprocess.Popen[str]]:
    """Another process, once it has said that it began."""
    prelude = """
from pathlib import Path
from nba_pipeline.warehouse import kept_connection as keeper
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline_tests.support.results import days, state, write
warehouse = DuckDBWarehouse(Path(sys.argv[1]), timeout=10)
"""
    process = start(code, warehouse.path, prelude=prelude)
    try:
        assert said(process) == "begun"
        yield process
    finally:
        process.kill()
        process.communicate()


# --- handing over -----------------------------------------------------------------------------------------------------

WITHOUT_PAUSE = """
keeper.LONG_SECONDS = keeper.IDLE_SECONDS = 1e9
with warehouse.keeping():
    version = 0
    while True:
        version += 1
        write(warehouse, days(0, 1), version)
        found = state(warehouse)
        assert found[0] == found[1] == (2, version)
        if version == 1:
            print("begun", flush=True)
"""


def test_a_run_without_pause_hands_the_file_over_to_readers_and_writers(warehouse: DuckDBWarehouse) -> None:
    waited: list[float] = []
    with running(WITHOUT_PAUSE, warehouse) as run:
        for turn in range(1, 11):
            began = time.monotonic()
            found = state(warehouse)
            waited.append(time.monotonic() - began)
            assert found[0] == found[1]
            began = time.monotonic()
            write(warehouse, days(9), turn)
            waited.append(time.monotonic() - began)
            time.sleep(0.05)
        assert run.poll() is None
    assert sorted(waited)[len(waited) // 2] < 1, waited  # on a busy machine; an operation of the run takes a hundredth
    assert max(waited) < SOON / 2, waited
    assert recorded(warehouse) == state(warehouse)
    assert state(warehouse)[9] == (2, 10)


def test_two_runs_at_once_take_turns(warehouse: DuckDBWarehouse) -> None:
    code = """
print("begun", flush=True)
with warehouse.keeping():
    for n in range(25):
        write(warehouse, days({first} + n), {first} + 1)
        assert len(state(warehouse)) > n
print("done")
"""
    with running(code.format(first=0), warehouse) as one, running(code.format(first=100), warehouse) as other:
        assert [finish(p).strip() for p in (one, other)] == ["done", "done"]
    assert state(warehouse) == {n: (2, n // 100 * 100 + 1) for n in (*range(25), *range(100, 125))}
    assert recorded(warehouse) == state(warehouse)


PAUSING = """
with warehouse.keeping():
    write(warehouse, days(0))
    print("begun", flush=True)
    time.sleep({pause})
    write(warehouse, days(1))
    print("went on", flush=True)
    time.sleep(60)
"""


def test_a_run_that_computes_lets_foreign_programs_in_and_goes_on_when_they_have_left(
    warehouse: DuckDBWarehouse,
) -> None:
    with running(PAUSING.format(pause=keeper.IDLE_SECONDS + 2), warehouse) as run:
        with pytest.raises(duckdb.IOException, match=rf"Conflicting lock[\s\S]*PID {run.pid}\b"):
            duckdb.connect(str(warehouse.path), read_only=True)
        time.sleep(keeper.IDLE_SECONDS + 1)
        with duckdb.connect(str(warehouse.path), read_only=True) as db:
            assert db.execute("SELECT count(*) FROM nba_raw.results").fetchall() == [(2,)]
            time.sleep(2)
        assert said(run) == "went on"
    assert state(warehouse) == {0: (2, 1), 1: (2, 1)}


HOLDS_FOR_READING = """
import duckdb
db = duckdb.connect(sys.argv[1], read_only=True)
print("begun", flush=True)
time.sleep(60)
"""


def test_a_program_that_reads_keeps_a_run_from_publishing_as_ever_and_not_from_reading(
    warehouse: DuckDBWarehouse,
) -> None:
    write(warehouse, days(0))
    impatient = DuckDBWarehouse(warehouse.path, timeout=0.3)
    with running(HOLDS_FOR_READING, warehouse) as holder, impatient.keeping():
        began = time.monotonic()
        assert state(impatient) == {0: (2, 1)}
        assert time.monotonic() - began < SOON / 2
        message = rf"nba\.duckdb: process {holder.pid} has it open for more than 0\.3 s[\s\S]*nba-pipeline snapshot"
        with pytest.raises(WarehouseBusyError, match=message):
            write(impatient, days(1))
        assert state(impatient) == {0: (2, 1)}


def test_duckdb_holds_its_own_lock_whatever_the_run_did_with_the_file(warehouse: DuckDBWarehouse) -> None:
    """Closing any descriptor of the file would end the lock that DuckDB holds on it for this process."""
    foreign = "import duckdb\nduckdb.connect(sys.argv[1], read_only=True)"
    with warehouse.keeping():
        write(warehouse, days(0))
        take_snapshot(warehouse, warehouse.path.parent / "read" / "nba.duckdb")
        warehouse.query("SELECT 1")
        with pytest.raises(WarehouseError), warehouse.reading(keep=True):
            raise duckdb.IOException("IO Error: bad block")
        for _ in range(2):
            write(warehouse, days(1))
            with warehouse.snapshot():
                assert state(warehouse) == {0: (2, 1), 1: (2, 1)}
                process = start(foreign, warehouse.path, prelude="")
                assert "Conflicting lock" in process.communicate(timeout=60)[1]


# --- the end of a process ---------------------------------------------------------------------------------------------

KILLED = """
keeper.LONG_SECONDS = keeper.IDLE_SECONDS = 1e9
with warehouse.keeping():
    write(warehouse, days(*range(20)), 1, per_day=50)
    write(warehouse, days(3), 2)
    with warehouse._writing() as db:
        db.execute("DELETE FROM nba_raw.results")
        print("begun", flush=True)
        time.sleep(60)
"""


def test_what_a_killed_run_committed_stands_in_the_tables_and_in_copies(warehouse: DuckDBWarehouse) -> None:
    with running(KILLED, warehouse) as run:
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        assert warehouse.path.with_name("nba.duckdb.wal").stat().st_size
        committed = {n: (50, 1) for n in range(20)} | {3: (2, 2)}
        take_snapshot(warehouse, warehouse.path.parent / "read" / "nba.duckdb")
        assert state(DuckDBWarehouse(warehouse.path.parent / "read" / "nba.duckdb")) == committed
        assert state(warehouse) == recorded(warehouse) == committed
        with warehouse.keeping():
            assert state(warehouse) == committed
            write(warehouse, days(4), 3)
        assert state(warehouse) == recorded(warehouse) == committed | {4: (2, 3)}
        assert not warehouse.path.with_name("nba.duckdb.wal").exists()


# Forks from a process that only imports, so that no child inherits a thread's locks, and the price of imports is paid once.
KILLER = """
import os, random, signal, traceback
from nba_pipeline_tests.support.results import recorded

def forked(work, version):
    child = os.fork()
    if child == 0:
        try:
            work(version)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return child

def publish(version):
    with warehouse.keeping():
        for day in range(10):
            write(warehouse, days(day), version, per_day=50 + version)

def look(version):
    after = state(warehouse)
    assert after == recorded(warehouse), (version, "ledger and rows disagree")
    assert all(n == 50 + v for n, v in after.values()), (version, "torn")
    versions = [after[day][1] for day in range(10)]
    assert versions == sorted(versions, reverse=True), (version, "a later day is there without an earlier one")
    print(versions.count(version), flush=True)

chance = random.Random(5)
print("begun", flush=True)
began = time.monotonic()
assert os.waitpid(forked(publish, 1), 0)[1] == 0
usual = time.monotonic() - began
for version in range(2, 22):
    child = forked(publish, version)
    time.sleep(chance.uniform(0, 1.1 * usual))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert os.waitpid(forked(look, version), 0)[1] == 0
"""


def test_a_run_killed_at_any_moment_leaves_the_days_before_and_nothing_of_the_others(
    warehouse: DuckDBWarehouse,
) -> None:
    with running(KILLER, warehouse) as process:
        published = [int(n) for n in finish(process).split()]
    assert len(published) == 20
    assert any(0 < n < 10 for n in published), "kills must hit between commits to prove anything"


def test_a_forked_process_does_not_use_the_connection_and_holds_no_lock(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "IDLE_SECONDS", 1e9)
    with warehouse.keeping():
        write(warehouse, days(0))
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(tell, b"kept" if keeper.kept_connection(warehouse.path) else b"none")
                time.sleep(60)
            finally:
                os._exit(0)
        try:
            assert os.read(told, 4) == b"none"
            write(warehouse, days(1))
            with file_lock(warehouse.path.with_name("nba.duckdb.lock"), exclusive=True, timeout=SOON):
                pass
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(told)
            os.close(tell)
    assert state(warehouse) == {0: (2, 1), 1: (2, 1)}


# --- a hostile disk ---------------------------------------------------------------------------------------------------


def test_damage_is_named_and_marked_and_what_is_whole_is_read(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(*range(40)), per_day=2000)
    whole = warehouse.path.read_bytes()
    damage(warehouse.path)
    with warehouse.keeping():
        with pytest.raises(WarehouseError, match=r"the file is damaged: nba_raw\.results cannot be read[\s\S]*backup"):
            state(warehouse)
        with pytest.raises(WarehouseError, match=r"the file is damaged: nba_raw\.results[\s\S]*nothing is written"):
            write(warehouse, days(41))
        assert warehouse.ledger().num_rows == 40
        warehouse.path.write_bytes(whole)
        write(warehouse, days(41))
        assert len(state(warehouse)) == 41


FULL_DISK = """
import resource, signal
from nba_pipeline.common.errors import WarehouseError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with warehouse.keeping():
    write(warehouse, days(0), version=2)
    print("begun", flush=True)
    limit = warehouse.path.stat().st_size + 100_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write(warehouse, days(*range(300)), version=3, per_day=2000)
    except WarehouseError as e:
        print("refused:", e)
    print(state(warehouse), flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    write(warehouse, days(1), version=4)
    print(state(warehouse), flush=True)
"""


def test_a_full_disk_changes_nothing_says_so_and_leaves_the_run_able_to_go_on(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0, 1))
    with running(FULL_DISK, warehouse) as run:
        text = finish(run)
    assert re.search(r"refused: .*nothing was changed: no space is left", text)
    assert "{0: (2, 2), 1: (2, 1)}\n" in text
    assert "{0: (2, 2), 1: (2, 4)}\n" in text
    assert state(warehouse) == recorded(warehouse) == {0: (2, 2), 1: (2, 4)}


@pytest.mark.parametrize("modes", [(0o444, 0o755), (0o444, 0o555)], ids=["files", "directory"])
def test_a_home_that_may_only_be_read_is_read_and_not_written(
    public_home: tuple[DuckDBWarehouse, Path], modes: tuple[int, int]
) -> None:
    warehouse, warm = public_home
    for path in warehouse.path.parent.iterdir():
        path.chmod(modes[0])
    warehouse.path.parent.chmod(modes[1])
    reading = UNPRIVILEGED.format(action="warehouse.keeping().__enter__(); print(t.state(warehouse))")
    writing = UNPRIVILEGED.format(action="warehouse.keeping().__enter__(); t.write(warehouse, t.days(1), 2)")
    try:
        assert finish(start(reading, warehouse.path, warm)).startswith("{0: (2, 1)}")
        text = finish(start(writing, warehouse.path, warm))
        assert re.match(r"WarehouseError[\s\S]*permissions", text)
    finally:
        warehouse.path.parent.chmod(0o755)
    assert state(warehouse) == {0: (2, 1)}


# --- runs -------------------------------------------------------------------------------------------------------------


def test_a_run_keeps_the_warehouse_open_and_leaves_it_closed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(home.path))
    monkeypatch.setattr(keeper, "IDLE_SECONDS", 1e9)
    monkeypatch.setattr(keeper, "LONG_SECONDS", 1e9)
    opened, real = [], duck.connect
    monkeypatch.setattr(
        duck, "connect", lambda path=None, **how: opened.append((path, how.get("read_only"))) or real(path, **how)
    )
    home.materialize(FIRST, FIRST, [a for a in ASSETS if a.key.path[-1] in ("schedule", "rosters")])
    assert [o for o in opened if o[0] == home.settings.database] == [(home.settings.database, False)]
    assert keeper.kept_connection(home.settings.database) is None
    assert not home.settings.database.with_name("nba.duckdb.wal").exists()
