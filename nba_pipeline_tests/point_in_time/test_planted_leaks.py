"""Every kind of leak, planted in every pre-game table in which it can be made, is caught; what came late leaks nowhere else."""

from datetime import date

import pytest

from nba_pipeline.verification.replay import pre_game_tables
from nba_pipeline_tests.support.homes import Home
from tools.reliability.leaks import MATRIX, MODELS, PRICES, Stand

pytestmark = pytest.mark.integration
DAY = date(2021, 10, 28)
TRAINING_DAY = date(2021, 11, 1)
FEATURES = "nba_predictions.ml_feature_store_v2"

# Prices need forecasts, which two weeks of a season do not have, and the features take long to compile: the harness tries
# the rest on real data.
TRIED = [
    (k, t) for k, t in MATRIX if t != PRICES and (t != FEATURES or k in ("<= for <", "the day's result joined in"))
]
# One table per kind, of those whose variants compile fastest.
SMALL = ("nba_precompute.player_shot_zone_analysis", "nba_precompute.team_defense_zone_analysis")
TWINS = {k: t for k, t in reversed(TRIED) if t not in (FEATURES, MODELS)} | {k: t for k, t in TRIED if t in SMALL}


@pytest.fixture(scope="module")
def stand(finished_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Stand:
    return Stand(finished_home.settings, DAY, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def training(finished_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Stand:
    return Stand(finished_home.settings, TRAINING_DAY, tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize(
    ("kind", "table"),
    [pytest.param(k, t, marks=[pytest.mark.guard] if TWINS.get(k) == t else []) for k, t in TRIED],
)
def test_a_planted_leak_is_caught(stand: Stand, training: Stand, kind: str, table: str) -> None:
    assert (training if table == MODELS else stand).verdict(kind, table)


@pytest.mark.parametrize("table", pre_game_tables())
def test_an_honest_table_is_not_changed_by_what_came_late(stand: Stand, table: str) -> None:
    assert stand.verdict(None, table) == ""
