"""Read several windows of one table with one query where that reads no more values: each query bills a minimum for its table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from nba_pipeline.contracts.table import Table
from nba_pipeline.warehouse.protocol import Days


@dataclass(frozen=True)
class SharedRead:
    """One query: the days and columns of a table that the windows of these names need."""

    table: Table
    days: Days
    names: tuple[str, ...]


def share(wanted: Mapping[str, tuple[Table, Days]]) -> list[SharedRead]:
    """Put windows of the same table together where the days and columns of both are no more values than those of each."""
    shared: list[SharedRead] = []
    for name, (table, days) in wanted.items():
        for n, earlier in enumerate(shared):
            if earlier.table.id == table.id:
                both = _both(table, earlier.days, days)
                if _values(table, both) <= _values(table, earlier.days) + _values(table, days):
                    shared[n] = SharedRead(table, both, (*earlier.names, name))
                    break
        else:
            shared.append(SharedRead(table, days, (name,)))
    return shared


def window(rows: pa.Table, table: Table, wanted: Days, read: Days) -> pa.Table:
    """Cut from the rows of a query those of a window.

    Args:
        rows: The rows of the query.
        table: Their table.
        wanted: The window.
        read: The days and columns of the query.
    """
    if (read.start, read.end) != (wanted.start, wanted.end):
        day = pc.field(table.partition)
        rows = rows.filter((day >= wanted.start) & (day <= wanted.end))
    return rows.select(_columns(table, wanted))


def _both(table: Table, one: Days, other: Days) -> Days:
    """Return the smallest window that holds both, with the day where they differ in days."""
    start, end = min(one.start, other.start), max(one.end, other.end)
    needed = {*_columns(table, one), *_columns(table, other)}
    if (one.start, one.end) != (other.start, other.end):
        needed.add(table.partition)
    return Days(start, end, tuple(c for c in table.columns if c in needed))


def _columns(table: Table, days: Days) -> Sequence[str]:
    return days.columns or tuple(table.columns)


def _values(table: Table, days: Days) -> int:
    return ((days.end - days.start).days + 1) * len(_columns(table, days))
