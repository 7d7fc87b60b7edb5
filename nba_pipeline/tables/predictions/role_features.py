"""Features of role: the player's place in the rotation, absent team-mates, and the minutes and usage they leave to the others.

Who is missing is not known, but likely: from statements in force at the cut-off, and from how many of the team's latest games a
player did not play in. The second needs no source of injuries: most absences last longer than a game. Every team-mate counts
with the player's chance to play.
"""

from typing import Any

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared
from nba_pipeline.tables.analytics._availability import OUT
from nba_pipeline.tables.predictions.attendance import RECENT_DAYS, with_attendance
from nba_pipeline.tables.predictions.features import CONTEXT, LAST_5, PLAYER_GAMES, SEASON, TEAM_GAMES, Feature
from nba_pipeline.tables.predictions.play_chance import outcomes, with_play_chance

GAME_MINUTES, PLAYABLE = 240, 48
SCALE = 10_000

MONTH = f"{RECENT_DAYS} days before the day"
TEAM_NOW = f"{SEASON}; statements in force at the cut-off"
NO_MINUTES = "without a game in the year"
NO_TEAM_GAME = "before the team's first game of the season"

ROLE_FEATURES: tuple[Feature, ...] = (
    Feature(
        "team_games_missed",
        "games",
        "games of the team since the player last played in one; 0: played in the latest",
        TEAM_GAMES,
        SEASON,
        "before the player's first game of the season for the team",
        bounds=(0, 110),
    ),
    Feature(
        "appearance_share",
        "fraction",
        "the player's games / the team's games, at most 1; in the embedded engine 1 without a game of the team in these days",
        TEAM_GAMES,
        MONTH,
        "on BigQuery without a game of the team in these days",
        bounds=(0, 1),
    ),
    Feature(
        "starter_last_game",
        "flag",
        "1 if the player started the latest game",
        PLAYER_GAMES,
        "latest game of the season",
        "before the player's first game, or if the source does not state the starters",
        bounds=(0, 1),
    ),
    Feature(
        "starter_share_last_5",
        "fraction",
        "starts / games with known starters",
        PLAYER_GAMES,
        LAST_5,
        "where none is",
        bounds=(0, 1),
    ),
    Feature(
        "minutes_rank_last_5",
        "rank",
        "mean rank of the player's minutes in the team's games; 1: the most minutes",
        PLAYER_GAMES,
        LAST_5,
        "with fewer than 3 games",
        bounds=(1, 25),
    ),
    Feature(
        "play_chance",
        "probability",
        "share of comparable listed players who played on earlier days of the season, by line-up, statement and its age, games"
        " missed and minutes, balanced with a declared prior (`PRIOR` in play_chance)",
        CONTEXT,
        TEAM_NOW,
        NO_MINUTES,
        bounds=(0, 1),
    ),
    Feature(
        "rotation_rank",
        "rank",
        "1 + team-mates with a play_chance of at least a half and as high a minutes_form or a higher one",
        CONTEXT,
        TEAM_NOW,
        NO_MINUTES,
        bounds=(1, 40),
    ),
    Feature(
        "minutes_expected",
        "minutes",
        f"regulation minutes if the player plays: {PLAYABLE} - min({PLAYABLE}, a·({PLAYABLE} - minutes_form)), a the same"
        f" for the team and such that Σ play_chance·minutes_expected over its listed players is {GAME_MINUTES}; before the team's"
        " first game of the season a is at least 1, for players who are not listed yet play the rest",
        CONTEXT,
        TEAM_NOW,
        NO_MINUTES,
        bounds=(0, PLAYABLE),
    ),
    Feature(
        "minutes_vacated",
        "minutes",
        "Σ minutes_form·appearance_share·(1 - play_chance) of team-mates",
        CONTEXT,
        TEAM_NOW,
        NO_TEAM_GAME,
        bounds=(0, 500),
    ),
    Feature(
        "minutes_newly_out",
        "minutes",
        "Σ minutes_form of team-mates reported out who played in the team's latest game",
        CONTEXT,
        "statements in force at the cut-off",
        f"if the source reports on no player, and {NO_TEAM_GAME}",
        bounds=(0, 500),
    ),
)


def role_features(listed: ir.Table, games: ir.Table, offense: ir.Table, past_listed: ir.Table) -> ir.Table:
    """Add to `listed` the features of `ROLE_FEATURES`.

    Args:
        listed: Listed players with game_date, season, player_id, team, the statement in force, injuries_reported and
            `minutes_form`; one row each, so that a team's rows of a day are its team-mates.
        games: Facts of players of the season.
        offense: Facts of teams of the season.
        past_listed: Listed players of earlier days of the season, which the probability to play is estimated from.
    """
    rows = with_attendance(listed, games, offense)
    rows = with_minutes_expected(with_play_chance(rows, outcomes(past_listed, games, offense)))
    newly_out = (rows.injury_status == OUT) & (rows.team_games_missed == 0)
    chance, share = rows.play_chance.fill_null(0.0), rows.appearance_share.fill_null(0.0)
    rows = rows.mutate(
        __minutes=_whole(rows.minutes_form),
        __likely=_whole(rows.minutes_form * chance),
        __plays=(chance >= 0.5).cast("int64"),
        __newly_out=newly_out.fill_null(False).ifelse(_whole(rows.minutes_form), 0),
        __vacated=_whole(rows.minutes_form * share * (1.0 - chance)),
    )
    team = ibis.window(group_by=[rows.game_date, rows.team])
    stronger = ibis.range_window(
        preceding=None, following=0, group_by=[rows.game_date, rows.team], order_by=rows["__minutes"].desc()
    )

    def of_others(column: str) -> Any:
        return rows[column].sum().over(team) - rows[column]

    has_played, known = rows["h_team_games"] > 0, rows.minutes_form.notnull()
    rank = rows["__plays"].sum().over(stronger) - rows["__plays"] + 1
    found = rows.mutate(
        rotation_rank=known.ifelse(rank, None),
        minutes_vacated=has_played.ifelse(of_others("__vacated") / SCALE, None),
        minutes_newly_out=(has_played & rows.injuries_reported).ifelse(of_others("__newly_out") / SCALE, None),
    )
    return shared(found.drop(*[c for c in found.columns if c.startswith(("__", "h_"))]))


def with_minutes_expected(rows: ir.Table) -> ir.Table:
    """Share a team's regulation minutes among its listed players: their time on the bench grows or shrinks by one factor.

    No player exceeds the game then, and players who already play most of it gain least. Time on the bench is not longer than the
    game either: what players at that limit lack is taken from the others. With the players in order of time on the bench, a
    limit that holds for one holds for all before: each player's factor takes those before as being at the limit, and the
    largest factor that leaves its own player below the limit is the team's.

    Args:
        rows: Listed players with game_date, team, play_chance, minutes_form and h_team_games, the team's games of the season.

    Returns:
        `rows` with minutes_expected: minutes of each player if he plays; NULL without minutes_form.
    """
    idle = ibis.greatest(float(PLAYABLE) - rows.minutes_form, 0.0)
    whole = rows.mutate(
        __idle=_whole(idle), __weight=_whole(rows.play_chance), __weighted_idle=_whole(rows.play_chance * idle)
    )
    team = [whole.game_date, whole.team]
    as_long = ibis.window(group_by=[*team, whole["__idle"]])
    at_least = ibis.range_window(preceding=None, following=0, group_by=team, order_by=whole["__idle"].desc())

    def of_longer(column: str) -> Any:
        """Sum over the team's players whose time on the bench is longer."""
        return whole[column].sum().over(at_least) - whole[column].sum().over(as_long)

    sums = whole.mutate(
        __weights=whole["__weight"].sum().over(ibis.window(group_by=team)),
        __everyone=whole["__weighted_idle"].sum().over(ibis.window(group_by=team)),
        __weight_before=of_longer("__weight"),
        __idle_before=of_longer("__weighted_idle"),
    )
    of_game = ibis.greatest(PLAYABLE * sums["__weights"] - GAME_MINUTES * SCALE, 0)
    to_share = (sums["h_team_games"] > 0).ifelse(of_game, ibis.greatest(of_game, sums["__everyone"]))
    rest = (sums["__everyone"] - sums["__idle_before"]).cast("float64").nullif(0.0)
    scaled = sums.mutate(__factor=(to_share - PLAYABLE * sums["__weight_before"]) / rest)
    below = (scaled["__factor"] * scaled["__idle"] <= PLAYABLE * SCALE).ifelse(scaled["__factor"], None)
    of_team = scaled.mutate(__of_team=below.max().over(ibis.window(group_by=[scaled.game_date, scaled.team])))
    idle = of_team["__of_team"].fill_null(0.0) * of_team["__idle"] / SCALE
    shared_out = ibis.greatest(float(PLAYABLE) - idle, 0.0)
    return of_team.mutate(minutes_expected=of_team.minutes_form.notnull().ifelse(shared_out, None))


def _whole(value: ir.FloatingValue) -> ir.IntegerValue:
    """As an integer, so that sums do not depend on the order of rows; NULL adds nothing."""
    return (value * SCALE).round().cast("int64").fill_null(0)
