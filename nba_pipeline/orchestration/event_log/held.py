"""Holds what a step reports at its end, to be stored with the event after it in one transaction.

A step ends with a burst: its output, its materialization, the result of every check, its success. Stored one by one, each
takes a transaction of its own. Held are only events of this burst; any other event, the end of the step above all, is stored at
once, after those held, and so is the burst of many days in parts: a transaction of all of it would keep other writers waiting.
Whoever reads the log in this process reads what was held, too. A process that dies within the burst loses what it holds
together with the end of its step, and a table without such an end counts as not recorded (`recovery`).
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from dagster import DagsterEventType, EventLogEntry

HELD = {
    kind.value
    for kind in (
        DagsterEventType.ASSET_CHECK_EVALUATION,
        DagsterEventType.ASSET_MATERIALIZATION,
        DagsterEventType.ASSET_OBSERVATION,
        DagsterEventType.HANDLED_OUTPUT,
        DagsterEventType.STEP_OUTPUT,
    )
}


@dataclass
class _Process:
    """What one process holds; a forked child has nothing of what its parent does.

    Attributes:
        process: The id of the process.
        blocks: How many blocks hold.
        events: The events, in their order.
        lock: Taken while events are stored, so that none overtakes another.
    """

    process: int
    blocks: int = 0
    events: list[EventLogEntry] = field(default_factory=list)
    lock: Any = field(default_factory=RLock)


class HeldEvents:
    """The events that are not stored yet."""

    def __init__(self, store: Callable[[Sequence[EventLogEntry]], None], most: int) -> None:
        """Hold nothing.

        Args:
            store: Stores events in one transaction: all of them, or nothing.
            most: How many events are stored as soon as they are held.
        """
        self._store, self._most = store, most
        self._last = _Process(os.getpid())

    @property
    def _own(self) -> _Process:
        if self._last.process != os.getpid():
            self._last = _Process(os.getpid())
        return self._last

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold events within the block, and store them at its end, whatever became of it."""
        own = self._own
        with own.lock:
            own.blocks += 1
        try:
            yield
        finally:
            with own.lock:
                own.blocks -= 1
            left = self._own
            with left.lock:
                self._store_held(left)

    def add(self, events: Sequence[EventLogEntry]) -> None:
        """Hold these events, or store them after those that are held.

        What cannot be stored is lost together, and said once: the event of a failure after it is stored by itself.
        """
        own = self._own
        with own.lock:
            own.events += events
            if not own.blocks or len(own.events) >= self._most or any(_type_of(e) not in HELD for e in events):
                self._store_held(own)

    def release(self) -> None:
        """Store what is held for a reader; what fails is for the reader to meet, and is held for the step that goes on."""
        own = self._own
        if own.events:
            with own.lock:
                events = own.events
                try:
                    self._store_held(own)
                except BaseException:
                    own.events = [*events, *own.events]
                    raise

    def _store_held(self, own: _Process) -> None:
        events, own.events = own.events, []
        if events:
            self._store(events)


def _type_of(entry: EventLogEntry) -> str | None:
    return entry.dagster_event.event_type_value if entry.dagster_event else None
