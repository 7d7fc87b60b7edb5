"""The daily partitions of every asset."""

import dagster as dg

from nba_pipeline.common.timezone import ZONE
from nba_pipeline.domain.calendar import EPOCH

DAILY = dg.DailyPartitionsDefinition(start_date=EPOCH.isoformat(), timezone=ZONE, end_offset=1)
