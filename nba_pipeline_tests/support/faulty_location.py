"""The code location of the product, but ml_feature_store_v2 leaves a hash field empty on the days that a file lists.

A run loads its code location anew, so that editing the file plants and removes the fault.
"""

import os
from datetime import date
from pathlib import Path

import dagster as dg

from nba_pipeline.automation.alert_checks import evaluate_watch_checks
from nba_pipeline.definitions import ASSETS, SETTINGS
from nba_pipeline.orchestration import jobs
from nba_pipeline.orchestration.assets import Pipeline, table_asset
from nba_pipeline.orchestration.executor import refusal_tolerant_executor
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.tables.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline_tests.support.faults import FAULT_FILE, empty_flag


def _faulty_days() -> list[date]:
    return [date.fromisoformat(d) for d in Path(os.environ[FAULT_FILE]).read_text().split()]


_faulty = table_asset(empty_flag(*_faulty_days()), SETTINGS)

defs = dg.Definitions(
    assets=[_faulty if a.key == asset_key(ML_FEATURE_STORE) else a for a in ASSETS],
    asset_checks=[evaluate_watch_checks],  # the job names them, to leave them out
    jobs=[jobs.whole_graph],
    resources={"pipeline": Pipeline()},
    executor=refusal_tolerant_executor,
)
