"""nba_precompute.player_daily_cache, computed a second time for the players that the home lists."""

import pandas as pd

from tools.recompute import player_game_summary, team_offense_game_summary
from tools.recompute.history import before, last_games
from tools.recompute.league import League

TABLE = "nba_precompute.player_daily_cache"
LEFT_OUT = {"insufficient_data_reason": "wording"}
CONTEXT, ZONES = "nba_analytics.upcoming_player_game_context", "nba_precompute.player_shot_zone_analysis"
PLAYER, TEAM = ["player_id", "season"], ["team", "season"]
COPIED = (
    "games_in_last_7_days",
    "games_in_last_14_days",
    "minutes_in_last_7_days",
    "minutes_in_last_14_days",
    "avg_minutes_per_game_last_7",
    "back_to_backs_last_14_days",
    "player_age",
    "early_season_flag",
)
FEWEST = 5


def recompute(league: League) -> pd.DataFrame:
    """Compute the form of every listed player before the day. One row per day and listed player."""
    rows = league.home(CONTEXT)[["game_date", "player_id", "player_name", "player_lookup", "team", "season", *COPIED]]
    rows = rows.rename(columns={"game_date": "cache_date"})
    zones = league.home(ZONES).rename(columns={"analysis_date": "cache_date"})
    copied = ["primary_scoring_zone", "paint_rate_last_10", "three_pt_rate_last_10"]
    rows = rows.merge(zones[["cache_date", "player_id", *copied]], on=["cache_date", "player_id"], how="left")
    return pd.concat([rows, form(rows, games_played(league)), team_form(rows, league)], axis=1)


def games_played(league: League) -> pd.DataFrame:
    """Return the facts with what windows sum."""
    facts = player_game_summary.facts(league)
    return facts.assign(
        squares=facts.points.astype(float) ** 2,
        usage_minutes=facts.usage_rate.round(4) * facts.minutes_played,
        minutes_of_usage=facts.minutes_played.where(facts.usage_rate.notna()),
        usage_known=facts.usage_rate.notna(),
        shooting=facts.fg_attempts + 0.44 * facts.ft_attempts,
    )


def form(rows: pd.DataFrame, games: pd.DataFrame) -> pd.DataFrame:
    """Compute the player's own columns over the last 5 and 10 games and the season, in the order of `rows`."""
    summed = ["points", "squares", "minutes_played", "usage_minutes", "minutes_of_usage", "usage_known", "shooting"]
    five, ten, season = (
        before(rows, "cache_date", last_games(games, PLAYER, summed, n), PLAYER) for n in (5, 10, len(games))
    )
    enough = ten.games >= FEWEST
    variance = (ten.squares - ten.points**2 / ten.games) / (ten.games - 1)
    return pd.DataFrame(
        {
            "games_played_season": season.games.fillna(0),
            "points_avg_last_5": (five.points / 5).where(five.games == 5),
            "points_avg_last_10": (ten.points / 10).where(ten.games == 10),
            "points_avg_season": season.points / season.games,
            "points_std_last_10": variance.clip(lower=0).pow(0.5).where(enough),
            "minutes_avg_last_10": (ten.minutes_played / ten.games).where(enough),
            "minutes_avg_season": season.minutes_played / season.games,
            "usage_rate_last_10": (ten.usage_minutes / ten.minutes_of_usage).where(ten.usage_known >= FEWEST),
            "player_usage_rate_season": season.usage_minutes / season.minutes_of_usage,
            "ts_pct_last_10": (ten.points / (2 * ten.shooting)).where(enough & (ten.shooting > 0)),
        }
    )


def team_form(rows: pd.DataFrame, league: League) -> pd.DataFrame:
    """Compute pace and offensive rating of the team's last 10 games, in the order of `rows`."""
    games = team_offense_game_summary.recompute(league)
    ten = before(rows, "cache_date", last_games(games, TEAM, ["possessions", "minutes", "points"], 10), TEAM)
    enough = ten.games >= FEWEST
    return pd.DataFrame(
        {
            "team_pace_last_10": (48 * ten.possessions / (ten.minutes / 5)).where(enough),
            "team_off_rating_last_10": (100 * ten.points / ten.possessions).where(enough),
        }
    )
