"""Tables of BigQuery as the contracts want them, and what may change about a table that is there."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import ibis.expr.datatypes as dt
import pyarrow as pa
from google.cloud.bigquery import SchemaField, TimePartitioning, TimePartitioningType
from google.cloud.bigquery import Table as StoredTable

from nba_pipeline.common.errors import WarehouseError
from nba_pipeline.contracts.dialects import SYNTAX
from nba_pipeline.contracts.table import Column, Table
from nba_pipeline.warehouse.bigquery.client import JobLabels, label_value
from nba_pipeline.warehouse.bigquery.location import STAGING, BigQueryLocation
from nba_pipeline.warehouse.protocol import ENTRY_SCHEMA, REJECT_SCHEMA

_ARROW_TYPES: dict[pa.DataType, str] = {
    pa.string(): "STRING",
    pa.int64(): "INTEGER",
    pa.date32(): "DATE",
    pa.timestamp("us", "UTC"): "TIMESTAMP",
}
# The interface of the service names types as legacy SQL does; SQL itself names these three otherwise.
_SQL_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
_LEGACY_NAMES = {sql: legacy for legacy, sql in _SQL_NAMES.items()}

DESCRIPTION_LENGTH = 1024
STAGING_LIFE = timedelta(hours=24)

LEDGER, QUARANTINE = "nba_ops.ledger", "nba_ops.quarantine"
# What the journals hold beyond an entry or a reject: which write recorded it, and when that write happened.
BATCH, COMMITTED_AT = "batch", "committed_at"
# Entries and rejects on their way to the journals: one row is either, and the columns of the other are NULL.
RECORD_SCHEMA = pa.unify_schemas([ENTRY_SCHEMA, REJECT_SCHEMA])


def sql_type(t: dt.DataType) -> str:
    """The type's name in SQL: `FLOAT64`, `ARRAY<FLOAT64>`."""
    return SYNTAX["bigquery"].type_of(t)


def _field_type(t: dt.DataType) -> str:
    """The type's name in the interface of the service, that of the elements of an array."""
    name = sql_type(t.value_type) if isinstance(t, dt.Array) else sql_type(t)
    return _LEGACY_NAMES.get(name, name)


def fields(table: Table, *, required: bool = True) -> list[SchemaField]:
    """The columns of a contract, in its order."""
    return [
        SchemaField(c.name, _field_type(c.type), _mode(c, required), description=_described(c))
        for c in table.columns.values()
    ]


def _mode(c: Column, required: bool) -> str:
    if c.type.is_array():
        return "REPEATED"
    return "REQUIRED" if required and not c.nullable else "NULLABLE"


def _described(c: Column) -> str:
    facts = [c.description, f"Unit: {c.unit}." if c.unit else "", f"Formula: {c.formula}." if c.formula else ""]
    said = " ".join(f for f in facts if f)
    return said if len(said) <= DESCRIPTION_LENGTH else said[: DESCRIPTION_LENGTH - 3] + "..."


def definition(location: BigQueryLocation, table: Table) -> StoredTable:
    """The table that keeps a contract's rows: one partition a day, and no query of all days by oversight."""
    wanted = StoredTable(location.table(table.id), schema=fields(table))
    wanted.description = table.description
    wanted.labels = {"product": "nba_pipeline", "stage": label_value(table.dataset)}
    wanted.time_partitioning = TimePartitioning(type_=TimePartitioningType.DAY, field=table.partition)
    wanted.clustering_fields = list(table.cluster) or None
    wanted.require_partition_filter = True
    return wanted


def journals(location: BigQueryLocation) -> tuple[StoredTable, StoredTable]:
    """Ledger and quarantine. Rows are only ever added, so that runs of different tables never stand in each other's way."""
    said = {
        LEDGER: "What became of each day of each table, run by run. One row per table, day and write.",
        QUARANTINE: "Rows that were rejected, with the reason. One row per rejected row and write.",
    }
    found = []
    for name, schema in ((LEDGER, ENTRY_SCHEMA), (QUARANTINE, REJECT_SCHEMA)):
        open_day = name == QUARANTINE
        columns = [
            SchemaField(f.name, _ARROW_TYPES[f.type], "NULLABLE" if open_day and f.name == "day" else "REQUIRED")
            for f in schema
        ]
        journal = StoredTable(location.table(name), schema=[*columns, *_write_columns()])
        journal.description = said[name]
        journal.labels = {"product": "nba_pipeline", "stage": "nba_ops"}
        journal.time_partitioning = TimePartitioning(type_=TimePartitioningType.MONTH, field="day")
        journal.clustering_fields = ["table_id"]
        found.append(journal)
    return found[0], found[1]


def _write_columns() -> list[SchemaField]:
    return [
        SchemaField(BATCH, "STRING", "REQUIRED", description="the write that added the row"),
        SchemaField(
            COMMITTED_AT, "TIMESTAMP", "REQUIRED", description="when that write happened (UTC, service's clock)"
        ),
    ]


def staging(location: BigQueryLocation, name: str, columns: Sequence[SchemaField], labels: JobLabels) -> StoredTable:
    """A table for rows on their way. It says which run it belongs to, and is gone after a day whatever happens."""
    wanted = StoredTable(f"{location.dataset(STAGING)}.{name}", schema=columns)
    wanted.labels = labels.as_dict(kind="staging")
    wanted.expires = datetime.now(UTC) + STAGING_LIFE
    return wanted


def record_fields() -> list[SchemaField]:
    return [SchemaField(f.name, _ARROW_TYPES[f.type]) for f in RECORD_SCHEMA]


def changed(stored: StoredTable, table: Table, wanted: StoredTable) -> StoredTable | None:
    """The stored table with what the contract gained: columns, empty cells, words; None when nothing differs.

    Raises WarehouseError for any other difference, with the statement that fixes it.
    """
    _require_same_partition(stored, table)
    present = {f.name: f for f in stored.schema}
    for name in present.keys() - table.columns.keys():
        raise WarehouseError(
            f"{table.id}.{name} is in the warehouse but not in the contract",
            f"ALTER TABLE `{stored.reference}` DROP COLUMN `{name}`, or add it to the contract",
        )
    columns = {f.name: f for f in wanted.schema}
    order = [*present, *(n for n in columns if n not in present)]
    merged = [_merged(table, stored, present.get(name), columns[name]) for name in order]
    if _facts(stored, stored.schema) == _facts(wanted, merged):
        return None
    stored.schema = merged
    stored.description, stored.labels = wanted.description, {**(stored.labels or {}), **wanted.labels}
    return stored


def _merged(table: Table, stored: StoredTable, old: SchemaField | None, column: SchemaField) -> SchemaField:
    """A column as it can be: required only where it always was, since older rows may not have it."""
    if old is not None and _kind(old) != _kind(column):
        raise WarehouseError(
            f"{table.id}.{column.name} is {_kind(old)} in the warehouse and {_kind(column)} in the contract",
            f"ALTER TABLE `{stored.reference}` ALTER COLUMN `{column.name}` SET DATA TYPE {_kind(column)} where BigQuery "
            f"allows it, else DROP TABLE `{stored.reference}` and backfill it",
        )
    loose = column.mode == "REQUIRED" and (old is None or old.mode != "REQUIRED")
    mode = "NULLABLE" if loose else column.mode
    return SchemaField(column.name, column.field_type, mode, description=column.description or "")


def _kind(f: SchemaField) -> str:
    name = _LEGACY_NAMES.get(f.field_type, f.field_type)
    name = _SQL_NAMES.get(name, name)
    return f"ARRAY<{name}>" if f.mode == "REPEATED" else name


def _facts(table: StoredTable, columns: Sequence[SchemaField]) -> tuple:
    return (table.description, [(f.name, _kind(f), f.mode, f.description) for f in columns])


def _require_same_partition(stored: StoredTable, table: Table) -> None:
    held = stored.time_partitioning.field if stored.time_partitioning else None
    if held != table.partition:
        raise WarehouseError(
            f"{table.id} is partitioned by {held} in the warehouse and by {table.partition} in the contract",
            f"DROP TABLE `{stored.reference}` and backfill it",
        )
