"""The prediction systems.

To add a rule, write a module with a class that keeps `protocol.System` and list it in `RULES`; a trained system keeps
`learned.Learner` and stands in `LEARNERS`. Members of the ensemble are listed in `ensemble_v1.MEMBERS`.
"""

from nba_pipeline.systems import ensemble_v1, line_aware_v1
from nba_pipeline.systems.baselines import EWMA, LAST_5, LAST_10, SEASON_AVERAGE
from nba_pipeline.systems.learned import Learner
from nba_pipeline.systems.moving_average import MovingAverage
from nba_pipeline.systems.protocol import Forecast, System
from nba_pipeline.systems.ridge_v1 import RidgeV1
from nba_pipeline.systems.similarity_balanced_v1 import SimilarityBalanced
from nba_pipeline.systems.xgboost_v1 import XGBoostV1
from nba_pipeline.systems.zone_matchup_v1 import ZoneMatchup

BASELINES: tuple[System, ...] = (LAST_5, LAST_10, SEASON_AVERAGE, EWMA)
RULES: tuple[System, ...] = (MovingAverage(), ZoneMatchup(), SimilarityBalanced(), *BASELINES)
LEARNERS: tuple[Learner, ...] = (XGBoostV1(), RidgeV1())

VERSIONS = {
    **{s.system_id: s.version for s in (*RULES, *LEARNERS)},
    ensemble_v1.SYSTEM_ID: ensemble_v1.VERSION,
    line_aware_v1.SYSTEM_ID: line_aware_v1.VERSION,
}
SYSTEM_IDS = tuple(VERSIONS)
BASELINE_IDS = tuple(s.system_id for s in BASELINES)
LINE_SYSTEM_IDS = (line_aware_v1.SYSTEM_ID,)

__all__ = [
    "BASELINES",
    "BASELINE_IDS",
    "LEARNERS",
    "LINE_SYSTEM_IDS",
    "RULES",
    "SYSTEM_IDS",
    "VERSIONS",
    "Forecast",
    "Learner",
    "System",
]
