"""Writes events in batches: what the event logs of one machine and of Postgres have in common.

The stock storages write every event on its own, in several transactions over connections that they open anew. A run over
the whole history records an event for every day, table and check, several hundred thousand in all, and takes hours that
way. Here a batch is a few bulk inserts, and the result is that of storing its events one after the other.

Dagster hands over batches only when `DAGSTER_EVENT_BATCH_SIZE` is set. Opening a storage sets it unless the
environment already does.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

from dagster import AssetCheckEvaluation, AssetKey, DagsterEvent, DagsterEventType, EventLogEntry, EventLogRecord
from dagster._core.events import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    AssetMaterializationPlannedData,
    StepMaterializationData,
)
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, AssetEventTagsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._serdes import serialize_value
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from nba_pipeline.common.environment import hand_down
from nba_pipeline.orchestration.event_log.texts import Texts, without_metadata

BATCH_SIZE = 2000

Insert = TypeVar("Insert", sqlite.Insert, postgresql.Insert)


class StoredEvent(NamedTuple):
    """An event, its number in the log, the row it was stored as, and what the executions of checks have of it."""

    number: int
    event: EventLogEntry
    row: dict[str, Any]
    copy: str

    @property
    def check(self) -> Any:
        """The AssetCheckEvaluation or AssetCheckEvaluationPlanned of this event."""
        return self.event.get_dagster_event().event_specific_data

    @property
    def is_result_of_partition(self) -> bool:
        check = self.check
        return isinstance(check, AssetCheckEvaluation) and bool(check.partition and self.event.run_id)

    def planned_rows(self) -> list[dict[str, Any]]:
        subset = self.check.partitions_subset
        row = self._check_row(self.check, _PLANNED)
        return [{**row, "partition": key} for key in (subset.get_partition_keys() if subset else [None])]

    def result_row(self) -> dict[str, Any]:
        check = self.check
        target = check.target_materialization_data
        row = self._check_row(check, _SUCCEEDED if check.passed else _FAILED)
        row["partition"] = check.partition
        row["materialization_event_storage_id"] = target.storage_id if target else None
        return row

    def tag_rows(self, tags: Mapping[str, str]) -> list[dict[str, Any]]:
        """Rows of these tags of an event of an asset."""
        asset_key, time = self.row["asset_key"], self.row["timestamp"]
        about: dict[str, Any] = {"event_id": self.number, "asset_key": asset_key, "event_timestamp": time}
        return [{**about, "key": key, "value": value} for key, value in tags.items()]

    def _check_row(self, check: Any, status: str) -> dict[str, Any]:
        return {
            "asset_key": _key_text(check.asset_key),
            "check_name": check.check_name,
            "run_id": self.event.run_id,
            "execution_status": status,
            "evaluation_event": self.copy,
            "evaluation_event_timestamp": self.row["timestamp"],
            "evaluation_event_storage_id": self.number,
        }


# Types by name: a property of an event makes the type of its name anew each time.
_ASSETS = {kind.value for kind in ASSET_EVENTS}
_CHECKS = {kind.value for kind in ASSET_CHECK_EVENTS}
_TIMED = _ASSETS - _CHECKS - {DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value}
_PLANNED, _SUCCEEDED, _FAILED = (
    AssetCheckExecutionRecordStatus[name].value for name in ("PLANNED", "SUCCEEDED", "FAILED")
)
_LATEST = "last_materialization"
_RECORD = '{"__class__": "EventLogRecord"'
_MATERIALIZED = DagsterEventType.ASSET_MATERIALIZATION.value
_PLANNED_CHECK = DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED.value
_CHECK = ("asset_key", "check_name", "run_id", "partition")
RESULT = (
    "execution_status",
    "evaluation_event",
    "evaluation_event_timestamp",
    "evaluation_event_storage_id",
    "materialization_event_storage_id",
)


def evaluate_statement(insert: Insert) -> Insert:
    """Turns the planned row of a check, run and partition into its result; adds a row where nothing was planned."""
    return insert.on_conflict_do_update(index_elements=_CHECK, set_={name: insert.excluded[name] for name in RESULT})


@cache
def _key_text(key: AssetKey) -> str:
    """The key of an asset as the tables have it: making it takes longer than finding it."""
    return key.to_string()


def _subject(event: DagsterEvent) -> tuple[AssetKey | None, str | None]:
    """The asset and the partition of an event; of the most frequent ones without asking for its type over and over."""
    data: Any = event.event_specific_data
    if type(data) is StepMaterializationData:
        data = data.materialization
    elif type(data) is not AssetMaterializationPlannedData:
        return event.asset_key, event.partition
    return data.asset_key, data.partition


def distinct_times(events: Sequence[EventLogEntry], latest: dict[str, int]) -> list[EventLogEntry]:
    """Give materializations and observations of one asset times that differ by a millisecond at least, in their order.

    The UI pages through the events of an asset by their millisecond, and would show one of those that share it.

    Args:
        events: The events of a batch.
        latest: The latest millisecond used by asset; updated.
    """
    spread = []
    for event in events:
        inner = event.dagster_event
        asset = _subject(inner)[0] if inner and inner.event_type_value in _TIMED else None
        if asset is not None:
            own, key = int(event.timestamp * 1000), _key_text(asset)
            used = latest[key] = max(own, latest.get(key, 0) + 1)
            event = event if used == own else event._replace(timestamp=(used + 0.5) / 1000)
        spread.append(event)
    return spread


class BatchedEventLogStorage(SqlEventLogStorage):
    """An event log that stores a batch of events of any types at once."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        self._latest_times: dict[str, int] = {}
        self._latest_read: dict[str, tuple[str, EventLogRecord]] = {}
        self._latest_stored: dict[str, EventLogRecord] = {}
        self._asset_columns: set[str] = set()
        hand_down("DAGSTER_EVENT_BATCH_SIZE", str(BATCH_SIZE), replace=False)
        super().__init__(*arguments, **more)

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[Connection]:
        """A transaction for writing; within another one of the same thread, that one."""

    @abstractmethod
    def _insert_events(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
        """Insert the rows in this order, and give their numbers."""

    def _time_in_row(self, event: EventLogEntry) -> Any:
        """The time of an event, as rows have it."""
        return self._event_insert_timestamp(event)

    def _copy_of(self, number: int, text: str) -> str:  # noqa: ARG002
        """What an execution of a check stores of the event of this number."""
        return text

    @property
    @abstractmethod
    def _evaluate(self) -> sqlite.Insert | postgresql.Insert:
        """`evaluate_statement` in the dialect of the database."""

    def has_asset_key_col(self, column_name: str) -> bool:
        if column_name not in self._asset_columns and super().has_asset_key_col(column_name):
            self._asset_columns.add(column_name)
        return column_name in self._asset_columns

    def _get_latest_materialization_records(self, raw_asset_rows: Any) -> Mapping[AssetKey, EventLogRecord | None]:
        """As the base class, but a record is read of its text once: every step asks for those of all tables that it reads."""
        known: dict[AssetKey, EventLogRecord | None] = {}
        unknown = []
        for row in raw_asset_rows:
            key = AssetKey.from_db_string(row["asset_key"])
            text, record = self._latest_read.get(row["asset_key"], (None, None))
            if key is None or record is None or text != row[_LATEST] or row["asset_details"]:
                unknown.append((key, row))
            else:
                known[key] = record
        if not unknown:
            return known
        read = super()._get_latest_materialization_records([row for _, row in unknown])
        for key, row in unknown:
            text, record = row[_LATEST], read.get(key) if key else None
            # The record of an asset that was wiped, or is stored in an old form, comes from elsewhere than this text.
            if record and not row["asset_details"] and text and text.startswith(_RECORD):
                self._latest_read[row["asset_key"]] = text, record
        return {**known, **read}

    def stored_materialization(self, asset_key: AssetKey, run_id: str) -> EventLogRecord | None:
        """Return the latest materialization of an asset that this process stored, where it is one of this run.

        Args:
            asset_key: The key of the asset.
            run_id: The id of the run.
        """
        record = self._latest_stored.get(_key_text(asset_key))
        return record if record and record.run_id == run_id else None

    def store_event(self, event: EventLogEntry) -> None:
        self.store_event_batch([event])

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events of any types; the result is that of storing them one after the other."""
        if not events:
            return
        events = distinct_times(events, self._latest_times)
        write = Texts() if len(events) > 1 else serialize_value
        rows = [self._event_row(event, write(event)) for event in events]
        with self._transaction() as conn:
            numbers = self._insert_events(conn, rows)
        stored = [
            StoredEvent(number, event, row, self._copy_of(number, row["event"]))
            for number, event, row in zip(numbers, events, rows, strict=True)
        ]
        with self._transaction() as conn:
            self._store_asset_events(conn, stored)
            checks = [item for item in stored if item.row["dagster_event_type"] in _CHECKS]
            self._store_check_events(conn, checks)

    def _event_row(self, entry: EventLogEntry, text: str) -> dict[str, Any]:
        event = entry.dagster_event
        about = event if event and event.event_type_value not in _CHECKS else None  # events of checks have neither
        asset_key, partition = _subject(about) if about else (None, None)
        return {
            "run_id": entry.run_id,
            "event": text,
            "dagster_event_type": event.event_type_value if event else None,
            "timestamp": self._time_in_row(entry),
            "step_key": event.step_key if event else entry.step_key,
            "asset_key": _key_text(asset_key) if asset_key else None,
            "partition": partition or None,
        }

    def _store_asset_events(self, conn: Connection, stored: Sequence[StoredEvent]) -> None:
        """Tags of every asset event, and per asset the row that caches its latest events."""
        ours = [item for item in stored if item.row["dagster_event_type"] in _ASSETS and item.row["asset_key"]]
        tags = [row for item in ours for row in item.tag_rows(self._indexed_tags(item.event))]
        if tags and self.has_table(AssetEventTagsTable.name):
            self._store_tags(conn, tags)
        latest: dict[tuple[object, object], StoredEvent] = {}
        for item in ours:
            key = (item.row["asset_key"], item.row["dagster_event_type"])
            latest.pop(key, None)
            latest[key] = item
        for item in sorted(latest.values(), key=lambda item: item.row["asset_key"]):
            self._store_latest_event(conn, item)
            if item.row["dagster_event_type"] == _MATERIALIZED:
                self._latest_stored[item.row["asset_key"]] = EventLogRecord(item.number, item.event)

    def _indexed_tags(self, event: EventLogEntry) -> Mapping[str, str]:
        """The tags of an event of an asset that are rows of their own; of the most frequent events without asking for types."""
        data = event.get_dagster_event().event_specific_data
        if type(data) is AssetMaterializationPlannedData:
            return {}
        if type(data) is not StepMaterializationData:
            return self._tags_for_asset_event(event)
        tags = data.materialization.tags or {}
        indexed = self.get_asset_tags_to_index(set(tags))
        return {key: value for key, value in tags.items() if key in indexed}

    def _store_latest_event(self, conn: Connection, item: StoredEvent) -> None:
        """Store what the row of an asset says of its latest event of a type."""
        self._store_asset_event(conn, item.event, item.number)

    def _latest_values(self, item: StoredEvent) -> dict[str, Any]:
        """What the row of an asset says of its latest event, with the text of the event as it is stored."""
        plain = without_metadata(item.event)
        values = self._get_asset_entry_values(plain, item.number, True)
        if plain is item.event or _LATEST not in values:
            return values
        before, written, after = values[_LATEST].partition(serialize_value(plain))
        if not written:
            return self._get_asset_entry_values(item.event, item.number, True)
        return {**values, _LATEST: f"{before}{item.row['event']}{after}"}

    def _store_check_events(self, conn: Connection, stored: Sequence[StoredEvent]) -> None:
        """Executions of checks, in the order of the events."""
        for is_result, group in groupby(stored, key=lambda item: item.is_result_of_partition):
            if is_result:
                last = {tuple(row[name] for name in _CHECK): row for row in (item.result_row() for item in group)}
                self._store_results(conn, list(last.values()))
                continue
            for item in group:
                if item.row["dagster_event_type"] == _PLANNED_CHECK:
                    self._store_plans(conn, item.planned_rows())
                else:  # no partition or no run: the unique index does not cover it
                    self._store_result_of_run(conn, item)

    def _store_tags(self, conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
        conn.execute(AssetEventTagsTable.insert(), rows)

    def _store_results(self, conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
        conn.execute(self._evaluate, rows)

    def _store_plans(self, conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
        conn.execute(AssetCheckExecutionsTable.insert(), rows)

    def _store_result_of_run(self, conn: Connection, item: StoredEvent) -> None:  # noqa: ARG002
        self.store_asset_check_event(item.event, item.number)
