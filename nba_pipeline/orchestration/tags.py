"""Tags and step keys of runs that several modules read."""

from collections.abc import Mapping
from datetime import date

PARTITION = "dagster/partition"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
TITLE, BACKFILL, TOTAL = "nba_pipeline/backfill", "nba_pipeline/backfill_id", "nba_pipeline/table_days"
BY = "nba_pipeline/automation"


def step_key(table: str) -> str:
    """Name the step of a run that publishes a table, such as `nba_raw__schedule`."""
    return table.replace(".", "__")


def table_of(step: str) -> str:
    """Return the table that a step of a run publishes."""
    return step.replace("__", ".", 1)


def days_of_run(tags: Mapping[str, str]) -> tuple[date, date] | None:
    """Return the first and last day of a run from its tags; None for a run without days."""
    first = tags.get(RANGE_START) or tags.get(PARTITION)
    last = tags.get(RANGE_END) or tags.get(PARTITION)
    return (date.fromisoformat(first), date.fromisoformat(last)) if first and last else None
