"""Alerts about features whose recent values are unlike those that the models in force were trained on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from nba_pipeline.automation.alert_store import Alert, AlertKind
from nba_pipeline.automation.selections import FEATURES
from nba_pipeline.domain.calendar import first_day
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.predictions.promotion import TRAINING_DAYS
from nba_pipeline.tables.predictions.versions import MODEL_FEATURES
from nba_pipeline.warehouse import Days, Warehouse

if TYPE_CHECKING:  # takes most of a second to load, and definitions judge nothing
    from nba_pipeline.evaluation.feature_drift import FeatureDrift


def published_drift(warehouse: Warehouse, last: date) -> list[FeatureDrift]:
    """Compare the published features of the 30 days up to a day with those of the training days.

    Args:
        warehouse: The warehouse with the feature store.
        last: The last of the 30 days.
    """
    from nba_pipeline.evaluation.feature_drift import READ, days_of, feature_drift  # deferred, as above

    first, _ = days_of(last, TRAINING_DAYS)
    days = Days(max(first, first_day()), last, (*READ, *MODEL_FEATURES.names))
    rows = warehouse.read({"features": (CATALOG[FEATURES].table, days)})["features"]
    mine = rows.filter(pc.field("feature_version") == MODEL_FEATURES.name)
    return feature_drift(mine.to_pandas(), MODEL_FEATURES.names, last, TRAINING_DAYS)


def feature_alerts(features: Iterable[FeatureDrift]) -> list[Alert]:
    """List the features that drift, an alert each."""
    fix = "Fix: look whether the source of the feature still delivers (`nba-pipeline check`), see `nba-pipeline drift`"
    return [
        Alert(AlertKind.FEATURE, f"feature {f.feature}", f"the feature {f.feature} drifts: {f}. {fix}")
        for f in features
        if f.drifts
    ]
