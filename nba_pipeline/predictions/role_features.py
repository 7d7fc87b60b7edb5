"""Features of role: whether he is in the rotation now, who of his team is missing, and what they leave to the others.

A player is taken to be missing where a statement in force at the cut-off says that he is out, or where he did not play in his
team's latest game. The second needs no source of injuries: most absences last longer than a game.
"""

from typing import Any

import ibis

from nba_pipeline import asof
from nba_pipeline import ibis_types as ir
from nba_pipeline.analytics._availability import OUT
from nba_pipeline.predictions.features import CONTEXT, LAST_5, PLAYER_GAMES, SEASON, TEAM_GAMES, Feature
from nba_pipeline.relations import shared

RECENT_DAYS = 30
GAME_MINUTES = 240
SCALE = 10_000

MONTH = f"{RECENT_DAYS} days before the day"
TEAM_NOW = f"{SEASON}; statements in force at the cut-off"
NO_MINUTES = "without a game in the year"
NO_TEAM_GAME = "before his team's first game of the season"
MISSING = "who are out, or did not play in the team's latest game"

ROLE_FEATURES: tuple[Feature, ...] = (
    Feature(
        "team_games_missed",
        "games",
        "games of his team since he last played in one; 0: he played in the latest",
        TEAM_GAMES,
        SEASON,
        "before his first game of the season for the team",
        bounds=(0, 110),
    ),
    Feature(
        "appearance_share",
        "fraction",
        "his games / his team's games, at most 1",
        TEAM_GAMES,
        MONTH,
        "without a game of his team in these days",
        bounds=(0, 1),
    ),
    Feature(
        "starter_last_game",
        "flag",
        "1 where he started his latest game",
        PLAYER_GAMES,
        "latest game of the season",
        "before his first, or where the source does not say who started",
        bounds=(0, 1),
    ),
    Feature(
        "starter_share_last_5",
        "fraction",
        "starts / games of which it is known who started",
        PLAYER_GAMES,
        LAST_5,
        "where none is",
        bounds=(0, 1),
    ),
    Feature(
        "minutes_rank_last_5",
        "rank",
        "mean rank of his minutes among his team's in the game; 1: nobody played longer",
        PLAYER_GAMES,
        LAST_5,
        "with fewer than 3 games",
        bounds=(1, 25),
    ),
    Feature(
        "rotation_rank",
        "rank",
        "1 + team-mates who are not missing and have higher minutes_form",
        CONTEXT,
        TEAM_NOW,
        NO_MINUTES,
        bounds=(1, 40),
    ),
    Feature(
        "minutes_expected",
        "minutes",
        f"{GAME_MINUTES}·minutes_form / Σ minutes_form of himself and the team-mates who are not missing",
        CONTEXT,
        TEAM_NOW,
        NO_MINUTES,
        bounds=(0, GAME_MINUTES),
    ),
    Feature(
        "minutes_vacated",
        "minutes",
        f"Σ minutes_form·appearance_share of team-mates {MISSING}",
        CONTEXT,
        TEAM_NOW,
        NO_TEAM_GAME,
        bounds=(0, 500),
    ),
    Feature(
        "minutes_newly_out",
        "minutes",
        "Σ minutes_form of team-mates who are out by a statement but played in the team's latest game",
        CONTEXT,
        "statements in force at the cut-off",
        f"where the source says nothing on anybody, and {NO_TEAM_GAME}",
        bounds=(0, 500),
    ),
)


def appearances(games: ir.Table, offense: ir.Table) -> ir.Table:
    """Player facts with the number of the game in the team's season, and the rank of his minutes in it."""
    in_order = ibis.window(group_by=[offense.team, offense.season], order_by=offense.game_date)
    numbered = offense.select("game_id", "team", number=ibis.row_number().over(in_order) + 1)
    rank = ibis.rank().over(ibis.window(group_by=[games.game_id, games.team], order_by=games.minutes_played.desc()))
    ranked = games.select(
        *("game_id", "game_date", "season", "player_id", "team"),
        started=games.starter_flag.cast("int64"),
        minutes_rank=rank + 1,
    )
    joined = ranked.inner_join(numbered, [ranked.game_id == numbered.game_id, ranked.team == numbered.team])
    return shared(joined.select(ranked, numbered.number))


def with_attendance(listed: ir.Table, games: ir.Table, offense: ir.Table) -> ir.Table:
    """`listed` with when he last played for the team, how often lately, and as what."""
    played = appearances(games, offense)
    of_player = {
        "h_number": asof.latest("number"),
        "h_team": asof.latest("team"),
        "h_recent": asof.count(days=RECENT_DAYS),
        "starter_last_game": asof.latest("started"),
        "starter_share_last_5": asof.mean("started", last=5),
        "minutes_rank_last_5": asof.mean("minutes_rank", last=5, at_least=3),
    }
    rows = asof.attach(listed, played, of_player, by=("player_id",))
    team_games = offense.select("game_date", "season", "team")
    of_team = {"h_team_games": asof.count(), "h_team_recent": asof.count(days=RECENT_DAYS)}
    rows = asof.attach(rows, team_games, of_team, by=("team",))
    share = ibis.least(rows["h_recent"] / rows["h_team_recent"].nullif(0), 1.0)
    missed = (rows["h_team"] == rows.team).ifelse(rows["h_team_games"] - rows["h_number"], None)
    return shared(rows.mutate(appearance_share=share, team_games_missed=missed))


def role_features(listed: ir.Table, games: ir.Table, offense: ir.Table) -> ir.Table:
    """`listed` with the features of `ROLE_FEATURES`.

    `listed` has (game_date, season, player_id, team), injury_status, injuries_reported and `minutes_form`; one row
    per listed player, so that a team's rows of a day are its team-mates.
    """
    rows = with_attendance(listed, games, offense)
    missed_latest = (rows.team_games_missed > 0).fill_null(False)
    is_out = (rows.injury_status == OUT).fill_null(False)
    missing = missed_latest | is_out
    minutes = _whole(rows.minutes_form)
    share = rows.appearance_share.fill_null(0.0)
    rows = rows.mutate(
        __minutes=minutes,
        __present=missing.ifelse(0, minutes),
        __is_present=(~missing).cast("int64"),
        __newly_out=(is_out & ~missed_latest).ifelse(minutes, 0),
        __vacated=missing.ifelse(_whole(rows.minutes_form * share), 0),
    )
    team = ibis.window(group_by=[rows.game_date, rows.team])
    stronger = ibis.range_window(
        preceding=None, following=0, group_by=[rows.game_date, rows.team], order_by=rows["__minutes"].desc()
    )

    def of_others(column: str) -> Any:
        return rows[column].sum().over(team) - rows[column]

    has_played, known = rows["h_team_games"] > 0, rows.minutes_form.notnull()
    others = rows["__present"].sum().over(team) - rows["__present"] + rows["__minutes"]
    rank = rows["__is_present"].sum().over(stronger) - rows["__is_present"] + 1
    spoken = has_played & rows.injuries_reported
    found = rows.mutate(
        rotation_rank=known.ifelse(rank, None),
        minutes_expected=GAME_MINUTES * rows["__minutes"].cast("float64") / others.cast("float64").nullif(0.0),
        minutes_vacated=has_played.ifelse(of_others("__vacated") / SCALE, None),
        minutes_newly_out=spoken.ifelse(of_others("__newly_out") / SCALE, None),
    )
    return shared(found.drop(*[c for c in found.columns if c.startswith(("__", "h_"))]))


def _whole(value: ir.FloatingValue) -> ir.IntegerValue:
    """As an integer, so that sums do not depend on the order of rows; nothing known adds nothing."""
    return (value * SCALE).round().cast("int64").fill_null(0)
