"""Tags and step keys of runs that several modules read."""

PARTITION = "dagster/partition"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
TITLE, BACKFILL, TOTAL = "nba_pipeline/backfill", "nba_pipeline/backfill_id", "nba_pipeline/table_days"
BY = "nba_pipeline/automation"


def step_key(table: str) -> str:
    """Name the step of a run that publishes a table, such as `nba_raw__schedule`."""
    return table.replace(".", "__")
