"""Event log in one SQLite file, written in batches: the default storage for one machine.

The stock SQLite storage opens a new engine and four connections for every event, in two files. A run over the whole
history records an event for every day, table and check, several hundred thousand in all, and takes hours that way.
This storage keeps one engine per process, uses write-ahead logging, and writes a batch of events as one transaction of
bulk inserts. It answers as the stock storage does. It is wired in `dagster.yaml`:

    event_log_storage:
      module: nba_pipeline.event_log
      class: BatchedSqliteEventLogStorage
      config: {base_dir: {env: DAGSTER_HOME}}

Dagster hands over batches only when `DAGSTER_EVENT_BATCH_SIZE` is set. Importing this module sets it unless the
environment already does, and web server, daemon and run worker all import it because `dagster.yaml` names it.

The module builds on `SqlEventLogStorage`, its table definitions and the Alembic helpers, all private to Dagster, as
its own SQLite, Postgres and MySQL storages do. Limits: one machine and a local disk (SQLite cannot lock over a
network), one writer at a time. Teams use Postgres.
"""

import fcntl
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import sqlalchemy as db
import sqlalchemy.event as db_event
import sqlalchemy.exc as db_exc
from dagster import AssetCheckEvaluation, DagsterEventType, DagsterInvariantViolationError, EventLogEntry, StringSource
from dagster._core.event_api import EventLogCursor
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageMetadata,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.sql import (
    AlembicVersion,
    check_alembic_revision,
    get_alembic_config,
    run_alembic_upgrade,
    stamp_alembic_rev,
)
from dagster._serdes import ConfigurableClass, ConfigurableClassData, serialize_value
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection, Engine

BATCH_SIZE = 2000
LOCK_WAIT_SECONDS = 60.0
WATCH_INTERVAL_SECONDS = 0.25

Listener = Callable[[EventLogEntry, str], Any]

os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(BATCH_SIZE))


class EventLogBusyError(DagsterInvariantViolationError):
    """Another process kept the event log locked for longer than the bounded wait."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__(
            f"The event log {path} has been locked by another process for {seconds:.0f} s.\n"
            f"  What to do: see who holds it (`fuser -v {path}`), end a process that hangs, then launch the run again. "
            "If many runs write at once, let fewer run or move the event log to Postgres."
        )


@dataclass(frozen=True)
class StoredEvent:
    """An event, its number in the log, and the row it was stored as."""

    number: int
    event: EventLogEntry
    row: Mapping[str, Any]

    @property
    def check(self) -> Any:
        """The AssetCheckEvaluation or AssetCheckEvaluationPlanned of this event."""
        return self.event.get_dagster_event().event_specific_data

    @property
    def is_result_of_partition(self) -> bool:
        return isinstance(self.check, AssetCheckEvaluation) and bool(self.check.partition and self.event.run_id)

    def planned_rows(self) -> list[dict[str, Any]]:
        subset = self.check.partitions_subset
        row = self._check_row(AssetCheckExecutionRecordStatus.PLANNED)
        return [{**row, "partition": key} for key in (subset.get_partition_keys() if subset else [None])]

    def result_row(self) -> dict[str, Any]:
        succeeded, failed = AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED
        target = self.check.target_materialization_data
        return {
            **self._check_row(succeeded if self.check.passed else failed),
            "partition": self.check.partition,
            "materialization_event_storage_id": target.storage_id if target else None,
        }

    def _check_row(self, status: AssetCheckExecutionRecordStatus) -> dict[str, Any]:
        return {
            "asset_key": self.check.asset_key.to_string(),
            "check_name": self.check.check_name,
            "run_id": self.event.run_id,
            "execution_status": status.value,
            "evaluation_event": self.row["event"],
            "evaluation_event_timestamp": self.row["timestamp"],
            "evaluation_event_storage_id": self.number,
        }


class _Serialiser:
    """Writes events as `serialize_value` does, character by character, in half the time.

    Successive events of one step differ only in their data, messages and time. What surrounds these, more than half of
    the text, is serialised once.
    """

    _PARTS = re.compile(r'"@@(data|message|user_message|timestamp)@@"')

    def __init__(self) -> None:
        self._frame: EventLogEntry | None = None
        self._pieces: list[str] = []

    def __call__(self, entry: EventLogEntry) -> str:
        event = entry.dagster_event
        if event is None:
            return serialize_value(entry)
        inner: Any = {"event_specific_data": "@@data@@", "message": "@@message@@"}
        outer: Any = {"user_message": "@@user_message@@", "timestamp": "@@timestamp@@"}
        frame = entry._replace(dagster_event=event._replace(**inner), **outer)
        if frame != self._frame:
            self._frame, self._pieces = frame, self._PARTS.split(serialize_value(frame))
        parts = {
            "data": serialize_value(event.event_specific_data),
            "message": json.dumps(event.message),
            "user_message": json.dumps(entry.user_message),
            "timestamp": json.dumps(entry.timestamp),
        }
        fixed, names = self._pieces[0::2], self._pieces[1::2]
        return fixed[0] + "".join(parts[name] + text for name, text in zip(names, fixed[1:], strict=True))


_RESULT = (
    "execution_status",
    "evaluation_event",
    "evaluation_event_timestamp",
    "evaluation_event_storage_id",
    "materialization_event_storage_id",
)
_INSERT_RESULT = sqlite.insert(AssetCheckExecutionsTable)
# Turns the planned row of a check, run and partition into its result; adds a row where nothing was planned.
_EVALUATE = _INSERT_RESULT.on_conflict_do_update(
    index_elements=("asset_key", "check_name", "run_id", "partition"),
    set_={name: _INSERT_RESULT.excluded[name] for name in _RESULT},
)


class BatchedSqliteEventLogStorage(SqlEventLogStorage, ConfigurableClass):
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
        """Create and stamp the tables once, whoever comes first; the others wait and find them ready."""
        with self._schema_lock():
            with self._connect() as conn:
                if db.inspect(conn).has_table("alembic_version"):
                    return
                conn.exec_driver_sql("PRAGMA page_size=8192")  # an event is 1 to 2 kB
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
        deadline = time.monotonic() + LOCK_WAIT_SECONDS
        with self._path.with_suffix(".lock").open("a") as handle:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise EventLogBusyError(self._path, LOCK_WAIT_SECONDS) from None
                    time.sleep(0.05)
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
        try:
            with self._engine.connect() as conn, conn.begin():
                self._open.connection = conn
                try:
                    yield conn
                finally:
                    self._open.connection = None
        except db_exc.OperationalError as error:
            if "database is locked" in str(error.orig):
                raise EventLogBusyError(self._path, LOCK_WAIT_SECONDS) from error
            raise

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A connection that holds the write lock from the start; others see all that is written on it, or nothing."""
        with self._connect() as conn:
            if not conn.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
                conn.exec_driver_sql("BEGIN IMMEDIATE")
            yield conn

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

    def store_event(self, event: EventLogEntry) -> None:
        self.store_event_batch([event])

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events of any types in one transaction; the result is that of storing them one after the other."""
        serialise = _Serialiser()
        with self._transaction() as conn:
            last = conn.execute(db.select(db.func.max(SqlEventLogStorageTable.c.id))).scalar() or 0
            stored = [
                StoredEvent(number, event, self._event_row(event, serialise(event)))
                for number, event in enumerate(events, last + 1)
            ]
            conn.execute(SqlEventLogStorageTable.insert(), [{"id": item.number, **item.row} for item in stored])
            self._store_asset_events(conn, stored)
            checks = [item for item in stored if item.event.dagster_event_type in ASSET_CHECK_EVENTS]
            self._store_check_events(conn, checks)

    def _event_row(self, entry: EventLogEntry, text: str) -> dict[str, Any]:
        event = entry.dagster_event
        asset_key = event.asset_key if event else None
        return {
            "run_id": entry.run_id,
            "event": text,
            "dagster_event_type": event.event_type_value if event else None,
            "timestamp": self._event_insert_timestamp(entry),
            "step_key": event.step_key if event else entry.step_key,
            "asset_key": asset_key.to_string() if asset_key else None,
            "partition": (event.partition or None) if event else None,
        }

    def _store_asset_events(self, conn: Connection, stored: Sequence[StoredEvent]) -> None:
        """Tags of every asset event, and per asset the row that caches its latest events."""
        ours = [item for item in stored if item.event.dagster_event_type in ASSET_EVENTS and item.row["asset_key"]]
        self._store_asset_event_tags(conn, [item.event for item in ours], [item.number for item in ours])
        latest: dict[tuple[object, object], StoredEvent] = {}
        for item in ours:
            key = (item.row["asset_key"], item.row["dagster_event_type"])
            latest.pop(key, None)
            latest[key] = item
        for item in latest.values():
            self._store_asset_event(conn, item.event, item.number)

    def _has_asset_key_index_cols_on_connection(self, conn: Connection) -> bool:  # noqa: ARG002
        return True  # the table was never made without them

    def _store_check_events(self, conn: Connection, stored: Sequence[StoredEvent]) -> None:
        """Executions of checks, in the order of the events."""
        for is_result, group in groupby(stored, key=lambda item: item.is_result_of_partition):
            if is_result:
                conn.execute(_EVALUATE, [item.result_row() for item in group])
                continue
            for item in group:
                if item.event.dagster_event_type == DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
                    conn.execute(AssetCheckExecutionsTable.insert(), item.planned_rows())
                else:  # no partition or no run: rare, and the unique index does not cover it
                    self.store_asset_check_event(item.event, item.number)

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
