"""Reading published rows for a command."""

from collections.abc import Sequence
from datetime import date

import pyarrow as pa

from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import first_day, latest_day
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.warehouse import Days, Warehouse


def last_run(warehouse: Warehouse) -> date | None:
    """Return the last day with an entry in the ledger; None where nothing was ever run."""
    return max(warehouse.ledger()["day"].unique().to_pylist(), default=None)


def read_table(settings: Settings, table_id: str, columns: Sequence[str]) -> pa.Table:
    """Read the columns of all published days of a table."""
    days = Days(first_day(), latest_day(), tuple(columns))
    return settings.open_warehouse().read({"rows": (CATALOG[table_id].table, days)})["rows"]
