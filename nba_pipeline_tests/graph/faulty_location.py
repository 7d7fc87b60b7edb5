"""The code location of the product, but ml_feature_store_v2 leaves a hash field empty on the days that a file lists.

A run loads its code location anew, so that editing the file plants and removes the fault.
"""

import os
from datetime import date
from pathlib import Path

import dagster as dg

from nba_pipeline.automation import jobs
from nba_pipeline.definitions import ASSETS
from nba_pipeline.predictions import ml_feature_store_v2 as features
from nba_pipeline.table_asset import Pipeline, table_asset
from nba_pipeline_tests.graph.faults import FAULT_FILE, empty_flag


def _faulty_days() -> list[date]:
    return [date.fromisoformat(d) for d in Path(os.environ[FAULT_FILE]).read_text().split()]


_faulty = table_asset(empty_flag(_faulty_days()))

defs = dg.Definitions(
    assets=[_faulty if a is features.ml_feature_store_v2 else a for a in ASSETS],
    jobs=[jobs.whole_graph],
    resources={"pipeline": Pipeline()},
    executor=dg.in_process_executor,
)
