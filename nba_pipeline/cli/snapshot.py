"""The command `snapshot`."""

import click

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.config.settings import Settings
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline.warehouse.snapshot import take_snapshot


def run_snapshot() -> None:
    """Replace the read copy and print where it is. Raises ConfigurationError on BigQuery."""
    settings = Settings.from_environment()
    warehouse = settings.open_warehouse()
    if not isinstance(warehouse, DuckDBWarehouse):
        raise ConfigurationError(
            f"the warehouse is {settings.warehouse_name}, which needs no read copy",
            "query it: readers never block there",
        )
    copy = take_snapshot(warehouse, settings.read_copy)
    click.echo(f"{copy.path} ({copy.bytes / 1e6:,.1f} MB)")
