"""nba_analytics.team_offense_game_summary, computed a second time."""

from functools import lru_cache

import pandas as pd

from tools.recompute import shot_zones
from tools.recompute.league import League

TABLE = "nba_analytics.team_offense_game_summary"
LEFT_OUT: dict[str, str] = {}


@lru_cache(maxsize=1)
def recompute(league: League) -> pd.DataFrame:
    """Compute the offence of all teams up to the last day. One row per finished game and team."""
    lines = league.team_lines
    zones = shot_zones.of_teams(lines, league.box_scores, league.shots)
    lines = lines.merge(zones, on=["game_id", "team"], validate="1:1").drop(
        columns=["season", "season_type"], errors="ignore"
    )
    sides = league.teams_of_games[["game_id", "team", "season", "season_type", "home_game", "margin"]]
    rows = lines.merge(sides, on=["game_id", "team"], validate="1:1")
    shooting = rows.fg_attempts + 0.44 * rows.ft_attempts
    possessions = shooting - rows.offensive_rebounds + rows.turnovers
    return rows.assign(
        possessions=possessions,
        offensive_rating=100 * rows.points / possessions,
        pace=possessions * 48 / (rows.minutes / 5),
        ts_pct=rows.points / (2 * shooting),
        win_flag=rows.margin > 0,
        margin_of_victory=rows.margin,
    )
