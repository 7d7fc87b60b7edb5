"""The warehouse as sensors see it: asked every minute, queried only when something was published since.

Every change of a table adds entries to the ledger, which is a journal. Its description (number of rows, time of the last change)
costs nothing to read, so it is read at every question; the ledger itself is queried once for each change, a table once for each
change of its own entries. What is answered is never older than the question.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from threading import RLock
from typing import Any, ClassVar, TypeVar, cast

import pyarrow as pa
import pyarrow.compute

from nba_pipeline.contracts.dialects import Dialect
from nba_pipeline.contracts.table import Table
from nba_pipeline.warehouse.bigquery import schema
from nba_pipeline.warehouse.bigquery.location import BigQueryLocation
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse, open_bigquery
from nba_pipeline.warehouse.protocol import Days, LedgerEntry

# The compute functions are registered at import, out of a type checker's sight.
pc: Any = pyarrow.compute
Answer = TypeVar("Answer")
ANSWERS_KEPT = 32


@dataclass
class WatchedWarehouse:
    """Answers from memory what nothing that was published since can have changed.

    Attributes:
        inner: The warehouse that is asked for the rest.
    """

    dialect: ClassVar[Dialect] = "bigquery"
    inner: BigQueryWarehouse
    _state: tuple | None = None
    _ledger: pa.Table | None = None
    _versions: dict[str, int] = field(default_factory=dict)
    _answers: dict[tuple, tuple[tuple[int, ...], object]] = field(default_factory=dict)
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
        question = ("read", tuple((name, table.id, days) for name, (table, days) in wanted.items()))
        return self._remembered(question, [t.id for t, _ in wanted.values()], lambda: self.inner.read(wanted))

    def quarantine(self, table: str | None = None, start: date | None = None, end: date | None = None) -> pa.Table:
        of = None if table is None else [table]
        return self._remembered(("quarantine", table, start, end), of, lambda: self.inner.quarantine(table, start, end))

    def contents(self, tables: Sequence[Table], start: date, end: date, *, hashes: bool) -> pa.Table:
        ids = tuple(t.id for t in tables)
        return self._remembered(
            ("contents", ids, start, end, hashes), ids, lambda: self.inner.contents(tables, start, end, hashes=hashes)
        )

    def _remembered(self, question: tuple, tables: Sequence[str] | None, ask: Callable[[], Answer]) -> Answer:
        """Return the answer of the last time where none of the tables (None: of all) has a new entry since."""
        with self._lock:
            ledger = self._current()
            of = tables if tables is not None else sorted(set(ledger["table_id"].to_pylist()))
            now = tuple(self._version(ledger, table) for table in of)
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

    def _current(self) -> pa.Table:
        """Return the whole ledger as it is now. The state is read before the rows: what comes in between is read again."""
        with self._lock:
            held = self.inner.stored(schema.LEDGER)
            state = None if held is None else (held.num_rows, held.modified, held.etag)
            if self._ledger is None or state is None or state != self._state:
                self._ledger, self._state, self._versions = self.inner.ledger(), state, {}
            return self._ledger

    def _version(self, ledger: pa.Table, table: str) -> int:
        """Return a number that changes with every entry of the table."""
        if table not in self._versions:
            own = ledger.filter(pc.equal(ledger["table_id"], table)).select(["day", "state", "run_id", "recorded_at"])
            self._versions[table] = hash(tuple(tuple(column.to_pylist()) for column in own.columns))
        return self._versions[table]


@cache
def watch_bigquery(location: BigQueryLocation) -> WatchedWarehouse:
    """Open the warehouse at a location for sensors; what it remembers is shared within the process."""
    return WatchedWarehouse(open_bigquery(location))
