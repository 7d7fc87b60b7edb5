"""A lock file beside the warehouse file: exclusive to write, shared to read, released by the kernel if the holder dies."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from nba_pipeline.common.errors import WarehouseBusyError, WarehouseError

LOCK_TIMEOUT = 60.0
POLL_SECONDS = 0.02
QUEUE = ".queue"
REMEDY = "wait for that process to end, or stop it; NBA_PIPELINE_LOCK_TIMEOUT sets how many seconds to wait"


def _holders(path: Path) -> str:
    """PIDs that hold a lock on the file, from the kernel's table where there is one."""
    try:
        inode = path.stat().st_ino
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return "another process"
    pids = {
        f[4] for f in (line.split() for line in lines) if len(f) > 5 and f[5].endswith(f":{inode}") and f[1] == "FLOCK"
    }
    pids.discard(str(os.getpid()))
    return f"process {', '.join(sorted(pids))}" if pids else "another process"


def _open(path: Path, exclusive: bool) -> int:
    """Open the lock file; who only reads may do without the right to write it."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as e:
        refused = e
    if not exclusive:
        with suppress(OSError):
            return os.open(path, os.O_RDONLY)
    raise WarehouseError(
        f"{path}: {refused.strerror}", "check the permissions of the file and its directory"
    ) from refused


def _is(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _take(path: Path, exclusive: bool, deadline: float, busy: Callable[[], WarehouseBusyError]) -> int:
    """Return a descriptor that holds the lock; a lock on a removed or replaced file excludes no process and is taken again."""
    mode = (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB
    while True:
        descriptor = _open(path, exclusive)
        try:
            _wait_for(descriptor, mode, deadline, busy)
            if _is(descriptor, path):
                return descriptor
        except OSError as e:
            os.close(descriptor)
            raise WarehouseError(
                f"{path}: it cannot be locked: {e.strerror}",
                "check the permissions of its directory; NBA_PIPELINE_HOME must be on a disk that can lock files",
            ) from e
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _wait_for(descriptor: int, mode: int, deadline: float, busy: Callable[[], WarehouseBusyError]) -> None:
    """Lock the opened file as soon as it is free."""
    while True:
        try:
            fcntl.flock(descriptor, mode)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise busy() from None
            time.sleep(POLL_SECONDS)


def is_waited_for(path: Path) -> bool:
    """Return whether a process, or another thread of this one, waits for the lock; True where it cannot be told."""
    try:
        queue = os.open(path.with_name(path.name + QUEUE), os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(queue)
    return False


@contextmanager
def file_lock(path: Path, *, exclusive: bool, timeout: float) -> Iterator[None]:
    """Hold the lock; raise WarehouseBusyError, naming the holder, when it is not free within `timeout` seconds.

    All processes pass a queue, a second lock that is held only while waiting. A waiting writer closes it, so that a sequence
    of readers cannot starve it.
    """
    deadline = time.monotonic() + timeout

    def busy() -> WarehouseBusyError:
        who = _holders(path)
        return WarehouseBusyError(
            f"{path.with_suffix('')}: {who} has held the lock for more than {timeout:g} s", REMEDY
        )

    held = ExitStack()
    with ExitStack() as waiting:
        try:
            queue = _take(path.with_name(path.name + QUEUE), exclusive, deadline, busy)
            waiting.callback(os.close, queue)
        except WarehouseError as e:
            if exclusive or isinstance(e, WarehouseBusyError):
                raise  # else: who only reads may do without the right to make a queue
        try:
            held.callback(os.close, _take(path, exclusive, deadline, busy))
        except WarehouseError as e:
            if exclusive or isinstance(e, WarehouseBusyError):
                raise  # else: in a directory that is only read, the lock of DuckDB itself is left
    with held:
        yield
