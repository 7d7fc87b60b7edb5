"""Event log in Postgres, written in batches: the storage of a team.

Dagster's own Postgres storage answers all questions; this one only writes faster, over a connection that it keeps. It is
wired in `deploy/dagster.yaml`. Where the instance is configured by others, such as Dagster's Helm chart, and has the stock
storage, `batching_postgres` lends the verdicts of a run, which are most of its events, the same way of writing.

As in the stock storage, the events of a batch are visible before the tables that index them: one transaction around both
would let the numbers of events appear out of order for those who follow the log.
"""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from dagster._core.storage.event_log.base import EventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection, Engine

from nba_pipeline.common.extras import required_extra
from nba_pipeline.orchestration.event_log.batching import BatchedEventLogStorage, evaluate_statement

with required_extra("postgres", "the event log in Postgres"):
    from dagster_postgres import PostgresEventLogStorage
    from dagster_postgres.utils import (
        create_pg_engine,
        get_token_provider_from_config,
        pg_url_from_config,
        retry_pg_connection_fn,
    )

RECONNECT_AFTER_SECONDS = 1800

_EVALUATE = evaluate_statement(postgresql.insert(AssetCheckExecutionsTable))
_INSERT = SqlEventLogStorageTable.insert().returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True)


class BatchedPostgresEventLogStorage(BatchedEventLogStorage, PostgresEventLogStorage):
    """Configured as `PostgresEventLogStorage`; each process that writes keeps one connection open."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        self._writers: dict[int, Engine] = {}
        self._writers_lock = threading.Lock()
        self._open = threading.local()
        super().__init__(*arguments, **more)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "BatchedPostgresEventLogStorage":
        return cls(
            pg_url_from_config(config_value),
            should_autocreate_tables=config_value.get("should_autocreate_tables", True),
            inst_data=inst_data,
            token_provider=get_token_provider_from_config(config_value),
        )

    @classmethod
    def beside(cls, stock: PostgresEventLogStorage) -> "BatchedPostgresEventLogStorage":
        """Another way into the same event log."""
        return cls(stock.postgres_url, should_autocreate_tables=False, token_provider=stock._token_provider)

    @property
    def _writer(self) -> Engine:
        """The engine of this process; a forked child must not use its parent's connection."""
        pid = os.getpid()
        with self._writers_lock:
            if pid not in self._writers:
                self._writers[pid] = create_pg_engine(
                    self.postgres_url,
                    self._token_provider,
                    pool_size=1,
                    max_overflow=-1,
                    pool_pre_ping=True,
                    pool_recycle=RECONNECT_AFTER_SECONDS,
                )
            return self._writers[pid]

    def _connect(self) -> AbstractContextManager[Connection]:
        """Inside a transaction of this thread its connection, so that a write does not wait for itself."""
        if getattr(self._open, "connection", None):
            return self._transaction()
        return super()._connect()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        if current := getattr(self._open, "connection", None):
            yield current
            return
        with retry_pg_connection_fn(self._writer.connect) as conn, conn.begin():
            self._open.connection = conn
            try:
                yield conn
            finally:
                self._open.connection = None

    def _insert_events(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
        return conn.execute(_INSERT, rows).scalars().all()

    @property
    def _evaluate(self) -> postgresql.Insert:
        return _EVALUATE

    def dispose(self) -> None:
        super().dispose()
        with self._writers_lock:
            for engine in self._writers.values():
                engine.dispose()
            self._writers.clear()


@contextmanager
def batching_postgres(storage: EventLogStorage) -> Iterator[BatchedEventLogStorage | None]:
    """A batched way into a stock Postgres event log; None for any other storage."""
    if not isinstance(storage, PostgresEventLogStorage):
        yield None
        return
    writer = BatchedPostgresEventLogStorage.beside(storage)
    try:
        yield writer
    finally:
        writer.dispose()
