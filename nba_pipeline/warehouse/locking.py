"""One lock file beside the warehouse file: exclusive to write, shared to read, released by the kernel if the holder dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nba_pipeline.errors import WarehouseBusyError, WarehouseError

POLL_SECONDS = 0.02
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
    """The lock file; who only reads may do without the right to write it."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as e:
        if not exclusive and path.exists():
            return os.open(path, os.O_RDONLY)
        raise WarehouseError(f"{path}: {e.strerror}", "check the permissions of the file and its directory") from e


@contextmanager
def file_lock(path: Path, *, exclusive: bool, timeout: float) -> Iterator[None]:
    """Hold the lock; raise WarehouseBusyError, naming the holder, when it is not free within `timeout` seconds."""
    mode = (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB
    deadline = time.monotonic() + timeout
    descriptor = _open(path, exclusive)
    try:
        while True:
            try:
                fcntl.flock(descriptor, mode)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise WarehouseBusyError(
                        f"{path.with_suffix('')}: {_holders(path)} has held the lock for more than {timeout:g} s",
                        REMEDY,
                    ) from None
                time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)
