"""The embedded warehouse: days are replaced whole or not at all, whatever dies, fails or competes."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import WarehouseBusyError, WarehouseError
from nba_pipeline.common.locking import LOCK_TIMEOUT, file_lock
from nba_pipeline.contracts.table import Rows
from nba_pipeline.warehouse import damage as damages
from nba_pipeline.warehouse.damage import mark
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline_tests.support.interference import Interfering, fail
from nba_pipeline_tests.support.other_processes import UNPRIVILEGED, damage, finish, said, start
from nba_pipeline_tests.support.results import (
    NO_REJECTS,
    OtherName,
    OtherType,
    days,
    declared,
    entry,
    recorded,
    state,
    write,
)


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(tmp_path / "nba.duckdb", timeout=10)


@pytest.mark.parametrize("name", ["it's; DROP TABLE x--.duckdb", 'quo"te [a] *?.duckdb', "é ü.duckdb", "no_suffix"])
def test_sql_and_wildcards_in_the_path_are_a_path(tmp_path: Path, name: str) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "a'b" / name)
    write(warehouse, days(0))
    assert state(warehouse) == {0: (2, 1)}
    assert warehouse.path.is_file()


@pytest.mark.parametrize(
    ("model", "statement"),
    [
        (OtherType, 'ALTER TABLE nba_raw.results ALTER "points" TYPE VARCHAR'),
        (OtherName, 'nba_raw.results DROP "points"'),
    ],
)
def test_any_other_change_is_refused_with_the_statement_that_mends_it(
    warehouse: DuckDBWarehouse, model: type[Rows], statement: str
) -> None:
    write(warehouse, days(0))
    other = declared(model)
    with pytest.raises(WarehouseError, match=re.escape(statement)):
        warehouse.replace(other, days(1), other.arrow_schema.empty_table(), [entry(days(1)[0])], NO_REJECTS)
    assert state(warehouse) == recorded(warehouse) == {0: (2, 1)}


# --- all or nothing ---------------------------------------------------------------------------------------------------


class Faulty:
    """A connection that fails at its n-th statement."""

    seen: ClassVar[int] = 0

    def __init__(self, db: duckdb.DuckDBPyConnection, fail_at: int, error: BaseException) -> None:
        self._db, self._fail_at, self._error = db, fail_at, error
        Faulty.seen = 0

    def execute(self, *arguments: Any) -> Any:
        Faulty.seen += 1
        if Faulty.seen == self._fail_at:
            raise self._error
        return self._db.execute(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


@contextmanager
def failing_at(number: int, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    real = duck.connect

    def connect(path: Path | None = None, *, read_only: bool = False, threads: int | None = None) -> Any:
        return Faulty(real(path, read_only=read_only, threads=threads), number, error)

    with monkeypatch.context() as patch:
        patch.setattr("nba_pipeline.warehouse.duckdb.duck.connect", connect)
        yield


@pytest.mark.parametrize("error", [duckdb.Error("disk on fire"), KeyboardInterrupt()], ids=["duckdb", "ctrl-c"])
def test_an_error_at_any_statement_changes_nothing(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    write(warehouse, days(0, 1, 2))
    raised = WarehouseError if isinstance(error, duckdb.Error) else KeyboardInterrupt
    with failing_at(10**6, error, monkeypatch):
        write(warehouse, days(0, 1, 2))
    statements = Faulty.seen
    assert statements > 10
    for number in range(1, statements + 1):
        with failing_at(number, error, monkeypatch), pytest.raises(raised):
            write(warehouse, days(1, 2, 3), version=2, per_day=3)
        assert state(warehouse) == recorded(warehouse) == {0: (2, 1), 1: (2, 1), 2: (2, 1)}, number
    write(warehouse, days(1, 2, 3), version=2, per_day=3)
    assert state(warehouse) == recorded(warehouse) == {0: (2, 1), 1: (3, 2), 2: (3, 2), 3: (3, 2)}


def test_a_failing_first_write_leaves_no_table(warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        failing_at(8, duckdb.Error("no"), monkeypatch),
        pytest.raises(WarehouseError, match=r"nba\.duckdb: writing failed, nothing was changed: "),
    ):
        write(warehouse, days(0))
    assert state(warehouse) == {}
    assert warehouse.ledger().num_rows == 0


@contextmanager
def interfering(at: str, act: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    real = duck.connect

    def connect(path: Path | None = None, *, read_only: bool = False, threads: int | None = None) -> Any:
        return Interfering(real(path, read_only=read_only, threads=threads), at, act)

    with monkeypatch.context() as patch:
        patch.setattr("nba_pipeline.warehouse.duckdb.duck.connect", connect)
        yield


@pytest.mark.parametrize("at", ["DELETE", "COMMIT", "close"])
@pytest.mark.parametrize("exchanged", [False, True], ids=["removed", "exchanged"])
def test_a_write_into_a_file_that_is_no_longer_there_is_not_called_a_success(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch, at: str, exchanged: bool
) -> None:
    write(warehouse, days(0))
    copy = warehouse.path.read_bytes()

    def take_away() -> None:
        warehouse.path.unlink(missing_ok=True)
        if exchanged:
            warehouse.path.write_bytes(copy)

    with (
        interfering(at, take_away, monkeypatch),
        pytest.raises(WarehouseError, match=r"removed or exchanged[\s\S]*--missing"),
    ):
        write(warehouse, days(0, 1), version=2)
    write(warehouse, days(0, 1), version=3)
    assert state(warehouse) == {0: (2, 3), 1: (2, 3)}


def test_an_error_after_the_commit_is_not_called_a_failed_write(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [duckdb.IOException("IO Error: no answer")]
    with (
        interfering("close", lambda: failures and fail(failures.pop()), monkeypatch),
        pytest.raises(WarehouseError, match=r"nba\.duckdb: it was written, but the file could not be closed: "),
    ):
        write(warehouse, days(0))
    assert state(warehouse) == recorded(warehouse) == {0: (2, 1)}


@pytest.mark.parametrize("error", [duckdb.IOException("IO Error: bad block"), OSError(5, "Input/output error")])
def test_a_disk_that_cannot_be_read_is_a_named_error(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    write(warehouse, days(0))
    with (
        interfering("SELECT", lambda: fail(error), monkeypatch),
        pytest.raises(WarehouseError, match=r"nba\.duckdb: reading failed: [\s\S]*check the disk"),
    ):
        state(warehouse)


# --- other processes --------------------------------------------------------------------------------------------------

# Forks a child per version, so that the price of the imports is paid once; kills each at a random moment.
KILLER = """
import os, random, signal
warehouse = t.DuckDBWarehouse(t.Path(sys.argv[1]), timeout=10)
chance = random.Random(5)
of = t.days(*range(40))
began = time.monotonic()
t.write(warehouse, of, 1, per_day=50)
usual = time.monotonic() - began
for version in range(2, 2 + int(sys.argv[2])):
    before = t.state(warehouse)
    child = os.fork()
    if child == 0:
        try:
            t.write(warehouse, of, version, per_day=50 + version)
        finally:
            os._exit(0)
    time.sleep(chance.uniform(0, 2 * usual))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    after = t.state(warehouse)
    assert after == t.recorded(warehouse), (version, "ledger and rows disagree")
    whole = {n: (50 + version, version) for n in range(40)}
    assert after in (before, whole), (version, "torn")
    print("after" if after == whole else "before", flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_the_days_as_they_were_or_as_they_should_be(
    warehouse: DuckDBWarehouse,
) -> None:
    outcomes = finish(start(KILLER, warehouse.path, 30)).split()
    assert len(outcomes) == 30
    assert set(outcomes) == {"before", "after"}, "kills must hit both before and after the commit to prove anything"
    write(warehouse, days(*range(40)), version=99)
    assert set(state(warehouse).values()) == {(2, 99)}
    left = {p.name for p in warehouse.path.parent.iterdir()}
    assert left == {"nba.duckdb", "nba.duckdb.lock", "nba.duckdb.lock.queue"}


# Four writers and a reader, each a process of its own that opens the file itself.
COMPETITORS = """
import os
warehouse = t.DuckDBWarehouse(t.Path(sys.argv[1]), timeout=60)

def writes(me):
    for turn in range(5):
        first = (me * 3 + turn * 2) % 10
        t.write(warehouse, t.days(*range(first, first + 10)), version=100 * me + turn, per_day=20 + me)

def reads(me):
    for _ in range(12):
        found = t.state(warehouse)
        assert all(rows == 20 + version // 100 for rows, version in found.values()), found

def run(job, me):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            job(me)
            code = 0
        finally:
            if code:
                import traceback
                traceback.print_exc()
            os._exit(code)
    return child

children = [run(writes, n) for n in (1, 2, 3, 4)] + [run(reads, 0)]
sys.exit(max(os.waitpid(c, 0)[1] != 0 for c in children))
"""


def test_four_writers_and_a_reader_of_overlapping_days_see_only_whole_days(warehouse: DuckDBWarehouse) -> None:
    finish(start(COMPETITORS, warehouse.path))
    found = state(warehouse)
    assert found == recorded(warehouse)
    assert len(found) > 15
    assert all(n == 20 + version // 100 for n, version in found.values())


HOLD_LOCK = """
import fcntl
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""
HOLD_FILE = """
import duckdb
db = duckdb.connect(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("reading", [False, True], ids=["write", "read"])
@pytest.mark.parametrize(("code", "suffix"), [(HOLD_LOCK, ".lock"), (HOLD_FILE, "")], ids=["our lock", "duckdb shell"])
def test_waiting_is_bounded_and_the_error_names_the_holder(
    tmp_path: Path, code: str, suffix: str, reading: bool
) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb", timeout=0.3)
    write(warehouse, days(0))
    holder = start(code, f"{warehouse.path}{suffix}", prelude="")
    try:
        assert said(holder) == "held"
        began = time.monotonic()
        with pytest.raises(WarehouseBusyError, match=rf"nba\.duckdb: process {holder.pid}\b.*(0\.3 s)"):
            state(warehouse) if reading else write(warehouse, days(1), 2)
        assert time.monotonic() - began < LOCK_TIMEOUT / 3
    finally:
        holder.kill()
        holder.communicate()
    assert state(warehouse) == {0: (2, 1)}


def test_the_lock_is_free_once_its_holder_died(tmp_path: Path) -> None:
    lock = tmp_path / "x.lock"
    holder = start(HOLD_LOCK, lock, prelude="")
    assert said(holder) == "held"
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    with file_lock(lock, exclusive=True, timeout=1):
        pass


def test_readers_share_and_a_writer_waits_for_them(tmp_path: Path) -> None:
    lock = tmp_path / "x.lock"
    with (
        file_lock(lock, exclusive=False, timeout=1),
        file_lock(lock, exclusive=False, timeout=0.1),
        pytest.raises(WarehouseBusyError),
        file_lock(lock, exclusive=True, timeout=0.1),
    ):
        pass


# --- a hostile disk ---------------------------------------------------------------------------------------------------

FULL_DISK = """
import resource, signal
warehouse = t.DuckDBWarehouse(t.Path(sys.argv[1]), timeout=5)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = warehouse.path.stat().st_size + 4096
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    t.write(warehouse, t.days(*range(300)), version=2, per_day=2000)
except t.WarehouseError as e:
    print("refused:", e)
"""


def test_a_full_disk_changes_nothing_and_says_so(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0, 1))
    assert re.search(r"refused: .*nothing was changed: no space is left", finish(start(FULL_DISK, warehouse.path)))
    assert state(warehouse) == recorded(warehouse) == {0: (2, 1), 1: (2, 1)}
    write(warehouse, days(0, 1), version=3)
    assert state(warehouse) == {0: (2, 3), 1: (2, 3)}


def unprivileged(action: str, at: tuple[DuckDBWarehouse, Path]) -> str:
    return finish(start(UNPRIVILEGED.format(action=action), at[0].path, at[1]))


def test_a_file_that_may_not_be_written_is_a_named_error(public_home: tuple[DuckDBWarehouse, Path]) -> None:
    for path in public_home[0].path.parent.iterdir():
        path.chmod(0o444)
    text = unprivileged("t.write(warehouse, t.days(1), 2)", public_home)
    assert text.startswith("WarehouseError")
    assert "permissions" in text
    assert state(public_home[0]) == {0: (2, 1)}


def test_a_directory_that_may_not_be_written_is_a_named_error(public_home: tuple[DuckDBWarehouse, Path]) -> None:
    public_home[0].path.parent.chmod(0o555)
    elsewhere = DuckDBWarehouse(public_home[0].path.parent / "below" / "nba.duckdb"), public_home[1]
    text = unprivileged("t.write(warehouse, t.days(1), 2)", elsewhere)
    public_home[0].path.parent.chmod(0o755)
    assert text.startswith("WarehouseError")
    assert "permissions" in text


def test_reading_a_file_that_may_only_be_read_works_or_is_a_named_error(
    public_home: tuple[DuckDBWarehouse, Path],
) -> None:
    for path in public_home[0].path.parent.iterdir():
        path.chmod(0o444)
    assert re.match(r"WarehouseError|\{0: \(2, 1\)\}", unprivileged("print(t.state(warehouse))", public_home))


@pytest.mark.parametrize("content", [b"this is no database", b"\x00" * 20_000, b""], ids=["text", "zeros", "empty"])
def test_a_file_that_is_no_database_is_a_named_error_and_stays_as_it_is(
    warehouse: DuckDBWarehouse, content: bytes
) -> None:
    warehouse.path.write_bytes(content)
    with pytest.raises(WarehouseError, match=r"nba\.duckdb"):
        warehouse.ledger()
    if content:
        with pytest.raises(WarehouseError, match=r"nba\.duckdb"):
            write(warehouse, days(0))
        assert warehouse.path.read_bytes() == content


# --- damage -----------------------------------------------------------------------------------------------------------


def test_a_damaged_file_is_named_with_its_lost_table_and_is_not_written_until_it_is_another_one(
    warehouse: DuckDBWarehouse,
) -> None:
    write(warehouse, days(*range(40)), per_day=2000)
    whole = warehouse.path.read_bytes()
    damage(warehouse.path)
    with pytest.raises(
        WarehouseError, match=r"the file is damaged: nba_raw\.results cannot be read[\s\S]*from a backup"
    ):
        state(warehouse)
    for _ in range(2):
        with pytest.raises(WarehouseError, match=r"the file is damaged: nba_raw\.results[\s\S]*nothing is written"):
            write(warehouse, days(41))
    warehouse.path.write_bytes(whole)
    write(warehouse, days(41))
    assert len(state(warehouse)) == 41


def test_a_mark_on_a_file_that_can_be_read_after_all_is_removed(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    mark(warehouse.path, "nba_raw.results")
    write(warehouse, days(1))
    assert not warehouse.path.with_name("nba.duckdb.damaged").exists()


def test_a_mark_that_cannot_be_understood_is_held_against_the_file(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(*range(40)), per_day=2000)
    marked = warehouse.path.with_name("nba.duckdb.damaged")
    whole = warehouse.path.read_bytes()
    damage(warehouse.path)
    marked.write_text("{")
    with pytest.raises(WarehouseError, match=r"the file is damaged: nba_raw\.results"):
        write(warehouse, days(41))
    warehouse.path.write_bytes(whole)
    write(warehouse, days(41))
    assert not marked.exists()


def test_what_fails_while_a_file_is_looked_at_is_no_damage(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look opens the file again: where memory or descriptors have run out, it fails as well."""
    write(warehouse, days(0))

    def out_of_memory(*_: Any) -> bool:
        raise duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate data")

    monkeypatch.setattr(damages, "_is_damaged", out_of_memory)
    failed = damages.explained(warehouse.path, "reading failed", duckdb.IOException("IO Error: Too many open files"))
    assert "damaged" not in str(failed)
    monkeypatch.undo()
    write(warehouse, days(1))


@pytest.mark.parametrize("error", [duckdb.OutOfMemoryException, duckdb.IOException, duckdb.InternalException])
def test_a_table_that_cannot_be_read_for_another_reason_than_its_bytes_is_not_called_damaged(
    error: type[duckdb.Error],
) -> None:
    class Failing:
        def execute(self, _sql: str) -> Any:
            raise error("no more of that")

    with pytest.raises(error):
        damages._is_damaged(Failing(), "nba_raw", "results")  # pyright: ignore[reportArgumentType, reportPrivateUsage]


def test_a_mark_that_cannot_be_written_does_not_take_the_place_of_the_damage(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    write(warehouse, days(*range(40)), per_day=2000)
    damage(warehouse.path)
    monkeypatch.setattr(damages, "write_atomically", refuse)
    with pytest.raises(
        WarehouseError,
        match=r"nba_raw\.results cannot be read[\s\S]*it could not be marked as damaged: Permission denied[\s\S]*backup",
    ):
        state(warehouse)


@pytest.mark.parametrize(
    ("sql", "remedy"),
    [
        ("SELECT * FROM read_csv('/nowhere/at/all.csv')", "check the files that the statement names, and the disk"),
        ("SELEKT 1", "correct the statement"),
        ("SELECT 1 / nothing FROM nowhere", "correct the statement"),
        ("SELECT CAST('x' AS INTEGER)", "correct the statement"),
        ("SELECT 9223372036854775807 + 1::BIGINT", "correct the statement"),
        ("CREATE TABLE notes (text VARCHAR)", "correct the statement"),
    ],
)
def test_a_wrong_statement_is_no_failure_of_the_file(
    warehouse: DuckDBWarehouse, sql: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(warehouse, days(0))
    looked: list[Path] = []
    monkeypatch.setattr(damages, "damaged_tables", looked.append)
    with pytest.raises(WarehouseError) as failed:
        warehouse.query(sql)
    assert failed.value.remedy == remedy
    assert looked == []


def test_a_correct_statement_that_memory_is_too_small_for_is_not_to_be_corrected(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    small = "SET memory_limit = '20MB'; SET max_temp_directory_size = '0MB'; "
    with pytest.raises(WarehouseError, match=r"nba\.duckdb: reading failed: Out of Memory[\s\S]*Fix: read fewer days"):
        warehouse.query(small + "SELECT array_agg(range::VARCHAR) FROM range(2000000)")
    assert state(warehouse) == {0: (2, 1)}


def test_a_damage_that_a_statement_meets_is_told_as_one(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(*range(40)), per_day=2000)
    damage(warehouse.path)
    with pytest.raises(WarehouseError, match=r"the file is damaged: nba_raw\.results"):
        warehouse.query("SELECT sum(hash(r)) FROM nba_raw.results AS r")


def test_a_file_whose_beginning_is_lost_is_called_damaged(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    with warehouse.path.open("r+b") as file:
        file.write(b"\x00" * 4096)
    with pytest.raises(WarehouseError, match=r"is not a DuckDB file, or its beginning is damaged[\s\S]*backup"):
        state(warehouse)


def test_a_question_that_is_no_sql_is_an_error_not_a_change(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, days(0))
    for sql in ("SELEKT 1", "DELETE FROM nba_raw.results", "SELECT * FROM nowhere"):
        with pytest.raises((WarehouseError, duckdb.Error)):
            warehouse.query(sql)
    assert warehouse.query("SELECT count(*) AS n FROM nba_raw.results").to_pylist() == [{"n": 2}]
