"""The statement of the feature store is compiled once, before the first test, and is no test's own time."""

import pytest

from nba_pipeline.tables.predictions.ml_feature_store_v2 import TRANSFORM
from nba_pipeline_tests import support


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    support.run(TRANSFORM, [])
