"""Requests that work in other threads stop: long Python code checks for the request between its pieces."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

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
