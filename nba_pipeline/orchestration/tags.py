"""Tags of runs that several modules read: which days, for which backfill, and who asked."""

PARTITION = "dagster/partition"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
TITLE, BACKFILL, TOTAL = "nba_pipeline/backfill", "nba_pipeline/backfill_id", "nba_pipeline/table_days"
BY = "nba_pipeline/automation"
