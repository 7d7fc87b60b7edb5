"""The embedded warehouse: one DuckDB file, opened per operation or kept open by a run, one transaction per replace."""

import os
import threading
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import ClassVar

import duckdb
import pyarrow as pa

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.disk_space import is_full_disk
from nba_pipeline.common.errors import WarehouseError, first_line
from nba_pipeline.common.locking import LOCK_TIMEOUT, file_lock
from nba_pipeline.contracts import sql_types as ddl
from nba_pipeline.contracts.dialects import Dialect
from nba_pipeline.contracts.hashing import content_hash_expression, hash_expression
from nba_pipeline.contracts.table import HASH_COLUMN, Table
from nba_pipeline.warehouse.damage import OF_THE_FILE, explained, is_marked, require_undamaged
from nba_pipeline.warehouse.kept_connection import KeptConnection, keeping, kept_connection
from nba_pipeline.warehouse.opening import OpenFile, connected, require_still
from nba_pipeline.warehouse.protocol import (
    CONTENTS_SCHEMA,
    ENTRY_SCHEMA,
    REJECT_SCHEMA,
    Days,
    LedgerEntry,
    entries_table,
    read_schema,
    require_only,
)

READING_FAILED = (*OF_THE_FILE, duckdb.OutOfMemoryException)
OTHER_FILES = "check the files that the statement names, and the disk"


class _Held(threading.local):
    """The files that this thread holds open, with their connections: None where there is no file."""

    def __init__(self) -> None:
        self.by_path: dict[Path, duckdb.DuckDBPyConnection | None] = {}


_held = _Held()


@dataclass(frozen=True)
class DuckDBWarehouse:
    """Stores the tables in one DuckDB file.

    Attributes:
        path: The database file; it need not exist yet.
        timeout: Longest wait for the file while another process holds it, in seconds.
    """

    dialect: ClassVar[Dialect] = "duckdb"
    path: Path
    timeout: float = LOCK_TIMEOUT

    def read(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
        with self.reading(keep=True) as db:
            return {
                name: _select(db, table, days) if db else read_schema(table, days.columns).empty_table()
                for name, (table, days) in wanted.items()
            }

    def replace(
        self,
        table: Table,
        days: Sequence[date],
        rows: pa.Table,
        entries: Sequence[LedgerEntry],
        rejects: pa.Table,
    ) -> None:
        require_only(table, days, rows)
        recorded = entries_table(entries)
        with self._writing() as db:
            for statement in (*ddl.OPERATIONS_DDL, *ddl.duckdb_create(table)):
                db.execute(statement)
            _evolve(db, table)
            if days:
                db.execute(f"DELETE FROM {table.id} WHERE {ddl.predicate(table.partition, list(days))}")
                db.register("incoming", rows)
                db.execute(f"INSERT INTO {table.id} BY NAME SELECT * FROM incoming")
            _record(db, table, recorded, rejects)

    def ledger(
        self, tables: Sequence[str] | None = None, start: date | None = None, end: date | None = None
    ) -> pa.Table:
        conditions, values = _conditions(tables, start, end)
        sql = f"SELECT * FROM {ddl.LEDGER} WHERE {conditions} ORDER BY table_id, day, state"
        return self._operations(sql, values, ENTRY_SCHEMA)

    def quarantine(
        self,
        tables: Sequence[str] | None = None,
        start: date | None = None,
        end: date | None = None,
        *,
        dated: bool = False,
    ) -> pa.Table:
        conditions, values = _conditions(tables, start, end)
        of_tables, undated_values = _conditions(tables, None, None)
        undated = "FALSE" if dated else "day IS NULL"
        sql = (
            f"SELECT * FROM {ddl.QUARANTINE} WHERE ({undated} AND {of_tables}) OR (day IS NOT NULL AND {conditions}) "
            "ORDER BY recorded_at DESC, table_id, day"
        )
        return self._operations(sql, [*undated_values, *values], REJECT_SCHEMA)

    def contents(self, tables: Sequence[Table], start: date, end: date, *, hashes: bool) -> pa.Table:
        with self.reading(keep=True) as db:
            present = _tables(db) if db else set()
            wanted = [_contents(db, t, hashes) for t in tables if db and t.id in present]
            if db is None or not wanted:
                return CONTENTS_SCHEMA.empty_table()
            sql = f"SELECT * FROM ({' UNION ALL '.join(wanted)}) WHERE day BETWEEN ? AND ? ORDER BY table_id, day"
            return db.execute(sql, [start, end]).to_arrow_table().cast(CONTENTS_SCHEMA)

    def query(self, sql: str) -> pa.Table:
        """Run SQL that only reads over the published tables.

        Raises:
            WarehouseError: The file does not exist or cannot be read, the statement is wrong, or memory is too small for it.
        """
        with self.reading() as db:
            if db is None:
                raise WarehouseError(f"{self.path} does not exist yet", "run `nba-pipeline backfill START END` first")
            try:
                return db.execute(sql).to_arrow_table()
            except duck.OF_THE_STATEMENT as e:
                raise WarehouseError(f"{self.path}: {first_line(e)}", "correct the statement") from e
            except duckdb.IOException as e:
                if duck.is_corruption(e) or is_full_disk(e, self.path):
                    raise
                raise WarehouseError(f"{self.path}: {first_line(e)}", OTHER_FILES) from e

    def _operations(self, sql: str, values: list, schema: pa.Schema) -> pa.Table:
        with self.reading(keep=True) as db:
            if db is None:
                return schema.empty_table()
            try:
                return db.execute(sql, values).to_arrow_table().cast(schema)
            except duckdb.CatalogException:  # asked only then: to list the tables takes as long as to read the ledger
                if ddl.LEDGER in _tables(db):
                    raise
                return schema.empty_table()

    @property
    def _lock(self) -> Path:
        return self.path.with_name(self.path.name + ".lock")

    def keeping(self) -> AbstractContextManager[None]:
        """Keep the file open between the operations of a block: see `kept_connection`."""
        return keeping(self.path, self._lock)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that this thread reads within the block see one state of the file."""
        if self.path in _held.by_path:
            yield
            return
        with ExitStack() as until_closed:
            _held.by_path[self.path] = self._opened(until_closed, keep=True)
            try:
                yield
            finally:
                del _held.by_path[self.path]

    @contextmanager
    def reading(self, *, keep: bool = False) -> Iterator[duckdb.DuckDBPyConnection | None]:
        """Open the file for reading under the shared lock: nothing is published meanwhile. None without a file.

        Args:
            keep: Whether to read through the connection that the process keeps, if it does: one state of the file, while other
                threads of it publish.
        """
        with ExitStack() as until_closed:
            db = _held.by_path[self.path] if self.path in _held.by_path else self._opened(until_closed, keep=keep)
            try:
                yield db
            except READING_FAILED as e:
                if db is None:
                    raise
                with self._closed(db):  # damage is looked for through a connection of its own
                    raise explained(self.path, "reading failed", e) from e

    def _opened(self, until_closed: ExitStack, *, keep: bool) -> duckdb.DuckDBPyConnection | None:
        """Open the file for reading until the stack is closed; None without a file."""
        if not self.path.exists():
            return None
        kept = kept_connection(self.path) if keep and not is_marked(self.path) else None
        if kept:
            # What cannot be opened to be kept, or not at once, is read as outside of a run, or fails as there.
            with suppress(duckdb.Error, OSError, WarehouseError):
                return until_closed.enter_context(kept.reading(replace(self, timeout=0)._to_keep))
        until_closed.enter_context(file_lock(self._lock, exclusive=False, timeout=self.timeout))
        try:
            return until_closed.enter_context(connected(self.path, read_only=True, timeout=self.timeout))
        except READING_FAILED as e:
            raise explained(self.path, "reading failed", e) from e

    @contextmanager
    def _closed(self, db: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Close a connection, and the file with it, also where it is kept."""
        kept = kept_connection(self.path)
        if kept and kept.is_of(db):
            with kept.closed(db):
                yield
        else:
            db.close()
            yield

    def _to_keep(self) -> OpenFile:
        """Open the file to read and write, under the exclusive lock."""
        with ExitStack() as until_closed:
            until_closed.enter_context(file_lock(self._lock, exclusive=True, timeout=self.timeout))
            require_undamaged(self.path)
            db = until_closed.enter_context(connected(self.path, read_only=False, timeout=self.timeout))
            db.execute("SET immediate_transaction_mode = true")  # else a state is read as of the first statement
            return OpenFile(self.path, db, self.path.stat(), until_closed.pop_all())

    @contextmanager
    def _writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction under the exclusive lock: committed whole, or rolled back whole."""
        if self.path in _held.by_path:
            raise RuntimeError(f"{self.path} is written within a snapshot of itself, which would wait for its own lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise explained(self.path, "its directory cannot be made", e) from e
        kept = kept_connection(self.path)
        with self._writing_kept(kept) if kept else self._writing_alone() as db:
            yield db

    @contextmanager
    def _writing_alone(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the file for one transaction."""
        committed = False
        with file_lock(self._lock, exclusive=True, timeout=self.timeout), ExitStack() as until_closed:
            try:
                require_undamaged(self.path)
                with connected(self.path, read_only=False, timeout=self.timeout) as db:
                    held = until_closed.enter_context(self.path.open("rb"))
                    with _transaction(db):
                        yield db
                    committed = True
                require_still(self.path, os.fstat(held.fileno()))
            except (duckdb.Error, OSError) as e:
                raise explained(self.path, _failure(committed), e) from e

    @contextmanager
    def _writing_kept(self, kept: KeptConnection) -> Iterator[duckdb.DuckDBPyConnection]:
        """Write through the connection that the process keeps; after a failure the next operation opens the file anew."""
        committed, cursor = False, None
        with ExitStack() as until_written:
            try:
                cursor, file = until_written.enter_context(kept.writing(self._to_keep))
                with _transaction(cursor):
                    yield cursor
                committed = True
                require_still(self.path, file.opened)
            except (duckdb.Error, OSError) as e:
                with kept.closed(cursor):  # damage is looked for through a connection of its own
                    raise explained(self.path, _failure(committed), e) from e


@contextmanager
def _transaction(db: duckdb.DuckDBPyConnection) -> Iterator[None]:
    db.execute("BEGIN TRANSACTION")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        _rollback(db)
        raise


def _failure(committed: bool) -> str:
    return "it was written, but the file could not be closed" if committed else "writing failed, nothing was changed"


def _rollback(db: duckdb.DuckDBPyConnection) -> None:
    try:
        db.execute("ROLLBACK")
    except duckdb.Error:
        return  # the transaction is already gone, e.g. after a failed COMMIT; the first error is the one to report


def _tables(db: duckdb.DuckDBPyConnection) -> set[str]:
    return {f"{s}.{t}" for s, t in db.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()}


def _all_columns(table: Table, present: Container[str], columns: Sequence[str] | None = None) -> str:
    """A SELECT of these columns (None: all of the contract); one that the stored table does not have yet is NULL."""
    types = ddl.duckdb_columns(table)
    listed = [f'"{c}"' if c in present else f'NULL::{types[c]} AS "{c}"' for c in columns or table.columns]
    return f"SELECT {', '.join(listed)} FROM {table.id}"


def _stored_columns(db: duckdb.DuckDBPyConnection, table: str) -> dict[str, tuple[str, bool]]:
    """The type of each column of a stored table, and whether it may be NULL; nothing of a table that is not stored."""
    try:
        found = db.execute(f'SELECT column_name, column_type, "null" FROM (DESCRIBE {table})').fetchall()
    except duckdb.CatalogException:
        return {}
    return {n: (t.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"), null == "YES") for n, t, null in found}


def _select(db: duckdb.DuckDBPyConnection, table: Table, days: Days) -> pa.Table:
    """Read days of a table. Which columns it has is asked only where one is missing: to ask takes a third of reading a day."""
    schema, wanted = read_schema(table, days.columns), days.columns or tuple(table.columns)
    where = f"{table.partition} BETWEEN DATE '{days.start}' AND DATE '{days.end}'"
    try:
        found = db.execute(f"{_all_columns(table, wanted, wanted)} WHERE {where}")
    except (duckdb.BinderException, duckdb.CatalogException):
        present = _stored_columns(db, table.id)
        if not present:
            return schema.empty_table()
        found = db.execute(f"{_all_columns(table, present, wanted)} WHERE {where}")
    return found.to_arrow_table().cast(schema)


def _contents(db: duckdb.DuckDBPyConnection, table: Table, hashes: bool) -> str:
    if not hashes:
        return f"""SELECT '{table.id}' AS table_id, {table.partition} AS day, count(*) AS "rows", '' AS content_hash
            FROM {table.id} GROUP BY 2"""
    stored = _all_columns(table, _stored_columns(db, table.id))
    recomputed = f"SELECT {table.partition} AS day, {hash_expression(table)} AS {HASH_COLUMN} FROM ({stored})"
    return f"""SELECT '{table.id}' AS table_id, day, count(*) AS "rows", {content_hash_expression()} AS content_hash
        FROM ({recomputed}) GROUP BY 2"""


def _evolve(db: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Add columns that the contract gained, and let those be empty that it lets; refuse any other difference."""
    declared = ddl.duckdb_columns(table)
    stored = _stored_columns(db, table.id)
    for name, kind in declared.items():
        if name not in stored:
            db.execute(f'ALTER TABLE {table.id} ADD COLUMN "{name}" {kind}')
        elif stored[name][0] != kind:
            raise WarehouseError(
                f"{table.id}.{name} is {stored[name][0]} in the warehouse and {kind} in the contract",
                f'ALTER TABLE {table.id} ALTER "{name}" TYPE {kind}, or drop the table and backfill it',
            )
        elif table.columns[name].nullable and not stored[name][1]:
            db.execute(f'ALTER TABLE {table.id} ALTER "{name}" DROP NOT NULL')
    for name in stored.keys() - declared.keys():
        raise WarehouseError(
            f"{table.id}.{name} is in the warehouse but not in the contract",
            f'ALTER TABLE {table.id} DROP "{name}", or add it to the contract',
        )


def _record(db: duckdb.DuckDBPyConnection, table: Table, entries: pa.Table, rejects: pa.Table) -> None:
    """Published days lose their refusal; refused days keep the entry, and the rejects, of what is still published."""
    db.register("recorded", entries)
    db.register("refused", rejects)
    db.execute(
        f"""DELETE FROM {ddl.LEDGER} AS l USING recorded AS r WHERE l.table_id = r.table_id AND l.day = r.day
            AND (r.state = 'published' OR l.state = 'refused')"""
    )
    db.execute(f"INSERT INTO {ddl.LEDGER} BY NAME SELECT * FROM recorded")
    set_aside = db.execute(f"SELECT 1 FROM {ddl.QUARANTINE} WHERE table_id = ? LIMIT 1", [table.id]).fetchone()
    if set_aside:  # of most tables nothing ever is, and to look for it takes longer than all else here
        _replace_rejects(db, table)
    if rejects.num_rows:
        db.execute(f"INSERT INTO {ddl.QUARANTINE} BY NAME SELECT * FROM refused")


def _replace_rejects(db: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Take out of quarantine what was rejected of recorded days, but for runs that the ledger still names for them."""
    db.execute(
        f"""DELETE FROM {ddl.QUARANTINE} AS q WHERE table_id = ? AND (day IN (SELECT day FROM recorded)
            OR (day IS NULL AND EXISTS (SELECT 1 FROM recorded)))
            AND (run_id IN (SELECT run_id FROM recorded) OR run_id NOT IN
                (SELECT run_id FROM {ddl.LEDGER} AS l WHERE l.table_id = q.table_id AND l.day = q.day))""",
        [table.id],
    )


def _conditions(tables: Sequence[str] | None, start: date | None, end: date | None) -> tuple[str, list]:
    conditions, values = ["TRUE"], []
    if tables is not None:
        conditions.append("table_id IN (SELECT unnest(?::VARCHAR[]))")
        values.append(list(tables))
    if start:
        conditions.append("day >= ?")
        values.append(start)
    if end:
        conditions.append("day <= ?")
        values.append(end)
    return " AND ".join(conditions), values
