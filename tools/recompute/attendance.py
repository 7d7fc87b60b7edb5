"""Which of its team's games a player took part in and started, and the chance that a listed player plays."""

import numpy as np
import pandas as pd

from nba_pipeline.tables.predictions.play_chance import CHANCE_OPENING, PRIOR
from tools.recompute.history import before, in_last_days, last_games

PLAYER, TEAM = ["player_id", "season"], ["team", "season"]
MONTH, FRESH = 30, 1
GRADED, STATUSES = (
    ("status_snapshot", "official_report"),
    ("out", "doubtful", "questionable", "probable", "available"),
)


def attendance(rows: pd.DataFrame, facts: pd.DataFrame, team_facts: pd.DataFrame) -> pd.DataFrame:
    """Describe each listed player's latest games, in the order of `rows`.

    Args:
        rows: Listed players with game_date, season, player_id and team.
        facts: Facts of players, with minutes_played and starter_flag.
        team_facts: Facts of teams.
    """
    ordered = team_facts.sort_values("game_date")
    numbers = ordered[["game_id", "team"]].assign(number=ordered.groupby(TEAM).cumcount() + 1)
    played = facts.merge(numbers, on=["game_id", "team"], validate="m:1")
    started = played.starter_flag.astype("Float64").astype("float64")
    played = played.assign(
        started=started,
        told=started.notna().astype(float),
        rank=played.groupby(["game_id", "team"]).minutes_played.rank(method="min", ascending=False),
        last_team=played.team,
    )
    latest = before(rows, "game_date", played[[*PLAYER, "game_date", "number", "last_team", "started"]], PLAYER)
    five = before(rows, "game_date", last_games(played, PLAYER, ["started", "told", "rank"], 5), PLAYER)
    season = before(rows, "game_date", last_games(played, PLAYER, ["minutes_played"]), PLAYER)
    team = before(rows, "game_date", last_games(team_facts, TEAM, []), TEAM).games.fillna(0)
    month = in_last_days(rows, "game_date", played, PLAYER, [], MONTH).games
    team_month = in_last_days(rows, "game_date", team_facts, TEAM, [], MONTH).games
    return pd.DataFrame(
        {
            "team_games": team,
            "mean_minutes": season.minutes_played / season.games,
            "team_games_missed": (team - latest.number).where(latest.last_team == rows.team),
            "appearance_share": (month / team_month.replace(0, np.nan)).clip(upper=1).fillna(1.0),
            "starter_last_game": latest.started,
            "starter_share_last_5": five.started / five.told.replace(0, np.nan),
            "minutes_rank_last_5": (five["rank"] / five.games).where(five.games >= 3),
        }
    )


def chances(
    rows: pd.DataFrame, past: pd.DataFrame, facts: pd.DataFrame, team_facts: pd.DataFrame, minutes_form: pd.Series
) -> pd.Series:
    """Return the chance to play: the share of the class that played on earlier days of the season, balanced with its prior.

    Args:
        rows: Listed players with the statement in force and `attendance`.
        past: The same of all days of the season, with game_id.
        facts: Facts of players.
        team_facts: Facts of teams; only their games tell who played.
        minutes_form: Form of minutes; unknown without a game in the year.
    """
    finished = past.merge(team_facts[["game_id", "team"]], on=["game_id", "team"])
    finished = finished.assign(label=classes(finished)).merge(
        facts[["game_id", "player_id"]].assign(played=1.0), on=["game_id", "player_id"], how="left"
    )
    days = finished.fillna({"played": 0.0}).assign(listed=1.0)
    days = days.groupby(["label", "season", "game_date"], as_index=False)[["listed", "played"]].sum()
    own = rows[["game_date", "season"]].assign(label=classes(rows))
    known = before(own, "game_date", last_games(days, ["label", "season"], ["listed", "played"]), ["label", "season"])
    prior, weight = (own.label.map({c: p[i] for c, p in PRIOR.items()}) for i in (0, 1))
    share = (known.played.fillna(0) + prior * weight) / (known.listed.fillna(0) + weight)
    low, middle, high, most = CHANCE_OPENING
    opening = np.select([minutes_form < 10, minutes_form < 20, minutes_form < 28], [low, middle, high], most)
    return share.where(own.label != "opening", pd.Series(opening, rows.index)).where(minutes_form.notna())


def classes(rows: pd.DataFrame) -> pd.Series:
    """Sort listed players into classes by statement and its age, games missed and minutes."""
    age = (pd.to_datetime(rows.game_date) - pd.to_datetime(rows.injury_reported_on)).dt.days
    fresh, missed = age <= FRESH, rows.team_games_missed
    number = np.char.mod("%.0f", missed.to_numpy(dtype=float))
    games = np.select([missed.isna(), missed <= 3, missed <= 5], ["new", number, "4-5"], "6+").astype(object)
    band = np.select([rows.mean_minutes < 10, rows.mean_minutes < 20], ["low", "middle"], "high").astype(object)
    graded = fresh & rows.injury_status_source.isin(GRADED) & rows.injury_status.isin(STATUSES)
    status = rows.injury_status.fillna("").to_numpy(dtype=object)
    labels = np.select(
        [
            (rows.injury_status_source == "lineups").to_numpy(),
            graded,
            status == "out",
            (status == "available") & fresh,
            missed.isna() & (rows.team_games == 0),
            missed.isna() & (rows.team_games <= 2),
            missed.isna(),
            missed > 5,
        ],
        [
            "lineups " + status,
            "reported " + status + "/" + np.where(missed == 0, "played", "missed"),
            "out/" + games,
            "activated/" + games,
            "opening",
            "silent/new, 1-2",
            "silent/new, 3+",
            "silent/6+",
        ],
        "silent/" + games + "/" + band,
    )
    return pd.Series(labels, rows.index)


def shared_minutes(rows: pd.DataFrame) -> pd.Series:
    """Share 240 minutes among a team's listed players: 48 - min(48, a·(48 - form)) each, by one factor a for the team.

    Args:
        rows: Listed players with game_date, team, play_chance, minutes_form and team_games.
    """
    idle = (48 - rows.minutes_form).clip(lower=0)
    chance = rows.play_chance.fillna(0)
    team = [rows.game_date, rows.team]
    low, high = pd.Series(0.0, rows.index), pd.Series(1e6, rows.index)
    for _ in range(90):
        factor = (low + high) / 2
        minutes = (chance * (48 - (factor * idle).clip(upper=48))).fillna(0).groupby(team).transform("sum")
        low, high = factor.where(minutes > 240, low), factor.where(minutes <= 240, high)
    factor = high.where(rows.team_games > 0, high.clip(lower=1))
    return 48 - (factor * idle).clip(upper=48)
