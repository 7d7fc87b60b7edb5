"""Event log in one SQLite file, written in batches: the default storage for one machine.

The stock SQLite storage opens a new engine and four connections for every event, in two files. This storage keeps one
engine per process, uses write-ahead logging, and writes a batch of events as one transaction of bulk inserts
(`event_batches`). It answers as the stock storage does. It is wired in `dagster.yaml`:

    event_log_storage:
      module: nba_pipeline.orchestration.event_log.sqlite
      class: BatchedSqliteEventLogStorage
      config: {base_dir: {env: DAGSTER_HOME}}

Web server, daemon and run worker all open this storage, and with it set the size of batches, because `dagster.yaml` names it.

The module builds on `SqlEventLogStorage`, its table definitions and the Alembic helpers, all private to Dagster, as
its own SQLite, Postgres and MySQL storages do. Limits: one machine and a local disk (SQLite cannot lock over a
network), one writer at a time. Teams use Postgres (`event_log_postgres`).
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from functools import cache, cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any

import sqlalchemy as db
import sqlalchemy.event as db_event
import sqlalchemy.exc as db_exc
from dagster import DagsterInvariantViolationError, EventLogEntry, StringSource
from dagster._core.event_api import EventLogCursor
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageMetadata,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.sql import (
    AlembicVersion,
    check_alembic_revision,
    get_alembic_config,
    run_alembic_upgrade,
    stamp_alembic_rev,
)
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection, Engine

from nba_pipeline.common.errors import WarehouseBusyError
from nba_pipeline.common.locking import file_lock
from nba_pipeline.orchestration.event_log.batching import (
    BATCH_SIZE,
    RESULT,
    BatchedEventLogStorage,
    StoredEvent,
    evaluate_statement,
)
from nba_pipeline.orchestration.event_log.held import HeldEvents
from nba_pipeline.orchestration.event_log.packing import REFERENCE, pack, packed_text, reference

LOCK_WAIT_SECONDS = 60.0
WATCH_INTERVAL_SECONDS = 0.25
PRIMARY_CODE = 0xFF  # the low byte of an extended error code: https://www.sqlite.org/rescode.html

Listener = Callable[[EventLogEntry, str], Any]


class EventLogBusyError(DagsterInvariantViolationError):
    """Another process kept the event log locked for longer than the bounded wait."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__(
            f"The event log {path} has been locked by another process for {seconds:.0f} s.\n"
            f"  Fix: see who holds it (`fuser -v {path}`), end a process that hangs, then launch the run again. "
            "If many runs write at once, let fewer run or move the event log to Postgres."
        )


class EventLogFailedError(DagsterInvariantViolationError):
    """The event log could not be read or written; nothing of the batch of events was stored."""

    def __init__(self, path: Path, error: BaseException) -> None:
        super().__init__(
            f"The event log {path} failed: {error}. Nothing of this batch of events was stored.\n"
            "  Fix: check free disk space and the permissions of the file and its directory, then run the same days "
            "again; what the tables hold is whole."
        )


def _is_busy(error: db_exc.OperationalError) -> bool:
    """Tell whether SQLite gave up waiting for a lock, in any of the extended forms of SQLITE_BUSY."""
    code = getattr(error.orig, "sqlite_errorcode", None)  # absent where Python's driver, not SQLite, raised the error
    return code is not None and code & PRIMARY_CODE == sqlite3.SQLITE_BUSY


_HOLD_EVENTS = f"""
    UPDATE asset_check_executions
    SET evaluation_event = (SELECT e.event FROM event_logs AS e WHERE e.id = evaluation_event_storage_id)
    WHERE evaluation_event = '{REFERENCE}' || evaluation_event_storage_id
      AND evaluation_event_storage_id IN (SELECT id FROM event_logs WHERE run_id = ?)
"""
_EVALUATE = evaluate_statement(sqlite.insert(AssetCheckExecutionsTable))
_EVENT, _PLAN, _TAG = SqlEventLogStorageTable.insert(), AssetCheckExecutionsTable.insert(), AssetEventTagsTable.insert()
_RESULT_OF_RUN = (
    "UPDATE asset_check_executions SET {} WHERE asset_key = ? AND check_name = ? AND run_id = ? AND partition IS NULL"
)


@cache
def _prepared(statement: db.Insert, columns: tuple[str, ...]) -> str:
    """An insert of these columns as SQLite takes it: SQLAlchemy would spend more on each row than SQLite does."""
    compiled = statement.compile(dialect=sqlite.dialect(), column_keys=columns)
    if tuple(compiled.positiontup or ()) != columns:
        raise DagsterInvariantViolationError(
            f"{compiled} does not take {', '.join(columns)}. Fix: install a tested Dagster."
        )
    return str(compiled)


def _stored_time(moment: datetime) -> str:
    """A time (UTC) as SQLAlchemy stores it, without a zone."""
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


class BatchedSqliteEventLogStorage(BatchedEventLogStorage, ConfigurableClass):
    """Event log of one Dagster instance in `<base_dir>/event_log.db`, for several processes at once.

    Readers never wait; a writer waits for the one before it, at most `LOCK_WAIT_SECONDS`.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        self._path = Path(base_dir).absolute() / "event_log.db"
        self._engines: dict[int, Engine] = {}
        self._engine_lock = threading.Lock()
        self._open = threading.local()
        self._known_tables: set[str] = set()
        self._watches: dict[tuple[str, Listener], threading.Event] = {}
        self._held = HeldEvents(self._store_at_once, BATCH_SIZE)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._initialise()
        super().__init__()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        return {"base_dir": StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "BatchedSqliteEventLogStorage":
        return cls(inst_data=inst_data, **config_value)

    def _initialise(self) -> None:
        """Create and stamp the tables once, under a lock, so that processes that start together do not collide."""
        with self._schema_lock():
            with self._connect() as conn:
                if db.inspect(conn).has_table("alembic_version"):
                    return
                conn.exec_driver_sql("PRAGMA page_size=8192")
                conn.exec_driver_sql("PRAGMA journal_mode=WAL")
            with self._transaction() as conn:
                SqlEventLogStorageMetadata.create_all(conn)
                stamp_alembic_rev(get_alembic_config(sqlite_event_log.__file__), conn)
                self.reindex_events()
                self.reindex_assets()

    def upgrade(self) -> None:
        with self._schema_lock(), self._connect() as conn:
            run_alembic_upgrade(get_alembic_config(sqlite_event_log.__file__), conn)

    def alembic_version(self) -> AlembicVersion:
        with self._connect() as conn:
            return check_alembic_revision(get_alembic_config(sqlite_event_log.__file__), conn)

    @contextmanager
    def _schema_lock(self) -> Iterator[None]:
        """One process at a time may change the schema; a file lock, because SQLite's own ends with each transaction."""
        lock = file_lock(self._path.with_suffix(".lock"), exclusive=True, timeout=LOCK_WAIT_SECONDS)
        with ExitStack() as held:
            try:
                held.enter_context(lock)
            except WarehouseBusyError as error:
                raise EventLogBusyError(self._path, LOCK_WAIT_SECONDS) from error
            yield

    @property
    def _engine(self) -> Engine:
        """The engine of this process; a forked child must not use its parent's connections."""
        pid = os.getpid()
        with self._engine_lock:
            if pid not in self._engines:
                self._engines[pid] = self._create_engine()
            return self._engines[pid]

    def _create_engine(self) -> Engine:
        # IMMEDIATE takes the write lock with the first statement of a transaction that writes: waiting for the lock
        # is then always possible, while a transaction that read first would have to fail at once.
        engine = db.create_engine(
            db.URL.create("sqlite", database=str(self._path)),
            max_overflow=-1,
            connect_args={"timeout": LOCK_WAIT_SECONDS, "isolation_level": "IMMEDIATE", "check_same_thread": False},
        )

        # The dialect of this engine alone: other storages of this process share the tables, not their form on disk.
        engine.dialect.colspecs = {**engine.dialect.colspecs, db.Text: packed_text(self._stored_event)}

        @db_event.listens_for(engine, "connect")
        def _tune(connection: Any, _record: object) -> None:
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA cache_size=-16384")
            connection.execute("PRAGMA wal_autocheckpoint=4000")
            connection.execute(f"PRAGMA journal_size_limit={64 * 2**20}")

        return engine

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        """A connection that commits at the end; inside another one of the same thread, that one.

        Sharing keeps a write within a write from waiting for itself, and makes the writes of one event atomic.
        """
        if current := getattr(self._open, "connection", None):
            yield current
            return
        self._held.release()
        try:
            with self._engine.connect() as conn, conn.begin():
                self._open.connection = conn
                try:
                    yield conn
                finally:
                    self._open.connection = None
        except db_exc.OperationalError as error:
            if _is_busy(error):
                raise EventLogBusyError(self._path, LOCK_WAIT_SECONDS) from error
            raise EventLogFailedError(self._path, error.orig or error) from error

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A connection that holds the write lock from the start; others see all that is written on it, or nothing."""
        with self._connect() as conn:
            if not conn.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
                conn.exec_driver_sql("BEGIN IMMEDIATE")
            yield conn

    def transaction(self) -> AbstractContextManager[Connection]:
        """A transaction for maintenance; the statements on it see events as they are stored."""
        return self._transaction()

    def bytes_on_disk(self) -> int:
        """The size of the file, with the part of it that is still in the write-ahead log."""
        names = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return sum(path.stat().st_size for path in names if path.exists())

    def compact(self) -> None:
        """Give space that is not used back to the disk."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.exec_driver_sql("VACUUM")
            conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def run_connection(self, run_id: str | None) -> AbstractContextManager[Connection]:  # noqa: ARG002
        return self._connect()

    def index_connection(self) -> AbstractContextManager[Connection]:
        return self._connect()

    def has_table(self, table_name: str) -> bool:
        if table_name not in self._known_tables:
            with self._connect() as conn:
                if db.inspect(conn).has_table(table_name):
                    self._known_tables.add(table_name)
        return table_name in self._known_tables

    @cached_property
    def supports_global_concurrency_limits(self) -> bool:
        return self.has_table("concurrency_limits")

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """As the base class, but in one transaction: all of the batch is stored, or nothing; within `holding` perhaps later."""
        if getattr(self._open, "connection", None):
            self._store_at_once(events)
        else:
            self._held.add(events)

    def _store_at_once(self, events: Sequence[EventLogEntry]) -> None:
        with self._transaction():
            super().store_event_batch(events)

    def holding(self) -> AbstractContextManager[None]:
        """Hold what a step reports at its end until it has ended, within the block."""
        return self._held.holding()

    def _insert_events(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
        last = conn.exec_driver_sql("SELECT max(id) FROM event_logs").scalar() or 0
        numbers = range(last + 1, last + 1 + len(rows))
        with_numbers = zip(numbers, rows, strict=True)
        self._insert(conn, _EVENT, [{**row, "id": number, "event": pack(row["event"])} for number, row in with_numbers])
        return numbers

    def _insert(self, conn: Connection, statement: db.Insert, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows of the same columns, with their values as they are stored."""
        columns = tuple(column.name for column in statement.table.columns if column.name in rows[0])
        conn.exec_driver_sql(_prepared(statement, columns), list(map(itemgetter(*columns), rows)))

    def _time_in_row(self, event: EventLogEntry) -> str:
        return _stored_time(self._event_insert_timestamp(event))

    def _store_tags(self, conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
        self._insert(conn, _TAG, rows)

    def _store_results(self, conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
        self._insert(conn, _EVALUATE, rows)

    def _store_plans(self, conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
        self._insert(conn, _PLAN, rows)

    def _store_result_of_run(self, conn: Connection, item: StoredEvent) -> None:
        if item.check.partition is None and item.event.run_id:
            new = {name: value for name, value in item.result_row().items() if name in RESULT}
            where = (item.check.asset_key.to_string(), item.check.check_name, item.event.run_id)
            update = _RESULT_OF_RUN.format(", ".join(f"{name} = ?" for name in new))
            if not conn.exec_driver_sql(update, (*new.values(), *where)).rowcount:
                self._store_plans(conn, [item.result_row()])  # nothing was planned: a row of its own
            return
        super()._store_result_of_run(conn, item)

    def _store_latest_event(self, conn: Connection, item: StoredEvent) -> None:
        """As the base class, which tries an insert first, takes its failure for a reason to update, and writes the event anew."""
        key, values = item.event.get_dagster_event().asset_key, self._latest_values(item)
        if key is None or not values:
            return
        stored = [_stored_time(value) if isinstance(value, datetime) else value for value in values.values()]
        update = f"UPDATE asset_keys SET {', '.join(f'{name} = ?' for name in values)} WHERE asset_key = ?"
        if not conn.exec_driver_sql(update, (*stored, key.to_string())).rowcount:
            super()._store_latest_event(conn, item)

    def _copy_of(self, number: int, text: str) -> str:  # noqa: ARG002
        return reference(number)

    def delete_events_for_run(self, conn: Connection, run_id: str) -> None:
        """Remove the events of a run; results of checks, which outlive it, then hold the event that they referred to."""
        conn.exec_driver_sql(_HOLD_EVENTS, (run_id,))
        super().delete_events_for_run(conn, run_id)

    def _stored_event(self, number: int) -> str | bytes | None:
        with self._connect() as conn:
            row = conn.exec_driver_sql("SELECT event FROM event_logs WHERE id = ?", (number,)).fetchone()
        return row[0] if row else None

    @property
    def _evaluate(self) -> sqlite.Insert:
        return _EVALUATE

    def _has_asset_key_index_cols_on_connection(self, conn: Connection) -> bool:  # noqa: ARG002
        return True  # the table was never made without them

    def watch(self, run_id: str, cursor: str | None, callback: Listener) -> None:
        """Hand new events of a run to a listener: the live log in the UI.

        Polls, because a file watcher sees a write-ahead log grow only when it is folded into the database.
        """
        ended = self._watches[run_id, callback] = threading.Event()
        arguments = (run_id, cursor, callback, ended)
        threading.Thread(target=self._follow, args=arguments, name=f"events-of-{run_id}", daemon=True).start()

    def _follow(self, run_id: str, cursor: str | None, callback: Listener, ended: threading.Event) -> None:
        while not ended.wait(WATCH_INTERVAL_SECONDS):
            page = self.get_records_for_run(run_id, cursor, limit=1000)
            cursor = page.cursor
            for record in page.records:
                callback(record.event_log_entry, str(EventLogCursor.from_storage_id(record.storage_id)))

    def end_watch(self, run_id: str, handler: Listener) -> None:
        ended = self._watches.pop((run_id, handler), None)
        if ended:
            ended.set()

    def dispose(self) -> None:
        for ended in self._watches.values():
            ended.set()
        with self._engine_lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()
