"""The tables of the staging dataset: whose they are, how old, and how to drop one. Nothing outside that dataset is touched."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.api_core.exceptions import NotFound
from google.cloud.bigquery import Table as StoredTable

from nba_pipeline.common.errors import WarehouseError
from nba_pipeline.warehouse.bigquery.client import Connection
from nba_pipeline.warehouse.bigquery.location import STAGING


@dataclass(frozen=True)
class StagingTable:
    """A table of the staging dataset. `run` and `table` are what its labels say; empty for a table that is not ours."""

    name: str
    run: str
    table: str
    created: datetime
    rows: int

    @property
    def is_ours(self) -> bool:
        """Made by this product, by its labels; a name proves nothing."""
        return bool(self.run and self.table)

    def age(self, now: datetime) -> timedelta:
        return now - self.created


def staging_tables(connection: Connection) -> list[StagingTable]:
    """All tables of the staging dataset, oldest first; none where the dataset does not exist."""
    return sorted((_described(t) for t in _held(connection)), key=lambda t: (t.created, t.name))


def _held(connection: Connection) -> Iterator[StoredTable]:
    client, what = connection.client, "listing staging tables"
    try:
        listed = list(connection.call(what, client.list_tables, connection.location.dataset(STAGING)))
    except WarehouseError as e:
        if isinstance(e.__cause__, NotFound):
            return
        raise
    for item in listed:
        try:
            yield connection.call(what, client.get_table, item.reference)
        except WarehouseError as e:
            if not isinstance(e.__cause__, NotFound):
                raise  # dropped by its own run in the meantime is no error


def _described(table: StoredTable) -> StagingTable:
    labels = table.labels or {}
    ours = labels.get("product") == "nba_pipeline" and labels.get("kind") == "staging"
    return StagingTable(
        name=table.table_id,
        run=labels.get("run", "") if ours else "",
        table=labels.get("table", "") if ours else "",
        created=table.created or datetime.now(UTC),
        rows=table.num_rows or 0,
    )


def drop(connection: Connection, table: StagingTable) -> None:
    """Drop one of our staging tables; it can only ever be one of the staging dataset."""
    if not table.is_ours or not table.name.replace("_", "").isalnum():
        raise WarehouseError(
            f"{table.name} in the staging dataset was not made by this product", "whoever made it may drop it"
        )
    name = f"{connection.location.dataset(STAGING)}.{table.name}"
    connection.call(f"dropping {table.name}", connection.client.delete_table, name, not_found_ok=True)
