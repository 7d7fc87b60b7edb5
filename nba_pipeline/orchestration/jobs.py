"""The jobs that people and automation launch. Each takes any range of days in one run."""

from functools import partial

import dagster as dg

from nba_pipeline.orchestration.executor import refusal_tolerant_executor
from nba_pipeline.orchestration.watch_checks import all_but_watch_checks

WHOLE_GRAPH, OVERNIGHT, MORNING = "whole_graph", "overnight_results", "morning_slate_tables"
REFRESH, TRAINING = "line_refresh_tables", "monthly_training_models"

_job = partial(dg.define_asset_job, selection=all_but_watch_checks(), executor_def=refusal_tolerant_executor)

whole_graph = _job(WHOLE_GRAPH, description="Every table for any range of days, from raw data to graded forecasts.")
JOBS = [
    whole_graph,
    _job(OVERNIGHT, description="Yesterday: results, facts and grades; forecasts are not changed."),
    _job(MORNING, description="Today: schedule, injuries, lines, context, features, forecasts, prices."),
    _job(REFRESH, description="Today before tip-off: lines, injuries, forecasts of the games to come."),
    _job(TRAINING, description="The models of the month, trained on earlier days."),
]
