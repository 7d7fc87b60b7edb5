"""nba_analytics.upcoming_team_game_context, computed a second time."""

import pandas as pd

from tools.recompute import game_lines, travel
from tools.recompute.history import before, in_last_days, last_games
from tools.recompute.league import League

TABLE = "nba_analytics.upcoming_team_game_context"
CONTEXT = "nba_analytics.upcoming_player_game_context"
LEFT_OUT: dict[str, str] = {}
TEAM = ["team", "season"]


def recompute(league: League) -> pd.DataFrame:
    """Compute rest, form, absences and road trips of both teams before every game. One row per scheduled game and team."""
    sides = league.teams_of_games
    rows = league.within(sides)
    finished = sides[sides.margin.notna()]
    latest = before(rows, "game_date", _after_each_game(finished), TEAM)
    season = before(rows, "game_date", last_games(finished, TEAM, []), TEAM)
    since = (pd.to_datetime(rows.game_date) - pd.to_datetime(latest.game_date)).dt.days
    windows = {n: in_last_days(rows, "game_date", finished, TEAM, [], n).games for n in (1, 7, 14)}
    early = pd.to_datetime(rows.game_date) < rows.season.map(league.openings) + pd.Timedelta(days=14)
    at_home = rows.home_game & ~rows.neutral_site.astype("boolean").fillna(False).astype(bool)
    columns = pd.DataFrame(
        {
            "game_number_in_season": season.games.fillna(0) + 1,
            "days_since_last_game": since,
            "team_days_rest": since - 1,
            "team_back_to_back": windows[1] > 0,
            "games_in_last_7_days": windows[7],
            "games_in_last_14_days": windows[14],
            "team_win_streak_entering": latest.wins,
            "team_loss_streak_entering": latest.losses,
            "last_game_margin": latest.margin,
            "last_game_result": (latest.margin > 0).map({True: "W", False: "L"}).where(latest.margin.notna(), None),
            "consecutive_road_games": (latest.trip.fillna(0) + 1).where(~at_home, 0),
            "early_season_flag": early,
        }
    )
    lines = game_lines.lines_of_games(league.home(game_lines.QUOTES), league.within(league.games))
    ways = rows[["game_id", "team"]].merge(_ways(league, rows), on=["game_id", "team"], how="left", validate="1:1")
    return pd.concat(
        [
            rows.drop(columns="margin"),
            columns,
            _absences(rows, league),
            game_lines.seen_from_teams(rows, lines),
            ways[["travel_miles", "time_zones_crossed"]],
        ],
        axis=1,
    )


def _ways(league: League, rows: pd.DataFrame) -> pd.DataFrame:
    sides = league.teams_of_games
    return travel.ways(sides[sides.season.isin(rows.season)])


def _after_each_game(finished: pd.DataFrame) -> pd.DataFrame:
    """Count wins, losses and games away from home in a row up to each game. One row per game and team."""
    ordered = finished.sort_values("game_date")
    away = ~ordered.home_game | ordered.neutral_site.astype("boolean").fillna(False).astype(bool)
    counted = {
        "wins": _in_a_row(ordered, ordered.margin > 0),
        "losses": _in_a_row(ordered, ordered.margin < 0),
        "trip": _in_a_row(ordered, away),
    }
    return ordered[[*TEAM, "game_date", "margin"]].assign(**counted)


def _in_a_row(ordered: pd.DataFrame, holds: pd.Series) -> pd.Series:
    """Count how many games up to each one, without a break, something holds for."""
    keys = [ordered[name] for name in TEAM]
    breaks = (~holds).groupby(keys).cumsum()
    return holds.astype(int).groupby([*keys, breaks]).cumsum()


def _absences(rows: pd.DataFrame, league: League) -> pd.DataFrame:
    """Count the listed players of each team by status; NULL where the source does not report, or does not grade."""
    listed = league.home(CONTEXT)
    columns = {}
    for status, told in (
        ("out", "injuries_reported"),
        ("doubtful", "injuries_graded"),
        ("questionable", "injuries_graded"),
    ):
        counts = listed.assign(n=listed.injury_status == status).groupby(["game_id", "team"]).n.sum()
        known = listed.groupby(["game_id", "team"])[told].max()
        keys = pd.MultiIndex.from_frame(rows[["game_id", "team"]])
        columns[f"players_{status}_count"] = (
            counts.reindex(keys).where(known.reindex(keys, fill_value=False)).to_numpy()
        )
    return pd.DataFrame(columns)
