"""nba_precompute.team_defense_zone_analysis, computed a second time."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tools.recompute import team_defense_game_summary
from tools.recompute.history import before, in_last_days, last_games
from tools.recompute.league import League

TABLE = "nba_precompute.team_defense_zone_analysis"
LEFT_OUT = {"insufficient_data_reason": "wording"}
TEAM, SEASON = ["team", "season"], ["season"]
SAMPLE, FEWEST = 15, 5
WORTH: Mapping[str, int] = {"paint": 2, "mid_range": 2, "three_pt": 3}
ZONE_NAMES: Mapping[str, str] = {"paint": "paint", "mid_range": "mid_range", "three_pt": "perimeter"}
THREES = ("corner_three", "above_break_three")
SHOTS = [f"opp_{zone}_{what}" for zone in (*WORTH, *THREES) for what in ("attempts", "makes")]


def recompute(league: League) -> pd.DataFrame:
    """Compute the defence by zone of every team that has played, on all days with games. One row per day and team."""
    games = _games(league)
    rows = _teams_of_days(league, games)
    sample = before(
        rows, "analysis_date", last_games(games, TEAM, [*SHOTS, "logged", "logged_shots", *SUMMED], SAMPLE), TEAM
    )
    lately = in_last_days(rows, "analysis_date", _once_a_day(games), SEASON, SHOTS, 30)
    columns = {"games_in_sample": sample.games, "games_with_shot_data": sample.logged}
    for zone in WORTH:
        columns |= _zone(zone, sample, lately)
    for zone in THREES:
        attempts, makes = sample[f"opp_{zone}_attempts"], sample[f"opp_{zone}_makes"]
        enough = sample.logged >= FEWEST
        columns[f"{zone}_pct_allowed_last_15"] = (makes / attempts.replace(0, np.nan)).where(enough)
        columns[f"{zone}_share_allowed_last_15"] = (attempts / sample.logged_shots.replace(0, np.nan)).where(enough)
    enough = sample.games >= FEWEST
    columns["defensive_rating_last_15"] = (100 * sample.points_allowed / sample.possessions).where(enough)
    columns["opponent_points_per_game"] = (sample.points_allowed / sample.games).where(enough)
    columns["opponent_pace"] = (48 * sample.possessions / (sample.minutes / 5)).where(enough)
    return pd.concat([rows, pd.DataFrame(columns), _extremes(pd.DataFrame(columns))], axis=1)


SUMMED = ("points_allowed", "possessions", "minutes")


def _games(league: League) -> pd.DataFrame:
    """Return the defences; shots of games without a log are unknown, but threes are known from the box score."""
    games = team_defense_game_summary.recompute(league).rename(columns={"defending_team": "team"})
    logged = games.opp_paint_attempts.notna()
    return games.assign(logged=logged.astype(float), logged_shots=games.opp_fg_attempts.where(logged))


def _once_a_day(games: pd.DataFrame) -> pd.DataFrame:
    return games.groupby(["season", "game_date"], as_index=False)[SHOTS].sum()


def _teams_of_days(league: League, games: pd.DataFrame) -> pd.DataFrame:
    """Return every day with countable games, with each team that has a finished game of the season before it."""
    days = league.within(league.games)[["game_date", "season"]].drop_duplicates()
    days = days.rename(columns={"game_date": "analysis_date"})
    starts = games.groupby(TEAM, as_index=False).agg(_first=("game_date", "min"))
    openings = league.openings
    rows = days.merge(starts, on="season")
    rows = rows[rows._first < rows.analysis_date].reset_index(drop=True)
    early = pd.to_datetime(rows.analysis_date) < rows.season.map(openings) + pd.Timedelta(days=14)
    return rows.drop(columns="_first").assign(early_season_flag=early)


def _zone(zone: str, sample: pd.DataFrame, lately: pd.DataFrame) -> dict[str, pd.Series]:
    """Compute the columns of a zone; threes stand on all games, the others on games with shot data."""
    count = sample.games if zone == "three_pt" else sample.logged
    attempts, makes = sample[f"opp_{zone}_attempts"], sample[f"opp_{zone}_makes"]
    enough = count >= FEWEST
    allowed = (makes / attempts.replace(0, np.nan)).where(enough)
    of_league = lately[f"opp_{zone}_makes"] / lately[f"opp_{zone}_attempts"].replace(0, np.nan)
    return {
        f"{zone}_pct_allowed_last_15": allowed,
        f"{zone}_attempts_allowed_per_game": (attempts / count.replace(0, np.nan)).where(enough),
        f"{zone}_points_allowed_per_game": (WORTH[zone] * makes / count.replace(0, np.nan)).where(enough),
        f"{zone}_league_pct": of_league,
        f"{zone}_defense_vs_league_avg": 100 * (allowed - of_league),
    }


def _extremes(columns: pd.DataFrame) -> pd.DataFrame:
    """Name the zones with the lowest and the highest difference to the league where all three are known."""
    against = columns[[f"{zone}_defense_vs_league_avg" for zone in WORTH]].set_axis(list(ZONE_NAMES.values()), axis=1)
    known = against.notna().all(axis=1)
    filled = against.fillna(0.0)
    return pd.DataFrame(
        {
            "strongest_zone": filled.idxmin(axis=1).where(known, None),
            "weakest_zone": filled.idxmax(axis=1).where(known, None),
        }
    )
