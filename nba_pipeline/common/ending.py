"""Tells long work in threads that whoever began it has no use for its result any more."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

# The threads whose work is being ended; None for all of this process.
_ending = list[Collection[int] | None]()


class EndedError(Exception):
    """Work was ended by whoever began it."""


@contextmanager
def ending(threads: Collection[int] | None) -> Iterator[None]:
    """Let `raise_if_ending` raise in threads until the block ends.

    Args:
        threads: The threads; None for all of this process.
    """
    _ending.append(threads)
    try:
        yield
    finally:
        _ending.remove(threads)


def raise_if_ending() -> None:
    """Raise EndedError where the work of this thread is being ended: for long work in Python, between its pieces."""
    if any(threads is None or threading.get_ident() in threads for threads in list(_ending)):
        raise EndedError
