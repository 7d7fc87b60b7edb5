"""The warehouse that scales: BigQuery tables partitioned by day, replaced by one load and one transaction.

Rows travel through a staging table; one script then deletes the days, inserts the rows and adds to ledger and quarantine, so
that rows and ledger cannot disagree. Whatever the number of days, a replace sends at most three jobs: the load of the
rows, the load of ledger entries and rejects, and the script. Only the last one changes visible rows.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import ClassVar, TypeVar
from uuid import uuid4

import pyarrow as pa
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud.bigquery import ArrayQueryParameter, Dataset, SchemaField
from google.cloud.bigquery import Table as StoredTable

from nba_pipeline.common.errors import WarehouseError
from nba_pipeline.contracts.dialects import Dialect
from nba_pipeline.contracts.table import Table
from nba_pipeline.warehouse.bigquery import schema, sql
from nba_pipeline.warehouse.bigquery.client import PARALLEL_JOBS, Connection, JobLabels
from nba_pipeline.warehouse.bigquery.location import OPERATIONS, STAGING, BigQueryLocation
from nba_pipeline.warehouse.bigquery.shared_reads import SharedRead, share, window
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

logger = logging.getLogger(__name__)
Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class BigQueryWarehouse:
    """Stores the tables in the datasets of one project.

    Attributes:
        connection: Sends jobs and calls to the project.
        pushdown: Tables, by id or name, that are to be computed within BigQuery where their transform allows it, or `all`.
    """

    dialect: ClassVar[Dialect] = "bigquery"
    connection: Connection
    pushdown: frozenset[str] = frozenset()

    # --- reading --------------------------------------------------------------------------------------------------

    def snapshot(self) -> AbstractContextManager[None]:
        """Return a block in which nothing is held: each read is one state of the service, of its own moment."""
        return nullcontext()

    def read(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
        stored = {t.id: self.stored(t.id) for t, _ in wanted.values()}
        shared = share(wanted)
        as_of = self.moment() if len(shared) > 1 else None

        def rows(one: SharedRead) -> pa.Table:
            held, shape = stored[one.table.id], read_schema(one.table, one.days.columns)
            if held is None:
                return shape.empty_table()
            statement = sql.select(one.table, str(held.reference), column_names(held), one.days, as_of)
            return self.connection.arrow(f"reading {one.table.id}", statement, JobLabels(one.table.id), shape)

        found = zip(shared, _side_by_side(rows, shared), strict=True)
        read = {name: window(held, *wanted[name], one.days) for one, held in found for name in one.names}
        return {name: read[name] for name in wanted}

    def ledger(
        self, tables: Sequence[str] | None = None, start: date | None = None, end: date | None = None
    ) -> pa.Table:
        journal, _ = self._journals()
        if self.stored(schema.LEDGER) is None:
            return ENTRY_SCHEMA.empty_table()
        statement = sql.ledger(journal, by_table=tables is not None, start=start, end=end)
        return self.connection.arrow(
            "reading the ledger", statement, JobLabels("ledger"), ENTRY_SCHEMA, _tables(tables)
        )

    def quarantine(
        self,
        tables: Sequence[str] | None = None,
        start: date | None = None,
        end: date | None = None,
        *,
        dated: bool = False,
    ) -> pa.Table:
        if self.stored(schema.QUARANTINE) is None:
            return REJECT_SCHEMA.empty_table()
        by_table = tables is not None
        statement = sql.quarantine(self._journals(), by_table=by_table, start=start, end=end, dated=dated)
        labels = JobLabels("quarantine")
        return self.connection.arrow("reading the quarantine", statement, labels, REJECT_SCHEMA, _tables(tables))

    def contents(self, tables: Sequence[Table], start: date, end: date, *, hashes: bool) -> pa.Table:
        held = [(t, s) for t in tables if (s := self.stored(t.id)) is not None]
        if not held:
            return CONTENTS_SCHEMA.empty_table()

        def hashed(pair: tuple[Table, StoredTable]) -> pa.Table:
            table, s = pair
            statement = sql.content_hashes(table, str(s.reference), column_names(s), start, end)
            return self.connection.arrow(f"hashing {table.id}", statement, JobLabels(table.id), CONTENTS_SCHEMA)

        if hashes:
            return pa.concat_tables(_side_by_side(hashed, sorted(held, key=lambda pair: pair[0].id)))
        statement = sql.row_counts([(t, str(s.reference)) for t, s in held], start, end)
        return self.connection.arrow("counting rows", statement, JobLabels("contents"), CONTENTS_SCHEMA)

    def stored(self, table_id: str) -> StoredTable | None:
        """The table as it is now; None where it does not exist."""
        name = self.connection.location.table(table_id)
        return self._found(f"looking up {table_id}", self.connection.client.get_table, name)

    def moment(self) -> datetime:
        """Now, by the clock of the service: what several tables are read as of, so that they fit together."""
        found = self.connection.query("reading the clock", "SELECT CURRENT_TIMESTAMP() AS read_at", JobLabels("clock"))
        return next(iter(found))["read_at"]

    # --- writing --------------------------------------------------------------------------------------------------

    def replace(
        self,
        table: Table,
        days: Sequence[date],
        rows: pa.Table,
        entries: Sequence[LedgerEntry],
        rejects: pa.Table,
    ) -> None:
        require_only(table, days, rows)
        _require_filled(table, rows)
        labels = JobLabels(table.id, entries[0].run_id if entries else "")
        self.prepare(table)
        with self.staged(f"{table.name}_rows", rows, schema.fields(table, required=False), labels) as rows_at:
            self.publish_staged(table, days, rows_at, entries, rejects, labels)

    def publish_staged(
        self,
        table: Table,
        days: Sequence[date],
        rows_at: str | None,
        entries: Sequence[LedgerEntry],
        rejects: pa.Table,
        labels: JobLabels,
    ) -> None:
        """The transaction: staged rows become the only rows of the days, entries and rejects join the journals."""
        records = pa.concat_tables([entries_table(entries), rejects], promote_options="default")
        records = records.select(schema.RECORD_SCHEMA.names).cast(schema.RECORD_SCHEMA)
        if not days and not records.num_rows:
            return
        at = self.connection.location.table(table.id)
        ledger, quarantine = self._journals()
        journals = ledger, quarantine if rejects.num_rows else None
        with self.staged(f"{table.name}_records", records, schema.record_fields(), labels) as records_at:

            def script() -> str:
                return sql.publish(table, at, days, rows_at, records_at, journals, uuid4().hex)

            self.connection.query(f"publishing {table.id}", script, labels)

    def prepare(self, table: Table) -> None:
        """Create or extend the table, ledger and quarantine to match the contract; refuse other differences."""
        location = self.connection.location
        wanted, held = schema.definition(location, table), self.stored(table.id)
        if held is None:
            self._require_dataset(table.dataset)
            self._create(wanted)
        else:
            self._grow(table, held, wanted)
        for journal in schema.journals(location):
            if self.stored(f"{OPERATIONS}.{journal.table_id}") is None:
                self._require_dataset(OPERATIONS)
                self._create(journal)
        self._require_dataset(STAGING)

    def _grow(self, table: Table, held: StoredTable, wanted: StoredTable) -> None:
        """Add what the contract gained: columns by a statement, then modes and descriptions by the interface.

        An update names the version that it is based on, so the table is read again after a statement changed it, and
        where another run changed it in between.
        """
        what, update = f"changing {table.id}", self.connection.client.update_table
        new = [c for c in table.columns if c not in column_names(held)]
        grown = schema.changed(held, table, wanted)
        if new:
            self.connection.query(what, sql.add_columns(table, str(held.reference), new), JobLabels(table.id))
            grown = self._changed_now(table, wanted)
        for last_try in (False, False, True):
            if grown is None:
                return
            try:
                self.connection.call(what, update, grown, ["schema", "description", "labels"])
                return
            except WarehouseError as e:
                if last_try or not isinstance(e.__cause__, PreconditionFailed):
                    raise
            grown = self._changed_now(table, wanted)

    def _changed_now(self, table: Table, wanted: StoredTable) -> StoredTable | None:
        held = self.stored(table.id)
        if held is None:
            raise WarehouseError(f"{table.id} was dropped while it was changed", "run the same range again")
        return schema.changed(held, table, wanted)

    @contextmanager
    def staged(
        self, name: str, rows: pa.Table, columns: Sequence[SchemaField], labels: JobLabels
    ) -> Iterator[str | None]:
        """Rows in a staging table for as long as the block lasts; its full name, or None where there are no rows."""
        if not rows.num_rows:
            yield None
            return
        with self.staging_table(name, columns, labels) as new:
            what = f"loading {rows.num_rows} rows for {labels.table}"

            def once() -> StoredTable:
                at = new()
                self.connection.load(what, rows, at, labels)
                return at

            yield str(self.connection.persist(what, once).reference)

    @contextmanager
    def staging_table(
        self, name: str, columns: Sequence[SchemaField], labels: JobLabels
    ) -> Iterator[Callable[[], StoredTable]]:
        """A maker of empty staging tables, all of which are dropped when the block ends."""
        made: list[StoredTable] = []

        def new() -> StoredTable:
            at = schema.staging(self.connection.location, f"{name}_{uuid4().hex}", columns, labels)
            made.append(at)
            self._create(at)
            return at

        try:
            yield new
        finally:
            for at in made:
                self._drop(at)

    def _drop(self, at: StoredTable) -> None:
        """What cannot be dropped now expires within a day; it is no reason to call a published range failed."""
        try:
            self.connection.call("dropping staging", self.connection.client.delete_table, at, not_found_ok=True)
        except WarehouseError as e:
            logger.warning("%s stays behind until it expires within 24 hours: %s", at.table_id, e.what)

    def _create(self, wanted: StoredTable) -> None:
        what = f"creating {wanted.dataset_id}.{wanted.table_id}"
        self.connection.call(what, self.connection.client.create_table, wanted, exists_ok=True)

    def _require_dataset(self, name: str) -> None:
        client, at = self.connection.client, self.connection.location.dataset(name)
        if self._found(f"looking up {name}", client.get_dataset, at) is not None:
            return
        wanted = Dataset(at)
        if self.connection.location.region is not None:
            wanted.location = self.connection.location.region
        wanted.labels = {"product": "nba_pipeline"}
        if name == STAGING:
            wanted.default_table_expiration_ms = int(schema.STAGING_LIFE.total_seconds() * 1000)
        self.connection.call(f"creating {name}", client.create_dataset, wanted, exists_ok=True)

    def _found(self, what: str, look_up: Callable[..., Answer], name: str) -> Answer | None:
        try:
            return self.connection.call(what, look_up, name)
        except WarehouseError as e:
            if isinstance(e.__cause__, NotFound):
                return None
            raise

    def _journals(self) -> tuple[str, str]:
        location = self.connection.location
        return location.table(schema.LEDGER), location.table(schema.QUARANTINE)


@cache
def open_bigquery(location: BigQueryLocation, pushdown: frozenset[str] = frozenset()) -> BigQueryWarehouse:
    """Open the warehouse at a location; its client is shared within the process."""
    return BigQueryWarehouse(Connection(location), pushdown)


def column_names(stored: StoredTable) -> set[str]:
    return {f.name for f in stored.schema}


def _tables(tables: Sequence[str] | None) -> list[ArrayQueryParameter]:
    return [] if tables is None else [ArrayQueryParameter("tables", "STRING", list(tables))]


def _side_by_side(work: Callable[[Item], Answer], items: Sequence[Item]) -> list[Answer]:
    """The answers in order; so many jobs at once as one run may send."""
    with ThreadPoolExecutor(PARALLEL_JOBS) as pool:
        return list(pool.map(work, items))


def _require_filled(table: Table, rows: pa.Table) -> None:
    """Refuse what the columns could not hold before anything is sent."""
    for name, column in table.columns.items():
        empty = rows[name].null_count
        if empty and not column.nullable:
            raise WarehouseError(
                f"{table.id}.{name} is missing in {empty} rows", "fill it, or let the contract allow it"
            )
        if empty and column.type.is_array():
            raise WarehouseError(
                f"{table.id}.{name} is unknown in {empty} rows, and BigQuery knows no unknown lists",
                "make the build give a list, with NaN for what is unknown",
            )
