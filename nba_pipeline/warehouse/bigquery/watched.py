"""The warehouse as sensors see it: asked every minute, queried only when something was published since.

Every change of a table adds entries to the ledger, which is a journal. Its description (number of rows, time of the last change)
costs nothing to read, so it is read at every question, and the ledger itself is queried once for each change. What the ledger
then says of a day decides: rows are read again of those days only whose content changed, rejected rows only where an entry with
some is new. What is answered is never older than the question.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from threading import RLock
from typing import Any, ClassVar, Protocol, TypeVar, cast

import pyarrow as pa
import pyarrow.compute

from nba_pipeline.contracts.dialects import Dialect
from nba_pipeline.contracts.table import Table
from nba_pipeline.warehouse.bigquery import schema
from nba_pipeline.warehouse.bigquery.held_days import HeldDays, Mark
from nba_pipeline.warehouse.bigquery.location import BigQueryLocation
from nba_pipeline.warehouse.bigquery.warehouse import open_bigquery
from nba_pipeline.warehouse.protocol import REJECT_SCHEMA, Days, LedgerEntry, Warehouse

# The compute functions are registered at import, out of a type checker's sight.
pc: Any = pyarrow.compute
Answer = TypeVar("Answer")
ANSWERS_KEPT = 32
# How often rows are read again because something was published meanwhile, before they are answered and not kept.
TRIES = 3


class Description(Protocol):
    """What a table's description says of its state."""

    @property
    def num_rows(self) -> int | None: ...
    @property
    def modified(self) -> datetime | None: ...
    @property
    def etag(self) -> str | None: ...


class Described(Warehouse, Protocol):
    """A warehouse whose tables have descriptions that cost nothing to read."""

    def stored(self, table_id: str) -> Description | None:
        """The table as it is now; None where it does not exist."""
        ...


@dataclass
class WatchedWarehouse:
    """Answers from memory what nothing that was published since can have changed.

    Attributes:
        inner: The warehouse that is asked for the rest.
    """

    dialect: ClassVar[Dialect] = "bigquery"
    inner: Described
    _state: tuple | None = None
    _ledger: pa.Table | None = None
    _entries: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _held: HeldDays = field(default_factory=HeldDays)
    _answers: dict[tuple, tuple[tuple, object]] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)

    def snapshot(self) -> AbstractContextManager[None]:
        return self.inner.snapshot()

    def ledger(
        self, tables: Sequence[str] | None = None, start: date | None = None, end: date | None = None
    ) -> pa.Table:
        found = self._current()
        if tables is not None:
            found = found.filter(pc.is_in(found["table_id"], value_set=pa.array(list(tables), pa.string())))
        if start is not None:
            found = found.filter(pc.greater_equal(found["day"], pa.scalar(start)))
        if end is not None:
            found = found.filter(pc.less_equal(found["day"], pa.scalar(end)))
        return found

    def read(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
        """Return the rows as they are now; only days whose content changed are queried, of each table by one query.

        Days are kept only if the ledger was the same before and after they were read: else rows of a later publication would
        be taken for those of an earlier one, once its content is published again.
        """
        with self._lock:
            for _ in range(TRIES):
                marks = {t.id: self._marks(t) for t, _ in wanted.values()}
                lacking = self._held.lacking(wanted, marks)
                if not lacking:
                    return self._held.answer(wanted)
                before = self._state
                rows = self.inner.read(lacking)
                if self._described() == before:
                    for name, (table, days) in lacking.items():
                        self._held.keep(table, days, rows[name], marks[table.id])
            return self.inner.read(wanted)

    def quarantine(
        self,
        tables: Sequence[str] | None = None,
        start: date | None = None,
        end: date | None = None,
        *,
        dated: bool = False,
    ) -> pa.Table:
        def ask() -> pa.Table:
            return self.inner.quarantine(tables, start, end, dated=dated)

        with self._lock:
            written = self.ledger(tables, *((start, end) if dated else ()))
            if dated:
                written = written.filter(pc.greater(written["rejected"], 0))
                if not written.num_rows:
                    return REJECT_SCHEMA.empty_table()
            of = None if tables is None else tuple(tables)
            return self._remembered(("quarantine", of, start, end, dated), _identity(written), ask)

    def contents(self, tables: Sequence[Table], start: date, end: date, *, hashes: bool) -> pa.Table:
        ids = tuple(t.id for t in tables)

        def ask() -> pa.Table:
            return self.inner.contents(tables, start, end, hashes=hashes)

        with self._lock:
            return self._remembered(("contents", ids, start, end, hashes), _identity(self.ledger(ids)), ask)

    def _remembered(self, question: tuple, now: tuple, ask: Callable[[], Answer]) -> Answer:
        """Return the answer of the last time where the entries on which it depends are those of that time."""
        before, answer = self._answers.get(question, (None, None))
        if before != now:
            answer = ask()
            if len(self._answers) >= ANSWERS_KEPT:
                self._answers.clear()
            self._answers[question] = now, answer
        return cast(Answer, answer)

    def replace(
        self, table: Table, days: Sequence[date], rows: pa.Table, entries: Sequence[LedgerEntry], rejects: pa.Table
    ) -> None:
        self.inner.replace(table, days, rows, entries, rejects)

    def _described(self) -> tuple | None:
        """Return what the description of the ledger says of its state; None where there is no ledger."""
        held = self.inner.stored(schema.LEDGER)
        return None if held is None else (held.num_rows, held.modified, held.etag)

    def _current(self) -> pa.Table:
        """Return the whole ledger as it is now. The state is read before the rows: what comes in between is read again."""
        with self._lock:
            state = self._described()
            if self._ledger is None or state is None or state != self._state:
                self._ledger, self._state, self._entries = self.inner.ledger(), state, {}
            return self._ledger

    def _marks(self, table: Table) -> dict[date, Mark]:
        """Return by day what the ledger says of the published rows of a table."""
        ledger = self._current()
        if not self._entries:
            by_table = defaultdict(list)
            published = ledger.filter(pc.equal(ledger["state"], "published")).select(_IDENTITY)
            for e in published.to_pylist():
                by_table[e["table_id"]].append(e)
            self._entries = dict(by_table)
        return {
            e["day"]: Mark(e["rows"], e["content_hash"], (e["run_id"], e["recorded_at"]))
            for e in self._entries.get(table.id, ())
        }


_IDENTITY = ["table_id", "day", "state", "rows", "rejected", "content_hash", "run_id", "recorded_at"]


def _identity(entries: pa.Table) -> tuple:
    """Return what differs as soon as one of the entries is another one."""
    return tuple(tuple(column.to_pylist()) for column in entries.select(_IDENTITY).columns)


@cache
def watch_bigquery(location: BigQueryLocation) -> WatchedWarehouse:
    """Open the warehouse at a location for sensors; what it remembers is shared within the process."""
    return WatchedWarehouse(open_bigquery(location))
