"""nba_analytics.team_defense_game_summary, computed a second time: a team's own plays beside its opponent's offence."""

from functools import lru_cache

import pandas as pd

from tools.recompute import team_offense_game_summary
from tools.recompute.league import League
from tools.recompute.shot_zones import ZONE_COLUMNS

TABLE = "nba_analytics.team_defense_game_summary"
LEFT_OUT: dict[str, str] = {}

# The opponent's columns by the name that they have here.
OF_OPPONENT = {
    "points_allowed": "points",
    "turnovers_forced": "turnovers",
    "defensive_rating": "offensive_rating",
    "opponent_pace": "pace",
    "opponent_ts_pct": "ts_pct",
    **{f"opp_{zone}": zone for zone in ZONE_COLUMNS},
    **{
        f"opp_{name}": name
        for name in (
            "fg_makes",
            "fg_attempts",
            "three_pt_makes",
            "three_pt_attempts",
            "ft_makes",
            "ft_attempts",
            "rebounds",
            "assists",
        )
    },
}
OWN = ("steals", "blocks", "defensive_rebounds", "overtime_periods", "win_flag", "margin_of_victory")


@lru_cache(maxsize=1)
def recompute(league: League) -> pd.DataFrame:
    """Compute the defence of all teams up to the last day. One row per finished game and defending team."""
    offense = team_offense_game_summary.recompute(league)
    own = offense[
        ["game_id", "game_date", "team", "opponent", "season", "season_type", "home_game", "personal_fouls", *OWN]
    ]
    own = own.rename(columns={"team": "defending_team", "personal_fouls": "fouls_committed"})
    other = offense[["game_id", "team", *OF_OPPONENT.values(), "possessions", "minutes"]].rename(
        columns={source: name for name, source in OF_OPPONENT.items()} | {"team": "opponent"}
    )
    rows = own.merge(other, on=["game_id", "opponent"], validate="1:1")
    return rows.assign(
        points_in_paint_allowed=2 * rows.opp_paint_makes,
        mid_range_points_allowed=2 * rows.opp_mid_range_makes,
        three_pt_points_allowed=3 * rows.opp_three_pt_makes,
    )
