"""nba_analytics.player_game_summary, computed a second time."""

from functools import lru_cache

import numpy as np
import pandas as pd

from tools.recompute import quotes, shot_zones
from tools.recompute.league import League, lookup

TABLE = "nba_analytics.player_game_summary"
LEFT_OUT: dict[str, str] = {}


@lru_cache(maxsize=1)
def facts(league: League) -> pd.DataFrame:
    """Compute the facts of the players of all days up to the last, without lines. One row per finished game and player."""
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


def recompute(league: League) -> pd.DataFrame:
    """Compute facts and closing lines of the players of the days. One row per finished game and player."""
    rows = league.within(facts(league)).merge(league.games[["game_id", "cutoff_at"]], on="game_id")
    points = league.home(quotes.QUOTES)
    lines = quotes.consensus(quotes.in_force(points[points.market == "points"], rows))
    names = {"line": "points_line", "line_source": "points_line_source"}
    rows = pd.concat([rows, quotes.of_market(lines, rows, "points", names)], axis=1)
    margin = rows.points - rows.points_line
    result = np.select([margin > 0, margin < 0, margin == 0], ["OVER", "UNDER", "PUSH"], "")
    return rows.assign(margin=margin, over_under_result=pd.Series(result, rows.index, dtype="object").replace("", None))


def plays(rows: pd.DataFrame) -> pd.Series:
    """FGA + 0.44·FTA + TOV: the plays that ended with the player or the team."""
    return rows.fg_attempts + 0.44 * rows.ft_attempts + rows.turnovers
