"""One connection to the embedded warehouse that a run keeps open between its operations, and gives up where it is waited for.

To open the file and to close it, with a checkpoint, takes longer than most reads and writes of a day. Within `keeping` a process
therefore has it open to read and write, under the exclusive lock, and each operation of any thread has a cursor: a reading sees
one state from its begin to its end, one writing at a time changes the next. A commit is on the disk, in the log beside the file,
before it counts. The file is closed

- as soon as no operation is under way, when another process waits for the lock: it does so in the queue, where it is seen;
- after a while without operations, so that programs that know no queue get in while a run computes;
- after a long operation, which costs more than opening, so that no more of the file stays in memory than short ones have read.

The next operation opens it again, and waits in the queue like any other.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Lock, Thread

import duckdb

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.locking import is_waited_for
from nba_pipeline.warehouse.opening import OpenFile

POLL_SECONDS = 0.05
IDLE_SECONDS = 1.0
LONG_SECONDS = 0.5


@dataclass(eq=False)
class _Operation:
    """A reading or writing that is under way: its cursor, its begin, and its thread."""

    cursor: duckdb.DuckDBPyConnection | None = None
    began: float = 0.0
    thread: int = field(default_factory=threading.get_ident)


class KeptConnection:
    """The connection of this process to one file: open or not, with the operations that use it."""

    def __init__(self, lock: Path) -> None:
        self.process = os.getpid()
        self.writer = Lock()
        self._lock = lock
        self._file: OpenFile | None = None
        self._under_way: list[_Operation] = []
        self._used = 0.0
        self._giving_up = False  # nothing begins until the file is closed
        self._ended = False
        self._changed = Condition()  # guards all of these

    @contextmanager
    def reading(self, opened: Callable[[], OpenFile]) -> Iterator[duckdb.DuckDBPyConnection]:
        """Read one state of the file, as it is committed now; others may read and write meanwhile.

        Args:
            opened: Opens the file where it is not open.
        """
        with self._operation(opened) as (db, _):
            db.execute("BEGIN TRANSACTION READ ONLY")
            yield db

    @contextmanager
    def writing(self, opened: Callable[[], OpenFile]) -> Iterator[tuple[duckdb.DuckDBPyConnection, OpenFile]]:
        """Write as the only one of this process; others may read what was committed before.

        Args:
            opened: Opens the file where it is not open.
        """
        with self.writer, self._operation(opened) as found:
            yield found

    @contextmanager
    def closed(self, cursor: duckdb.DuckDBPyConnection | None = None) -> Iterator[None]:
        """Close the file, once no operation is under way, for a look at it from outside; it stays locked meanwhile.

        Args:
            cursor: The cursor of an operation that ends by it.
        """
        with self._changed:
            self._giving_up = self._file is not None
            self._take_off(o for o in list(self._under_way) if cursor and o.cursor is cursor)
            while self._under_way:
                self._changed.wait()
            if self._file:
                with suppress(duckdb.Error):  # what failed before is told
                    self._file.db.close()
            try:
                yield
            finally:
                self._close()

    def is_of(self, cursor: duckdb.DuckDBPyConnection) -> bool:
        """Return whether the cursor is one of an operation that is under way."""
        return any(o.cursor is cursor for o in list(self._under_way))

    def close_if_idle(self) -> None:
        """Close the file unless an operation is under way."""
        with self._changed:
            if not self._under_way:
                self._close()

    def end(self) -> None:
        """Close the file, or let the last operation that is under way in another thread close it."""
        with self._changed:
            self._ended = True
            mine = threading.get_ident()
            self._end(*[o for o in self._under_way if o.thread == mine])  # an interruption came before they could
            self.close_if_idle()

    def watch(self) -> None:
        """Close the file while it is waited for or not used, until the end."""
        with self._changed:
            while not self._ended:
                self._changed.wait(POLL_SECONDS if self._file else None)
                if self._file and (self._is_idle() or is_waited_for(self._lock)):
                    self._giving_up = True
                    self.close_if_idle()

    def _is_idle(self) -> bool:
        return not self._under_way and time.monotonic() - self._used > IDLE_SECONDS

    @contextmanager
    def _operation(self, opened: Callable[[], OpenFile]) -> Iterator[tuple[duckdb.DuckDBPyConnection, OpenFile]]:
        operation = _Operation()
        try:
            with self._changed:
                self._close_what_is_given_up()
                if self._file is None:
                    self._file = opened()
                    self._changed.notify_all()
                file, operation.began = self._file, time.monotonic()
                self._under_way.append(operation)
                operation.cursor = duck.cursor(file.db)
            yield operation.cursor, file
        finally:
            self._end(operation)

    def _close_what_is_given_up(self) -> None:
        """Close what was opened but lies no longer there, and what others wait for, once no operation is under way."""
        while self._file and (self._giving_up or not self._file.is_there()):
            if not self._under_way:
                self._close()
            else:
                self._giving_up = True
                self._changed.wait()

    def _end(self, *operations: _Operation) -> None:
        with self._changed:
            taken_off = self._take_off(operations)
            long = any(self._used - o.began > LONG_SECONDS for o in taken_off)
            if taken_off and (self._giving_up or self._ended or long):
                self.close_if_idle()

    def _take_off(self, operations: Iterable[_Operation]) -> list[_Operation]:
        """Close the cursors of those operations that are under way, and leave the file open."""
        taken_off = [o for o in operations if o in self._under_way]
        for operation in taken_off:
            self._under_way.remove(operation)
            if operation.cursor:
                operation.cursor.close()
            self._used = time.monotonic()
        self._changed.notify_all()
        return taken_off

    def _close(self) -> None:
        file, self._file, self._giving_up = self._file, None, False
        if file:
            file.close()
        self._changed.notify_all()


_kept: dict[Path, KeptConnection] = {}
_forks_are_watched = threading.Event()


def kept_connection(path: Path) -> KeptConnection | None:
    """Return the connection that this process keeps to a file; None outside of `keeping`, and in a process forked within it."""
    kept = _kept.get(path)
    return kept if kept and kept.process == os.getpid() else None


@contextmanager
def keeping(path: Path, lock: Path) -> Iterator[None]:
    """Keep the file open between the operations of the block, of all threads of this process.

    Args:
        path: The database file; it need not exist, and is not opened before it is needed.
        lock: The lock file of the warehouse.
    """
    if kept_connection(path):
        yield
        return
    if not _forks_are_watched.is_set():
        os.register_at_fork(before=_close_all)  # a lock that a child inherits would last as long as the child
        _forks_are_watched.set()
    kept = _kept[path] = KeptConnection(lock)
    watching = Thread(target=kept.watch, name="kept-connection", daemon=True)
    watching.start()
    try:
        yield
    finally:
        _kept.pop(path, None)
        kept.end()
        watching.join()


def _close_all() -> None:
    for kept in list(_kept.values()):
        if kept.process == os.getpid():
            kept.close_if_idle()
