"""What a warehouse must be able to do. There are five operations, and `replace` is the only way a row gets in."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Literal, Protocol

import pyarrow as pa

from nba_pipeline.common.errors import WarehouseError
from nba_pipeline.contracts.dialects import Dialect
from nba_pipeline.contracts.table import Table


@dataclass(frozen=True)
class Days:
    """What to read of a table: the days from `start` to `end`, both included, and the columns (None: all)."""

    start: date
    end: date
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True)
class LedgerEntry:
    """What became of one day of one table in one run: the warehouse's own memory of what is published.

    `expected` counts the rows that the schedule or the upstream table demands, `absent` those of them that are not there,
    by reason, `unexplained` those without one. A refused day keeps its earlier rows.
    """

    table: str
    day: date
    state: Literal["published", "refused"]
    rows: int
    expected: int
    absent: Mapping[str, int]
    unexplained: int
    games: int
    rejected: int
    content_hash: str
    reasons: tuple[str, ...]
    run_id: str
    recorded_at: datetime


ENTRY_SCHEMA = pa.schema(
    [
        ("table_id", pa.string()),
        ("day", pa.date32()),
        ("state", pa.string()),
        ("rows", pa.int64()),
        ("expected", pa.int64()),
        ("absent", pa.string()),
        ("unexplained", pa.int64()),
        ("games", pa.int64()),
        ("rejected", pa.int64()),
        ("content_hash", pa.string()),
        ("reasons", pa.string()),
        ("run_id", pa.string()),
        ("recorded_at", pa.timestamp("us", "UTC")),
    ]
)

# A rejected row with its reason; `day` is NULL when the row does not say to which day it belongs.
REJECT_SCHEMA = pa.schema(
    [
        ("table_id", pa.string()),
        ("day", pa.date32()),
        ("reason", pa.string()),
        ("row", pa.string()),
        ("run_id", pa.string()),
        ("recorded_at", pa.timestamp("us", "UTC")),
    ]
)


CONTENTS_SCHEMA = pa.schema(
    [("table_id", pa.string()), ("day", pa.date32()), ("rows", pa.int64()), ("content_hash", pa.string())]
)


def entries_table(entries: Sequence[LedgerEntry]) -> pa.Table:
    """Ledger entries as rows; mappings and lists become JSON text."""
    rows = [
        {
            "table_id": e.table,
            "day": e.day,
            "state": e.state,
            "rows": e.rows,
            "expected": e.expected,
            "absent": json.dumps(dict(e.absent), sort_keys=True),
            "unexplained": e.unexplained,
            "games": e.games,
            "rejected": e.rejected,
            "content_hash": e.content_hash,
            "reasons": json.dumps(list(e.reasons)),
            "run_id": e.run_id,
            "recorded_at": e.recorded_at,
        }
        for e in entries
    ]
    return pa.Table.from_pylist(rows, schema=ENTRY_SCHEMA)


def read_schema(table: Table, columns: Sequence[str] | None) -> pa.Schema:
    """The shape of what is read of a table: these columns (None: all), any of which may be empty."""
    return pa.schema([table.arrow_schema.field(c).with_nullable(True) for c in columns or table.columns])


def require_only(table: Table, days: Sequence[date], rows: pa.Table) -> None:
    """Refuse rows of other days before anything is opened: they would stand beside those that are there."""
    stray = set(rows[table.partition].unique().to_pylist()) - set(days)
    if stray:
        raise WarehouseError(
            f"{table.id}: rows for {len(stray)} days that are not being replaced, first {min(map(str, stray))}",
            "replace exactly the days that the rows belong to",
        )


class Reader(Protocol):
    """What computing a table needs of a warehouse."""

    def read(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
        """Rows of several tables in one consistent snapshot; a table that does not exist yet is empty."""
        ...


class Warehouse(Reader, Protocol):
    """A store of contract tables, partitioned by day. `dialect` is the SQL dialect of its engine."""

    dialect: ClassVar[Dialect]

    def snapshot(self) -> AbstractContextManager[None]:
        """Let what this thread reads within the block be one state of the store where it can be held, and open it once.

        Nothing may be replaced within the block, and where the state is held other processes wait to publish: neither compute in
        it nor read a source.
        """
        ...

    def replace(
        self,
        table: Table,
        days: Sequence[date],
        rows: pa.Table,
        entries: Sequence[LedgerEntry],
        rejects: pa.Table,
    ) -> None:
        """Make `rows` the only rows of `days`, and record `entries` and `rejects`: all of it or nothing.

        `rows` has the contract's Arrow schema, and no row outside `days`; `rejects` has REJECT_SCHEMA. Entries may name
        further days (refused ones), whose rows stay as they are.
        """
        ...

    def ledger(
        self, tables: Sequence[str] | None = None, start: date | None = None, end: date | None = None
    ) -> pa.Table:
        """The latest published and the latest refused entry of each table and day, as one row each."""
        ...

    def quarantine(
        self,
        tables: Sequence[str] | None = None,
        start: date | None = None,
        end: date | None = None,
        *,
        dated: bool = False,
    ) -> pa.Table:
        """Rejected rows with their reasons, newest first; rows without a day are included whatever the days, unless `dated`."""
        ...

    def contents(self, tables: Sequence[Table], start: date, end: date, *, hashes: bool) -> pa.Table:
        """What the tables hold now: `table_id`, `day`, `rows`, `content_hash`, one row per table and day that has rows.

        With `hashes`, every row's hash is recomputed from its fields; without, the content hashes are empty.
        """
        ...
