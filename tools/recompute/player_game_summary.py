"""nba_analytics.player_game_summary, computed a second time."""

import numpy as np
import pandas as pd

from tools.recompute import shot_zones
from tools.recompute.league import League, lookup

TABLE = "nba_analytics.player_game_summary"
LEFT_OUT = {
    "points_line": "consensus of quotes",
    "points_line_source": "consensus of quotes",
    "over_under_result": "consensus of quotes",
    "margin": "consensus of quotes",
}


def recompute(league: League) -> pd.DataFrame:
    """Compute the facts of the players of all days up to the last. One row per finished game and player."""
    rows = league.box_scores
    rows = rows.merge(shot_zones.of_players(rows, league.shots), on=["game_id", "player_id"], validate="1:1")
    sides = league.teams_of_games[["game_id", "team", "season", "season_type", "home_game", "margin"]]
    rows = rows.drop(columns=["season", "season_type"], errors="ignore").merge(
        sides, on=["game_id", "team"], validate="m:1"
    )
    lines = league.team_lines.assign(plays=plays(league.team_lines))[["game_id", "team", "minutes", "plays"]]
    rows = rows.merge(lines, on=["game_id", "team"], validate="m:1", suffixes=("", "_of_team"))
    attempts, shooting = rows.fg_attempts.astype(float), rows.fg_attempts + 0.44 * rows.ft_attempts
    usage = 100 * plays(rows) * (rows.minutes_of_team / 5) / (rows.minutes * rows.plays)
    return rows.assign(
        player_lookup=rows.player_name.map(lookup),
        minutes_played=rows.minutes,
        starter_flag=rows.starter,
        win_flag=rows.margin > 0,
        usage_rate=usage.where(rows.minutes >= 1),
        ts_pct=rows.points / (2 * shooting).replace(0, np.nan),
        efg_pct=(rows.fg_makes + 0.5 * rows.three_pt_makes) / attempts.replace(0, np.nan),
    )


def plays(rows: pd.DataFrame) -> pd.Series:
    """FGA + 0.44·FTA + TOV: the plays that ended with the player or the team."""
    return rows.fg_attempts + 0.44 * rows.ft_attempts + rows.turnovers
