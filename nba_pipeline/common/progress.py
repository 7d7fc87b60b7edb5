"""What long work tells whoever watches: a stage of a table began, or a table is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from nba_pipeline.common.throughput import Pace, in_words

Listener = Callable[[str, str, int], None]

STARTED, DONE = "started", "done"

_listeners: list[Listener] = []
_paces: dict[str, Pace] = {}


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


def run_pace(run: str, total: int, done: int, failed: int, began: datetime, now: datetime) -> str:
    """How far a run is, in words, after one more of its tables ended: all its tables are computed in this process."""
    before = _paces.get(run, Pace(total, 0, 0, began, now))
    pace = Pace(
        total, before.done + done, before.failed + failed, before.began, now, [*before.ended, (now, done + failed)]
    )
    _paces[run] = pace
    ended = f"this run: {pace.done + pace.failed:,} of {total:,} table-days"
    if pace.per_hour is None or pace.left is None:
        return ended
    return f"{ended}, {pace.per_hour:,.0f} an hour, {in_words(pace.left)} left"
