"""Faults that a programmer could make in ml_feature_store_v2, planted around its real build."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache, wraps

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.predictions import ml_feature_store_v2 as features

TABLE = "nba_predictions.ml_feature_store_v2"
FIELDS = ("early_season_flag", "insufficient_data_reason")
FAULT_FILE = "NBA_PIPELINE_TESTS_FAULT_FILE"
TRANSFORM = CATALOG[TABLE]


def without_fields() -> Transform:
    """The build forgets two hash fields."""
    return _rebuilt(lambda rows: rows.drop(*FIELDS))


@cache
def empty_flag(*days: date) -> Transform:
    """The build leaves early_season_flag empty on these days; without days it is the real one."""
    if not days:
        return TRANSFORM
    return _rebuilt(
        lambda rows: rows.mutate(
            early_season_flag=rows.game_date.isin(days).ifelse(ibis.null("boolean"), rows.early_season_flag)
        )
    )


def _rebuilt(change: Callable[[ir.Table], ir.Table]) -> Transform:
    @wraps(features.build)
    def build(**inputs: ir.Table) -> ir.Table:
        return change(features.build(**inputs))

    # The freeze of published feature versions would refuse the build before it runs.
    return replace(TRANSFORM, build=build, definition_check=None)
