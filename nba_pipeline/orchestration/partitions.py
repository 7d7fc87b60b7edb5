"""The daily partitions of every asset."""

from datetime import date, timedelta
from functools import cache

import dagster as dg

from nba_pipeline.common.timezone import ZONE


@cache
def daily_partitions(first: date, last: date | None) -> dg.DailyPartitionsDefinition:
    """Return the partitions of all assets.

    Args:
        first: The first day.
        last: The last day; None for today.
    """
    if last is None:
        return dg.DailyPartitionsDefinition(start_date=first.isoformat(), timezone=ZONE, end_offset=1)
    end = (last + timedelta(days=1)).isoformat()
    return dg.DailyPartitionsDefinition(start_date=first.isoformat(), end_date=end, timezone=ZONE)
