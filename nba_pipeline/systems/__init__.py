"""The prediction systems. To add one: write a module with a class that keeps `protocol.System` and list it here."""

from nba_pipeline.systems.baselines import EWMA, LAST_5, LAST_10, SEASON_AVERAGE
from nba_pipeline.systems.moving_average import MovingAverage
from nba_pipeline.systems.protocol import Forecast, System
from nba_pipeline.systems.similarity_balanced_v1 import SimilarityBalanced
from nba_pipeline.systems.zone_matchup_v1 import ZoneMatchup

BASELINES: tuple[System, ...] = (LAST_5, LAST_10, SEASON_AVERAGE, EWMA)
SYSTEMS: tuple[System, ...] = (MovingAverage(), ZoneMatchup(), SimilarityBalanced(), *BASELINES)
SYSTEM_IDS = tuple(s.system_id for s in SYSTEMS)

__all__ = ["BASELINES", "SYSTEMS", "SYSTEM_IDS", "Forecast", "System"]
