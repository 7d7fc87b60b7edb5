"""Ends the work of this process on Ctrl-C and SIGTERM, also where the interruption is swallowed on its way.

Dagster replaces the handlers of both signals while a step runs, and DuckDB answers an interruption with an error of its own,
which would fail one table and let the run go on. Signals are therefore also read from the wake-up descriptor, to which the
interpreter writes every signal whatever its handler, and the executor asks for them after each event.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

STOPPING = {signal.SIGINT, signal.SIGTERM}


@dataclass
class _Watch:
    """The descriptor that signals are read from, None outside `stopping_on_signals`; and whether one was read."""

    descriptor: int | None = None
    requested: bool = False


_watch = _Watch()


def is_requested() -> bool:
    """Return whether this process was asked to stop; always False outside `stopping_on_signals`."""
    if _watch.descriptor is not None:
        with suppress(BlockingIOError):
            _watch.requested |= not STOPPING.isdisjoint(os.read(_watch.descriptor, 1024))
    return _watch.requested


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C and remember either until the block ends; only for the main thread."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    _watch.descriptor, _watch.requested = reading, False
    descriptor = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    handler = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)
        signal.set_wakeup_fd(descriptor)
        _watch.descriptor, _watch.requested = None, False
        os.close(reading)
        os.close(writing)
