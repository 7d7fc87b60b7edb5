"""The prediction systems. To add one: write a module with a class that keeps `protocol.System` and list it here."""

from nba_pipeline.systems.baselines import EWMA, LAST_5, LAST_10, SEASON_AVERAGE
from nba_pipeline.systems.moving_average import MovingAverage
from nba_pipeline.systems.protocol import Forecast, System

BASELINES: tuple[System, ...] = (LAST_5, LAST_10, SEASON_AVERAGE, EWMA)
SYSTEMS: tuple[System, ...] = (MovingAverage(), *BASELINES)
SYSTEM_IDS = tuple(s.system_id for s in SYSTEMS)

__all__ = ["BASELINES", "SYSTEMS", "SYSTEM_IDS", "Forecast", "System"]
