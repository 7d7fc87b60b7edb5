"""Shrinks an event log: stores what earlier releases wrote as events are stored now, and removes superseded events.

An event of a day is superseded where a later run recorded the same for the table and day: a materialization or an observation
by a later materialization, the plan of one by it, the result of a check by a later result. What the UI shows of a day follows
from the latest; pages of older runs show fewer events. Starts and ends of steps, errors and logs stay.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from nba_pipeline.orchestration.event_log.packing import EVENT_START, REFERENCE, pack
from nba_pipeline.orchestration.event_log.sqlite import BatchedSqliteEventLogStorage

BATCH = 5000

# One pass over the rows of a day each: a search for a later row of every row reads all rows of its table and check.
SUPERSEDED_EVENTS = """
    SELECT id FROM (
      SELECT id, timestamp, max(iif(dagster_event_type = 'ASSET_MATERIALIZATION', id, NULL))
        OVER (PARTITION BY asset_key, partition) AS latest
      FROM event_logs
      WHERE partition IS NOT NULL AND asset_key IS NOT NULL
        AND dagster_event_type IN ('ASSET_MATERIALIZATION', 'ASSET_OBSERVATION', 'ASSET_MATERIALIZATION_PLANNED'))
    WHERE id < latest AND timestamp < :before
"""
SUPERSEDED_RESULTS = """
    SELECT id, event FROM (
      SELECT id, evaluation_event_storage_id AS event, evaluation_event_timestamp AS timestamp,
        max(iif(execution_status <> 'PLANNED', id, NULL)) OVER (PARTITION BY asset_key, check_name, partition) AS latest
      FROM asset_check_executions
      WHERE partition IS NOT NULL)
    WHERE id < latest AND timestamp < :before
"""
_REFER = f"""
    UPDATE asset_check_executions SET evaluation_event = '{REFERENCE}' || evaluation_event_storage_id
    WHERE evaluation_event LIKE '{EVENT_START}%' AND typeof(evaluation_event) = 'text'
      AND EXISTS (SELECT 1 FROM event_logs AS e WHERE e.id = evaluation_event_storage_id)
"""


@dataclass(frozen=True)
class Pruning:
    """What was done: events that were packed, copies replaced by references, and superseded events removed; bytes of the file."""

    packed: int
    referred: int
    removed: int
    bytes_before: int
    bytes_after: int


def prune(storage: BatchedSqliteEventLogStorage, before: datetime) -> Pruning:
    """Shrink the event log; other processes may read meanwhile, and writers wait for each other in turn.

    Args:
        storage: The event log.
        before: Superseded events from before this moment (UTC) are removed.
    """
    size = storage.bytes_on_disk()
    cutoff = before.replace(tzinfo=None).isoformat(" ")
    removed = _remove_superseded(storage, cutoff)
    with storage.transaction() as conn:
        referred = conn.exec_driver_sql(_REFER).rowcount
    packed = sum(_pack_all(storage))
    storage.compact()
    return Pruning(packed, referred, removed, size, storage.bytes_on_disk())


def _remove_superseded(storage: BatchedSqliteEventLogStorage, cutoff: str) -> int:
    with storage.transaction() as conn:
        results = conn.exec_driver_sql(SUPERSEDED_RESULTS, {"before": cutoff}).fetchall()
        events = [row[0] for row in conn.exec_driver_sql(SUPERSEDED_EVENTS, {"before": cutoff})]
        plans = {number for _, number in results}
        shared = _still_referred(conn, {row[0] for row in results}, plans)
        _delete(conn, "asset_check_executions", "id", [row[0] for row in results])
        events += [number for number in plans - shared if number is not None]
        _delete(conn, "asset_event_tags", "event_id", events)
        _delete(conn, "event_logs", "id", events)
    return len(events)


def _still_referred(conn: Connection, removed: set[int], events: set[int | None]) -> set[int | None]:
    """Which of these events executions refer to that are not removed: the plan of a check is one event for all its days."""
    rows = conn.exec_driver_sql("SELECT id, evaluation_event_storage_id FROM asset_check_executions")
    return {event for number, event in rows if number not in removed and event in events}


def _delete(conn: Connection, table: str, column: str, numbers: list[int]) -> None:
    if numbers:
        conn.exec_driver_sql(f"DELETE FROM {table} WHERE {column} = ?", [(number,) for number in numbers])


def _pack_all(storage: BatchedSqliteEventLogStorage) -> Iterator[int]:
    """Pack events that are stored as text, in batches, so that other writers wait for one batch only."""
    for table, column in (("event_logs", "event"), ("asset_check_executions", "evaluation_event")):
        last = 0
        while True:
            with storage.transaction() as conn:
                rows: list[Any] = list(
                    conn.exec_driver_sql(
                        f"SELECT id, {column} FROM {table} WHERE id > ? AND typeof({column}) = 'text' "
                        f"AND {column} LIKE ? ORDER BY id LIMIT {BATCH}",
                        (last, f"{EVENT_START}%"),
                    )
                )
                if not rows:
                    break
                update = f"UPDATE {table} SET {column} = ? WHERE id = ?"
                conn.exec_driver_sql(update, [(pack(text), number) for number, text in rows])
            last = rows[-1][0]
            yield len(rows)
