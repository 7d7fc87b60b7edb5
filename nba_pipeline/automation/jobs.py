"""The job over the whole graph, and the two daily schedules. Both are off until switched on in the UI."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from nba_pipeline.seasons import ZONE

WHOLE_GRAPH = "whole_graph"

whole_graph = dg.define_asset_job(
    WHOLE_GRAPH,
    selection=dg.AssetSelection.all(),
    description="Every table for any range of days, from raw data to graded forecasts.",
    executor_def=dg.in_process_executor,
)


def _range_run(context: dg.ScheduleEvaluationContext, days_ago: int) -> dg.RunRequest:
    local = context.scheduled_execution_time.astimezone(ZoneInfo(ZONE))
    day = (local.date() - timedelta(days=days_ago)).isoformat()
    return dg.RunRequest(run_key=f"{context.scheduled_execution_time.isoformat()}:{day}", partition_key=day)


@dg.schedule(job=whole_graph, cron_schedule="30 6 * * *", execution_timezone=ZONE)
def overnight(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Yesterday's results become facts and grades."""
    return _range_run(context, 1)


@dg.schedule(job=whole_graph, cron_schedule="30 10 * * *", execution_timezone=ZONE)
def morning_slate(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Today's slate: context, features and forecasts from what is known by now."""
    return _range_run(context, 0)


SCHEDULES = [overnight, morning_slate]
