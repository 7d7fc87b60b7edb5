"""Opening the file of the embedded warehouse, which a program outside our lock may hold, and what was opened."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import WarehouseBusyError, WarehouseError
from nba_pipeline.common.locking import REMEDY

RETRY_SECONDS = 0.05
HELD_REMEDY = (
    "close it there: a client that only reads keeps the pipeline from publishing, too; clients may keep the read copy open "
    f"instead, which `nba-pipeline snapshot` makes. Or {REMEDY}"
)


@dataclass(frozen=True)
class OpenFile:
    """A database file that is open to read and write, under the exclusive lock.

    Attributes:
        path: Where it was opened.
        db: The connection.
        opened: What was opened there. The connection holds it: no other file is given its number.
        until_closed: Closes the connection, then releases the lock.
    """

    path: Path
    db: duckdb.DuckDBPyConnection
    opened: os.stat_result
    until_closed: ExitStack

    def is_there(self) -> bool:
        """Return whether the file is still the one that was opened."""
        return _is(self.path, self.opened)

    def close(self) -> None:
        """Close the connection and release the lock.

        What is committed is on the disk by then: where it cannot be moved from the log to the file, the next to open them does.
        """
        with self.until_closed, suppress(duckdb.Error):
            self.db.close()


@contextmanager
def connected(path: Path, *, read_only: bool, timeout: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the file; a process outside our lock (a DuckDB shell) is waited for within the same bound.

    Args:
        path: The file; one that does not exist is made, unless it is only read.
        read_only: Whether it is only read.
        timeout: Longest wait in seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            db = duck.connect(path, read_only=read_only, threads=None if read_only else duck.THREADS)
            break
        except duckdb.IOException as e:
            if not duck.is_held(e):
                raise
            if time.monotonic() >= deadline:
                holder = re.search(r"PID (\d+)", str(e))
                who = f"process {holder.group(1)}" if holder else "another process"
                raise WarehouseBusyError(f"{path}: {who} has it open for more than {timeout:g} s", HELD_REMEDY) from e
            time.sleep(RETRY_SECONDS)
    try:
        yield db
    finally:
        db.close()


def require_still(path: Path, opened: os.stat_result) -> None:
    """Refuse to call a success what was written into a file that is no longer there.

    Args:
        path: Where the file was opened.
        opened: What was opened. It is held until then: a new file in its place could be given its number otherwise.

    Raises:
        WarehouseError: The file was removed or exchanged.
    """
    if not _is(path, opened):
        raise WarehouseError(
            f"{path}: the file was removed or exchanged while it was written; what was written is lost",
            "put the file back from a copy if you have one, then run `nba-pipeline backfill START END --missing`",
        )


def _is(path: Path, opened: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), opened)
    except FileNotFoundError:
        return False
