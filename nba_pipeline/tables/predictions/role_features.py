"""Features of role: the player's place in the rotation, absent team-mates, and the minutes and usage they leave to the others.

Who is missing is not known, but likely: from statements in force at the cut-off, and from how many of the team's latest games a
player did not play in. The second needs no source of injuries: most absences last longer than a game. Every team-mate counts
with the player's chance to play.
"""

from collections.abc import Mapping
from typing import Any

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared
from nba_pipeline.tables.analytics._availability import AVAILABLE, DOUBTFUL, OUT, PROBABLE
from nba_pipeline.tables.predictions.features import CONTEXT, LAST_5, PLAYER_GAMES, SEASON, TEAM_GAMES, Feature

RECENT_DAYS = 30
GAME_MINUTES, PLAYABLE = 240, 48
SCALE = 10_000

MONTH = f"{RECENT_DAYS} days before the day"
TEAM_NOW = f"{SEASON}; statements in force at the cut-off"
NO_MINUTES = "without a game in the year"
NO_TEAM_GAME = "before the team's first game of the season"

# Share of listed players who played, regular seasons and play-offs of 2021-22 and 2022-23 (77,000 player-days), by the games of
# the team that they had missed up to the day: 0, 1, 2, 3, 4 or 5, more. Those seasons have no statements of other kinds than
# out and available: probable counts as available, doubtful as out, and questionable as silence.
CHANCE: Mapping[str, tuple[float, ...]] = {
    "out": (0.02, 0.34, 0.22, 0.17, 0.15, 0.09),
    "available": (0.87, 0.81, 0.56, 0.41, 0.35, 0.24),
    "silent": (0.87, 0.44, 0.34, 0.27, 0.22, 0.12),
}
# Without a statement, by minutes_form under 10, under 20, and from 20 on: who played last time, and who missed one game.
SILENT_BY_MINUTES = {0: (0.53, 0.84, 0.94), 1: (0.37, 0.47, 0.60)}
# Before the player's first game of the season for the team, without a statement, by the team's games of the season so far: none,
# 1 or 2, more. Before the team's first game by minutes_form under 10, under 20, under 28, and from 28 on: many of the listed have
# left in summer, and those who played most are most likely to be still there. Seasons 2019-20 to 2021-22 (6,200 player-days).
OPENING_MINUTES = (10, 20, 28)
CHANCE_OPENING = (0.13, 0.32, 0.56, 0.74)
CHANCE_UNSEEN = (0.08, 0.02)
# The same with a statement (2021-22 and 2022-23).
CHANCE_UNSEEN_STATED = {"out": 0.04, "available": 0.40}

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
        "the player's games / the team's games, at most 1",
        TEAM_GAMES,
        MONTH,
        "without a game of the team in these days",
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
        "share of comparable players who played, by report, games missed and minutes (`CHANCE` in role_features)",
        CONTEXT,
        TEAM_NOW,
        NO_MINUTES,
        bounds=(0, 1),
    ),
    Feature(
        "rotation_rank",
        "rank",
        "1 + team-mates with a play_chance of at least a half and higher minutes_form",
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


def appearances(games: ir.Table, offense: ir.Table) -> ir.Table:
    """Player facts with the number of the game in the team's season, and the rank of the player's minutes in it."""
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
    """Add to `listed` the player's last game for the team, recent games and recent starts."""
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
    chance = chance_to_play(rows.injury_status, rows.team_games_missed, rows.minutes_form, rows["h_team_games"])
    rows = with_minutes_expected(rows.mutate(play_chance=chance))
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
    longer = ibis.range_window(preceding=(None, 1), group_by=team, order_by=-whole["__idle"])
    sums = whole.mutate(
        __weights=whole["__weight"].sum().over(ibis.window(group_by=team)),
        __everyone=whole["__weighted_idle"].sum().over(ibis.window(group_by=team)),
        __weight_before=whole["__weight"].sum().over(longer).fill_null(0),
        __idle_before=whole["__weighted_idle"].sum().over(longer).fill_null(0),
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


def chance_to_play(
    status: ir.StringValue, missed: ir.IntegerValue, minutes: ir.FloatingValue, team_games: ir.IntegerValue
) -> Any:
    """Return the share of comparable players who played.

    Args:
        status: Status in force at the cut-off; NULL without a statement.
        missed: Games of the team since the player's last; NULL before the player's first game of the season for it.
        minutes: The player's usual minutes.
        team_games: Games of the team this season before the day.

    Returns:
        A share of `CHANCE` or of the constants beside it; NULL where the player's minutes are not known.
    """
    reported = status.cases(
        (OUT, "out"), (DOUBTFUL, "out"), (AVAILABLE, "available"), (PROBABLE, "available"), else_="silent"
    )

    def by_missed(shares: tuple[float, ...]) -> Any:
        *upto, more = shares
        return ibis.cases(*[(missed <= b, v) for b, v in zip((0, 1, 2, 3, 5), upto, strict=True)], else_=more)

    def by_minutes(shares: tuple[float, ...], bounds: tuple[float, ...] = (10, 20)) -> Any:
        *under, more = shares
        return ibis.cases(*[(minutes < b, v) for b, v in zip(bounds, under, strict=True)], else_=more)

    seen = ibis.cases(
        (reported != "silent", reported.cases(*[(n, by_missed(CHANCE[n])) for n in ("out", "available")], else_=None)),
        *[(missed == n, by_minutes(shares)) for n, shares in SILENT_BY_MINUTES.items()],
        else_=by_missed(CHANCE["silent"]),
    )
    early, later = CHANCE_UNSEEN
    silent = ibis.cases(
        (team_games == 0, by_minutes(CHANCE_OPENING, OPENING_MINUTES)), (team_games <= 2, early), else_=later
    )
    unseen = reported.cases(*CHANCE_UNSEEN_STATED.items(), else_=silent)
    return minutes.notnull().ifelse(missed.isnull().ifelse(unseen, seen), None)


def _whole(value: ir.FloatingValue) -> ir.IntegerValue:
    """As an integer, so that sums do not depend on the order of rows; NULL adds nothing."""
    return (value * SCALE).round().cast("int64").fill_null(0)
