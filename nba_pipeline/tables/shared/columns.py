"""Columns that most tables declare alike."""

from typing import Any

from nba_pipeline.contracts.table import column
from nba_pipeline.domain.calendar import GAME_ID as GAME_ID_PATTERN
from nba_pipeline.domain.calendar import SEASON_TYPES
from nba_pipeline.domain.player_names import LOOKUP_SQL_PATTERN

GAME_DATE: Any = column("US-Eastern calendar date of the game")
GAME_ID: Any = column("NBA game id", str_matches=GAME_ID_PATTERN)
SEASON: Any = column("season label", str_matches=r"^20[0-9]{2}-[0-9]{2}$")
SEASON_TYPE: Any = column("kind of game", isin=list(SEASON_TYPES.values()))
PLAYER_ID: Any = column("NBA person id", gt=0)
PLAYER_LOOKUP: Any = column("normalised name", str_matches=LOOKUP_SQL_PATTERN)
