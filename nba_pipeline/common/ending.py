"""Requests that work in other threads stop: long Python code checks for the request between its pieces."""

import threading
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import TypeVar

from nba_pipeline.common import duckdb as duck

POLL_SECONDS = 0.1
T = TypeVar("T")

# The threads that are requested to stop, once per request; None for all of this process.
_ending = list[Collection[int] | None]()


class EndedError(Exception):
    """Stops work in a thread that was requested to stop."""


@contextmanager
def ending(threads: Collection[int] | None) -> Iterator[None]:
    """Request that work in threads stops, until the block ends.

    Args:
        threads: The threads; None for all of this process.
    """
    _ending.append(threads)
    try:
        yield
    finally:
        _ending.remove(threads)


def raise_if_ending() -> None:
    """Raise EndedError if this thread is requested to stop."""
    if any(threads is None or threading.get_ident() in threads for threads in list(_ending)):
        raise EndedError


def ended(begun: Iterable[Future[T]], threads: Collection[int] | None = None) -> list[T]:
    """End work in threads, and return the results of what was done all the same.

    Args:
        begun: The work.
        threads: The threads whose statements are interrupted, and that are requested to stop; None for all of this process.
    """
    left = [work for work in begun if not work.cancel()]
    with ending(threads if left else ()):
        while wait(left, timeout=POLL_SECONDS).not_done:
            duck.interrupt_statements(threads)
    return [work.result() for work in left if work.exception() is None]
