"""The lock beside the warehouse: bounded waiting, a named holder, and no trust in a file that is no longer there."""

import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline.common import locking
from nba_pipeline.common.errors import WarehouseBusyError, WarehouseError
from nba_pipeline.common.locking import POLL_SECONDS, file_lock
from nba_pipeline_tests.support.clock import Clock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nba.duckdb.lock"


@pytest.fixture
def held(path: Path) -> Iterator[None]:
    with file_lock(path, exclusive=True, timeout=1):
        yield


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(locking, "time", clock)
    return clock


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.usefixtures("held")
def test_who_cannot_get_in_waits_as_long_as_told_and_no_longer(path: Path, clock: Clock, exclusive: bool) -> None:
    with pytest.raises(
        WarehouseBusyError, match=r"nba\.duckdb: another process has held the lock for more than 0\.3 s"
    ):
        file_lock(path, exclusive=exclusive, timeout=0.3).__enter__()
    assert 100.3 <= clock.now <= 100.3 + 2 * POLL_SECONDS


@pytest.mark.usefixtures("held")
def test_with_no_time_to_wait_nobody_waits(path: Path, clock: Clock) -> None:
    with pytest.raises(WarehouseBusyError):
        file_lock(path, exclusive=True, timeout=0).__enter__()
    assert clock.naps == []


@pytest.mark.usefixtures("held")
def test_the_error_says_how_to_wait_longer(path: Path) -> None:
    with pytest.raises(WarehouseBusyError) as caught:
        file_lock(path, exclusive=True, timeout=0).__enter__()
    assert caught.value.remedy == (
        "wait for that process to end, or stop it; NBA_PIPELINE_LOCK_TIMEOUT sets how many seconds to wait"
    )


def test_who_waits_gets_in_within_a_tenth_of_a_second_after_the_lock_is_free(path: Path, clock: Clock) -> None:
    holder = file_lock(path, exclusive=True, timeout=1)
    holder.__enter__()
    clock.at_nap = lambda: holder.__exit__(None, None, None) if len(clock.naps) == 3 else None
    with file_lock(path, exclusive=True, timeout=30):
        assert len(clock.naps) == 3
    assert max(clock.naps) <= 0.1


KERNEL = """1: POSIX  ADVISORY  WRITE 11 00:30:{inode} 0 EOF
2: FLOCK  ADVISORY  WRITE 22 00:30:{inode} 0 EOF
2: FLOCK  ADVISORY  WRITE 21 00:30:{inode} 0 EOF
3: FLOCK  ADVISORY  WRITE 33 00:30:1{inode} 0 EOF
4: FLOCK  ADVISORY  WRITE {own} 00:30:{inode} 0 EOF
5: -> FLOCK  ADVISORY  WRITE 55 00:30:{inode} 0 EOF
6: FLOCK  ADVISORY  WRITE 66
"""


@pytest.mark.usefixtures("held")
def test_the_holders_are_those_that_the_kernel_lists_for_this_file_but_for_this_process(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = KERNEL.format(inode=path.stat().st_ino, own=os.getpid())
    real = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda p, *a: listed if str(p) == "/proc/locks" else real(p, *a))
    with pytest.raises(WarehouseBusyError, match=": process 21, 22 has held"):
        file_lock(path, exclusive=True, timeout=0).__enter__()


@pytest.mark.usefixtures("held")
def test_where_the_kernel_lists_nothing_the_holder_is_another_process(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: Any) -> str:
        raise FileNotFoundError("/proc/locks")

    monkeypatch.setattr(Path, "read_text", nothing)
    with pytest.raises(WarehouseBusyError, match="another process has held the lock"):
        file_lock(path, exclusive=True, timeout=0).__enter__()


@pytest.fixture
def may_only_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a user who has no right to write."""
    real = os.open

    def refuse(path: Any, flags: int, *more: int) -> int:
        if flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *more)

    monkeypatch.setattr(locking.os, "open", refuse)


@pytest.mark.usefixtures("may_only_be_read")
def test_who_only_reads_may_do_without_the_right_to_write_the_lock(path: Path) -> None:
    path.touch()
    with file_lock(path, exclusive=False, timeout=0):
        pass


@pytest.mark.usefixtures("may_only_be_read")
def test_who_only_reads_needs_no_lock_where_no_lock_can_be_made(path: Path) -> None:
    with file_lock(path, exclusive=False, timeout=0):
        assert not path.exists()


@pytest.mark.parametrize(("exclusive", "there"), [(True, True), (True, False)])
@pytest.mark.usefixtures("may_only_be_read")
def test_a_lock_that_cannot_be_opened_is_a_named_error(path: Path, exclusive: bool, there: bool) -> None:
    if there:
        path.touch()
    with pytest.raises(WarehouseError, match=r"lock(\.queue)?: Permission denied\n.*permissions"):
        file_lock(path, exclusive=exclusive, timeout=0).__enter__()


def test_a_lock_that_may_not_even_be_read_is_a_named_error_for_writers_and_no_obstacle_to_readers(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.touch()

    def refuse(*_: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(locking.os, "open", refuse)
    with pytest.raises(WarehouseError, match=r"lock\.queue: Permission denied\n.*permissions"):
        file_lock(path, exclusive=True, timeout=0).__enter__()
    with file_lock(path, exclusive=False, timeout=0):
        pass


@pytest.mark.parametrize("error", [OSError(37, "No locks available"), PermissionError(13, "Permission denied")])
def test_a_volume_that_cannot_lock_is_a_named_error(
    path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def refuse(*_: Any) -> None:
        raise error

    monkeypatch.setattr(locking.fcntl, "flock", refuse)
    with pytest.raises(WarehouseError, match=rf"it cannot be locked: {error.strerror}\n.*a disk that can lock files"):
        file_lock(path, exclusive=True, timeout=0).__enter__()


def test_a_lock_whose_directory_is_lost_while_it_is_taken_leaves_the_named_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is closed once: a second time would be an error of its own in place of this one."""
    path.touch()
    opened: list[Any] = []
    real = os.open

    def once(name: Any, *more: int) -> int:
        if len(opened) == 2:
            raise PermissionError(13, "Permission denied")
        opened.append(name)
        return real(name, *more)

    monkeypatch.setattr(locking.os, "open", once)
    monkeypatch.setattr(locking, "_is", lambda _descriptor, found: found != path)
    with pytest.raises(WarehouseError, match=r"nba\.duckdb\.lock: Permission denied"):
        file_lock(path, exclusive=True, timeout=0).__enter__()


def test_others_may_read_the_lock_and_not_write_it(path: Path) -> None:
    before = os.umask(0)
    try:
        with file_lock(path, exclusive=True, timeout=0):
            assert stat.S_IMODE(path.stat().st_mode) == 0o644
    finally:
        os.umask(before)


def test_a_lock_on_a_file_that_was_exchanged_meanwhile_lets_nobody_in(path: Path) -> None:
    """One waits for the old file, another holds the new one: the first must wait for the second."""
    old = file_lock(path, exclusive=True, timeout=1)
    old.__enter__()
    inside = threading.Event()

    def wait() -> None:
        with file_lock(path, exclusive=True, timeout=30):
            inside.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(5 * POLL_SECONDS)
    path.unlink()
    with path.open("w") as new:
        fcntl.flock(new, fcntl.LOCK_EX)
        old.__exit__(None, None, None)
        assert not inside.wait(20 * POLL_SECONDS)
    waiting.join()
    assert inside.is_set()


def test_a_lock_on_a_file_that_was_removed_meanwhile_is_taken_again_on_a_new_one(path: Path, clock: Clock) -> None:
    old = file_lock(path, exclusive=True, timeout=1)
    old.__enter__()

    def remove_and_let_go() -> None:
        path.unlink(missing_ok=True)
        old.__exit__(None, None, None)

    clock.at_nap = lambda: remove_and_let_go() if len(clock.naps) == 1 else None
    with file_lock(path, exclusive=True, timeout=30):
        assert path.exists()
        with pytest.raises(WarehouseBusyError):
            file_lock(path, exclusive=True, timeout=0).__enter__()


def test_a_reader_does_not_overtake_a_writer_who_waits(path: Path) -> None:
    """A writer who waits holds the queue; the lock itself may be free at that moment."""
    with path.with_name("nba.duckdb.lock.queue").open("w") as queue:
        fcntl.flock(queue, fcntl.LOCK_EX)
        with pytest.raises(WarehouseBusyError):
            file_lock(path, exclusive=False, timeout=0).__enter__()


def test_a_writer_does_not_pass_without_a_queue_and_a_reader_does(path: Path) -> None:
    path.with_name("nba.duckdb.lock.queue").mkdir()
    with file_lock(path, exclusive=False, timeout=0):
        pass
    with pytest.raises(WarehouseError, match=r"lock\.queue: Is a directory"):
        file_lock(path, exclusive=True, timeout=0).__enter__()


def test_readers_who_come_one_after_the_other_do_not_keep_a_writer_out(path: Path) -> None:
    """Three readers overlap at all times."""
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            with file_lock(path, exclusive=False, timeout=30):
                time.sleep(0.1)

    readers = [threading.Thread(target=read) for _ in range(3)]
    try:
        for reader in readers:
            reader.start()
            time.sleep(0.03)
        with file_lock(path, exclusive=True, timeout=3):
            pass
    finally:
        over.set()
        for reader in readers:
            reader.join()


def test_a_lock_file_that_was_removed_is_made_again(path: Path) -> None:
    with file_lock(path, exclusive=True, timeout=1):
        path.unlink()
        with file_lock(path, exclusive=True, timeout=1):
            assert path.exists()
