"""Rows of days that were read, kept for as long as their entries in the ledger stand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline.contracts.table import HASH_COLUMN, Table
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.warehouse.protocol import Days, read_schema

# Days of a table that are kept, of all tables together, and windows that are remembered of each table.
DAYS_KEPT, WINDOWS_KEPT = 1_000, 8


@dataclass(frozen=True)
class Mark:
    """What the ledger says of a published day of a table: number and hash of its rows, and the run that wrote them."""

    rows: int
    content_hash: str
    written: tuple[str, datetime]

    def of(self, *, hashed: bool) -> tuple:
        """Return what changes with the rows of the day: their content, and where not all of it is hashed, the run."""
        is_known = hashed and (self.content_hash or not self.rows)
        return (self.rows, self.content_hash) if is_known else (self.rows, self.content_hash, *self.written)


Marks = Mapping[date, Mark]


@dataclass(frozen=True)
class _HeldDay:
    columns: frozenset[str]
    hashed: bool
    mark: tuple | None
    rows: pa.Table | None


@dataclass
class HeldDays:
    """The rows by table and day, the day that was used last at the end."""

    _days: dict[tuple[str, date], _HeldDay] = field(default_factory=dict)
    _windows: dict[str, dict[Days, None]] = field(default_factory=dict)

    def lacking(
        self, wanted: Mapping[str, tuple[Table, Days]], marks: Mapping[str, Marks]
    ) -> dict[str, tuple[Table, Days]]:
        """Return what is to be read before the windows can be answered, one window of each table.

        It has the columns of all windows that were asked for over the same days, so that one query is enough for them.

        Args:
            wanted: Windows by name.
            marks: What the ledger says of the days, by table.
        """
        found: dict[str, tuple[Table, Days]] = {}
        for table, days in wanted.values():
            self._remember(table, days)
            columns = _columns(table, days)
            old = [d for d in days_between(days.start, days.end) if not self._is_held(table, d, columns, marks)]
            if table.id in found and old:
                earlier = found[table.id][1]
                old += [earlier.start, earlier.end]
                columns |= _columns(table, earlier)
            if old:
                found[table.id] = table, self._with_all_columns(table, min(old), max(old), columns)
        return found

    def _is_held(self, table: Table, day: date, columns: frozenset[str], marks: Mapping[str, Marks]) -> bool:
        held = self._days.get((table.id, day))
        return held is not None and columns <= held.columns and held.mark == _mark(marks[table.id], day, held.hashed)

    def _remember(self, table: Table, days: Days) -> None:
        windows = self._windows.setdefault(table.id, {})
        windows.pop(days, None)
        windows[days] = None
        if len(windows) > WINDOWS_KEPT:
            del windows[next(iter(windows))]

    def _with_all_columns(self, table: Table, start: date, end: date, columns: frozenset[str]) -> Days:
        over = [w for w in self._windows[table.id] if w.start <= start and end <= w.end]
        needed = columns.union({table.partition}, *(_columns(table, w) for w in over))
        return Days(start, end, tuple(c for c in table.columns if c in needed))

    def keep(self, table: Table, days: Days, rows: pa.Table, marks: Marks) -> None:
        """Keep the rows of a window that was read while the ledger had these marks."""
        columns = _columns(table, days)
        hashed = columns <= {*table.hash_fields, HASH_COLUMN}
        by_day = dict(_by_day(rows, table.partition))
        for day in days_between(days.start, days.end):
            self._days.pop((table.id, day), None)
            self._days[table.id, day] = _HeldDay(columns, hashed, _mark(marks, day, hashed), by_day.get(day))

    def answer(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
        """Return the rows of windows of which every day is held; then days that were not asked for longest are forgotten."""
        found = {name: self._window(table, days) for name, (table, days) in wanted.items()}
        while len(self._days) > DAYS_KEPT:
            del self._days[next(iter(self._days))]
        return found

    def _window(self, table: Table, days: Days) -> pa.Table:
        shape = read_schema(table, days.columns)
        parts = [shape.empty_table()]
        for day in days_between(days.start, days.end):
            held = self._days[table.id, day] = self._days.pop((table.id, day))
            if held.rows is not None:
                parts.append(held.rows.select(shape.names))
        return pa.concat_tables(parts)


def _columns(table: Table, days: Days) -> frozenset[str]:
    return frozenset(days.columns or table.columns)


def _mark(marks: Marks, day: date, hashed: bool) -> tuple | None:
    return marks[day].of(hashed=hashed) if day in marks else None


def _by_day(rows: pa.Table, partition: str) -> Iterator[tuple[date, pa.Table]]:
    """Yield the rows of each day, in the order in which they were read."""
    places = pc.sort_indices(rows[partition])  # pyright: ignore[reportAttributeAccessIssue]
    ordered, begin = rows.take(places), 0
    for counted in pc.value_counts(ordered[partition]).to_pylist():  # pyright: ignore[reportAttributeAccessIssue]
        yield counted["values"], ordered.slice(begin, counted["counts"])
        begin += counted["counts"]
