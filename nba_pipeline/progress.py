"""What long work tells whoever watches: a stage of a table began, or a table is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str, str, int], None]

STARTED, DONE = "started", "done"

_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call `listener(table, stage, days)` for all work of this process until the block ends."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def announce(table: str, stage: str, days: int) -> None:
    for listener in _listeners:
        listener(table, stage, days)
