"""The asset key of a table."""

import dagster as dg

from nba_pipeline.contracts.table import Table


def asset_key(table: Table) -> dg.AssetKey:
    """Return the asset key of a table: dataset and name."""
    return dg.AssetKey([table.dataset, table.name])
