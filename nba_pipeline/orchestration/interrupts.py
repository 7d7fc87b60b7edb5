"""Ends the work of this process on Ctrl-C and SIGTERM, also where the interruption is swallowed or held up on its way.

Dagster replaces the handlers of both signals while a step runs, and DuckDB answers an interruption with an error of its own,
which would fail one table and let the run go on. Signals are therefore also read from the wake-up descriptor, to which the
interpreter writes every signal whatever its handler, and the executor asks for them after each event.

The interpreter runs handlers between its own instructions only: a long step of a library, or threads that train models,
would hold an interruption up until they end. A thread watches the same descriptor. It interrupts the statements of
DuckDB, and ends the process where that was not noticed in time, or was noticed by a main thread that then comes to no end.
What is being written then is rolled back by the next process that opens the file, and the run is marked as ended by the
next command, as after any death of a process.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

from nba_pipeline.common import duckdb as duck

STOPPING = {signal.SIGINT, signal.SIGTERM}
PATIENCE_SECONDS = 1.5
CLOSING_SECONDS = 60.0  # longer than a write takes to be rolled back, and as long as the ledger is waited for
STOPPED = 1
SHOW_CURSOR = "\x1b[?25h"


@dataclass
class _Watch:
    """The ends of the pipe that signals come through; whether one was read, and whether the main thread knows.

    The main thread knows where a handler of ours ran in it (`taken`: a plain value, since a handler may come while the same
    thread holds the lock of an event), or where it asked (`noticed`).
    """

    descriptor: int
    wake_up: int
    requested: bool = False
    taken: bool = False
    noticed: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    reading: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> bool:
        """Return whether a signal has asked to stop until now.

        Reading empties the pipe, so that the first such signal puts a byte back: the thread that waits for the pipe wakes
        whichever thread has read the signal.
        """
        with self.reading:
            if not self.requested:
                with suppress(BlockingIOError):
                    self.requested = not STOPPING.isdisjoint(os.read(self.descriptor, 1024))
                if self.requested:
                    self.wake()
        return self.requested

    def wake(self) -> None:
        """Write a byte to the pipe, which ends the wait of the thread that watches it.

        A full pipe takes no further byte, and needs none: its bytes end the wait.
        """
        with suppress(BlockingIOError):
            os.write(self.wake_up, b"\0")

    def pass_on(self, outer: "_Watch") -> None:
        """Tell the block around this one that a signal has asked to stop: signals of this block came through its own pipe."""
        if self.read():
            with outer.reading:  # a read that is under way would overwrite the request
                outer.requested, outer.taken = True, outer.taken or self.taken
            if self.noticed.is_set():
                outer.noticed.set()
            outer.wake()


_watches: list[_Watch] = []


def is_requested() -> bool:
    """Return whether this process was asked to stop; always False outside `stopping_on_signals`."""
    if not _watches or not _watches[-1].read():
        return False
    _watches[-1].noticed.set()
    return True


@contextmanager
def stopping_on_signals(last_words: Callable[[], str] = str) -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C and remember either until the block ends; only for the main thread.

    Args:
        last_words: What to say where the process is ended because the main thread did not notice the signal, or end, in time.
    """

    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    watch = _Watch(reading, writing)

    def stop(_number: int, _frame: FrameType | None) -> None:
        watch.taken = True
        raise KeyboardInterrupt

    watching = threading.Thread(target=_hold_to_it, args=(watch, last_words), name="interrupts", daemon=True)
    descriptor = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    handlers = {n: signal.signal(n, stop) for n in STOPPING if signal.getsignal(n) is not signal.SIG_IGN}
    _watches.append(watch)
    watching.start()
    try:
        yield
    finally:
        watch.ended.set()
        _watches.remove(watch)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(descriptor)
        if _watches:
            watch.pass_on(_watches[-1])
        watch.noticed.set()
        watch.wake()
        watching.join()
        os.close(reading)
        os.close(writing)


def _hold_to_it(watch: _Watch, last_words: Callable[[], str]) -> None:
    """Wait for a signal; then see to it that the main thread stops, or end the process."""
    while not watch.ended.is_set():
        select.select([watch.descriptor], [], [])
        if watch.read():
            break
    if watch.ended.is_set():
        return
    if (
        not watch.noticed.is_set()
    ):  # else the main thread is stopping, and may be asking the warehouse what was published
        duck.interrupt_statements()
    known = watch.noticed.wait(PATIENCE_SECONDS) or watch.taken
    if not watch.ended.wait(CLOSING_SECONDS if known else 0):
        print(f"{SHOW_CURSOR if sys.stderr.isatty() else ''}{last_words()}", file=sys.stderr, flush=True)
        os._exit(STOPPED)
