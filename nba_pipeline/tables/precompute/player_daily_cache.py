"""nba_precompute.player_daily_cache: each listed player's form, minutes and usage, and the team's pace, before the day."""

from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.table import Rows, Table, column
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.analytics.player_game_summary import PLAYER_GAME_SUMMARY
from nba_pipeline.tables.analytics.team_offense_game_summary import TEAM_OFFENSE_GAME_SUMMARY
from nba_pipeline.tables.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.analytics.zones import FREE_THROW_SHOTS, GAME_MINUTES, game_minutes
from nba_pipeline.tables.precompute.player_shot_zone_analysis import PLAYER_SHOT_ZONE_ANALYSIS, SCORING_ZONES
from nba_pipeline.tables.precompute.samples import MIN_GAMES, shortfall
from nba_pipeline.tables.raw.columns import tricode
from nba_pipeline.tables.shared import columns

SHORT, LONG = 5, 10
COPY = "upcoming_player_game_context"


class PlayerDailyCache(Rows):
    """A listed player's form before the day: means over the last 5 and 10 games and over the season, the team's last 10 games,
    and workload and shot zones copied from other tables. Past games are finished games of the same season that the player took
    part in, strictly before the day. One row per day and listed player.
    """

    cache_date: date = column("US-Eastern calendar date of the game; the row knows only earlier games")
    player_id: int = columns.PLAYER_ID
    player_name: str = column("display name")
    player_lookup: str = columns.PLAYER_LOOKUP
    team: str = tricode("tricode of the team that lists the player")
    season: str = columns.SEASON

    games_played_season: int = column(
        "the player's games this season, the sample of the season columns", unit="games", ge=0, le=125
    )
    points_avg_last_5: float = column(
        "mean points of the player's last 5 games; NULL with fewer", unit="points", nullable=True, ge=0, le=100
    )
    points_avg_last_10: float = column(
        "mean points of the player's last 10 games; NULL with fewer", unit="points", nullable=True, ge=0, le=100
    )
    points_avg_season: float = column(
        "mean points of all the player's games of the season; NULL without one",
        unit="points",
        nullable=True,
        ge=0,
        le=100,
    )
    points_std_last_10: float = column(
        f"standard deviation of the player's points over the last 10 games; NULL with fewer than {MIN_GAMES}",
        unit="points",
        formula="sample standard deviation (n - 1)",
        nullable=True,
        ge=0,
        le=60,
    )
    minutes_avg_last_10: float = column(
        f"mean minutes over the last 10 games; NULL with fewer than {MIN_GAMES}",
        unit="minutes",
        nullable=True,
        ge=0,
        le=70,
    )
    minutes_avg_season: float = column(
        "mean minutes of all the player's games of the season; NULL without one",
        unit="minutes",
        nullable=True,
        ge=0,
        le=70,
    )
    usage_rate_last_10: float = column(
        f"usage rate over the last 10 games together; NULL with fewer than {MIN_GAMES} of a known usage rate",
        unit="percent",
        formula="Σ(usage rate·minutes) / Σ minutes",
        nullable=True,
        ge=0,
    )
    player_usage_rate_season: float = column(
        "usage rate of all the player's games of the season together; NULL without one",
        unit="percent",
        formula="Σ(usage rate·minutes) / Σ minutes",
        nullable=True,
        ge=0,
    )
    ts_pct_last_10: float = column(
        f"true shooting over the last 10 games together; NULL with fewer than {MIN_GAMES}, or without an attempt",
        unit="fraction",
        formula="Σ points / (2·Σ(FGA + 0.44·FTA))",
        nullable=True,
        ge=0,
        le=2,
    )
    team_pace_last_10: float = column(
        f"pace of the team's last 10 games together; NULL with fewer than {MIN_GAMES}",
        unit="possessions per 48 minutes",
        formula="48·Σ possessions / Σ(minutes / 5)",
        nullable=True,
        ge=60,
        le=140,
    )
    team_off_rating_last_10: float = column(
        f"offensive rating of the team's last 10 games together; NULL with fewer than {MIN_GAMES}",
        unit="points per 100 possessions",
        formula="100·Σ points / Σ possessions",
        nullable=True,
        ge=50,
        le=170,
    )

    games_in_last_7_days: int = column("the player's games in [D - 7, D - 1]", unit="games", formula=COPY, ge=0, le=7)
    games_in_last_14_days: int = column(
        "the player's games in [D - 14, D - 1]", unit="games", formula=COPY, ge=0, le=14
    )
    minutes_in_last_7_days: float = column(
        "the player's minutes in [D - 7, D - 1]", unit="minutes", formula=COPY, precision=2, ge=0, le=400
    )
    minutes_in_last_14_days: float = column(
        "the player's minutes in [D - 14, D - 1]", unit="minutes", formula=COPY, precision=2, ge=0, le=700
    )
    avg_minutes_per_game_last_7: float = column(
        "minutes per game in [D - 7, D - 1]", unit="minutes", formula=COPY, precision=2, nullable=True, ge=0, le=70
    )
    back_to_backs_last_14_days: int = column(
        "pairs of the player's games on consecutive days in [D - 14, D - 1]", unit="pairs", formula=COPY, ge=0, le=13
    )
    player_age: float = column(
        "age during the season", unit="years", formula=COPY, precision=1, nullable=True, ge=17, le=50
    )
    primary_scoring_zone: str = column(
        "zone that most of the player's shots come from",
        formula="player_shot_zone_analysis",
        nullable=True,
        isin=list(SCORING_ZONES),
    )
    paint_rate_last_10: float = column(
        "share of the player's shots in the paint",
        unit="percent",
        formula="player_shot_zone_analysis",
        nullable=True,
        ge=0,
        le=100,
    )
    three_pt_rate_last_10: float = column(
        "share of the player's shots behind the arc",
        unit="percent",
        formula="player_shot_zone_analysis",
        nullable=True,
        ge=0,
        le=100,
    )
    early_season_flag: bool = column("true in the first 14 days of the season", formula=COPY)
    insufficient_data_reason: str = column(f"how many games are missing to {LONG}; NULL where none is", nullable=True)


PLAYER_DAILY_CACHE = Table(
    model=PlayerDailyCache,
    name="player_daily_cache",
    dataset="nba_precompute",
    key=("cache_date", "player_id"),
    partition="cache_date",
    cluster=("player_id", "team"),
    rules={
        "points_avg_last_5 does not stand on 5 games": lambda t: (
            t.points_avg_last_5.notnull() == (t.games_played_season >= SHORT)
        ),
        "points_avg_last_10 does not stand on 10 games": lambda t: (
            t.points_avg_last_10.notnull() == (t.games_played_season >= LONG)
        ),
        "points_avg_season is unknown though he has played": lambda t: (
            t.points_avg_season.notnull() == (t.games_played_season > 0)
        ),
        "the last 10 games of ten are not the season": lambda t: (
            (t.games_played_season != LONG) | ((t.points_avg_last_10 - t.points_avg_season).abs() < 0.001)
        ),
        "more games in 7 days than this season": lambda t: t.games_in_last_7_days <= t.games_played_season,
        "sample and reason contradict each other": lambda t: (
            (t.games_played_season < LONG) == t.insufficient_data_reason.notnull()
        ),
    },
)

FORM = {
    "games_played_season": asof.count(),
    "points_avg_last_5": asof.mean("points", last=SHORT, at_least=SHORT),
    "points_avg_last_10": asof.mean("points", last=LONG, at_least=LONG),
    "points_avg_season": asof.mean("points"),
    "points_std_last_10": asof.std("points", last=LONG, at_least=MIN_GAMES),
    "minutes_avg_last_10": asof.mean("minutes_played", last=LONG, at_least=MIN_GAMES),
    "minutes_avg_season": asof.mean("minutes_played"),
    "usage_rate_last_10": asof.ratio("used", "minutes_played", last=LONG, at_least=MIN_GAMES),
    "player_usage_rate_season": asof.ratio("used", "minutes_played"),
    "ts_pct_last_10": asof.ratio("points", "twice_shots", last=LONG, at_least=MIN_GAMES),
}
TEAM_FORM = {
    "team_pace_last_10": asof.ratio("possessions_48", "minutes", last=LONG, at_least=MIN_GAMES),
    "team_off_rating_last_10": asof.ratio("points_100", "possessions", last=LONG, at_least=MIN_GAMES),
}
IDENTITY = ("player_id", "player_name", "player_lookup", "team", "season")
COPIES = (
    "games_in_last_7_days",
    "games_in_last_14_days",
    "minutes_in_last_7_days",
    "minutes_in_last_14_days",
    "avg_minutes_per_game_last_7",
    "back_to_backs_last_14_days",
    "player_age",
    "early_season_flag",
)


def build(context: ir.Table, games: ir.Table, offense: ir.Table, zones: ir.Table) -> ir.Table:
    """Form of every listed player and of the player's team, with the columns copied from other tables."""
    listed = context.select("game_date", *IDENTITY, *COPIES)
    played = games.select(
        *("game_date", "season", "player_id", "points", "minutes_played"),
        used=games.usage_rate * games.minutes_played,
        twice_shots=2 * (games.fg_attempts + FREE_THROW_SHOTS * games.ft_attempts),
    )
    team_games = offense.select(
        *("game_date", "season", "team", "possessions"),
        possessions_48=GAME_MINUTES * offense.possessions,
        minutes=game_minutes(offense.overtime_periods),
        points_100=100 * offense.points,
    )
    rows = asof.attach(listed, played, FORM, by=("player_id",))
    rows = asof.attach(rows, team_games, TEAM_FORM, by=("team",))
    joined = rows.left_join(zones, [rows.game_date == zones.analysis_date, rows.player_id == zones.player_id])
    return joined.select(
        cache_date=rows.game_date,
        **{c: rows[c] for c in (*IDENTITY, *FORM, *TEAM_FORM, *COPIES)},
        primary_scoring_zone=zones.primary_scoring_zone,
        paint_rate_last_10=zones.paint_rate_last_10,
        three_pt_rate_last_10=zones.three_pt_rate_last_10,
        insufficient_data_reason=shortfall(rows.games_played_season, LONG),
    )


def expected(context: ir.Table) -> ir.Table:
    """Every listed player of the day."""
    return context.select("player_id", cache_date=context.game_date, reason=ibis.null("string"))


def games_differ(context: ir.Table, result: ir.Table) -> ir.Table:
    """Return players whose number of games differs from the context's."""
    known = context.select("game_date", "player_id", games_before=context.games_played_season)
    joined = result.inner_join(known, [result.cache_date == known.game_date, result.player_id == known.player_id])
    wrong = joined.filter(result.games_played_season != known.games_before)
    return wrong.select(day=result.cache_date, entity=result.player_lookup)


TRANSFORM = Transform(
    PLAYER_DAILY_CACHE,
    build,
    reads={
        "context": asof.same_day(UPCOMING_PLAYER_GAME_CONTEXT),
        "games": asof.season_to_date(PLAYER_GAME_SUMMARY),
        "offense": asof.season_to_date(TEAM_OFFENSE_GAME_SUMMARY),
        "zones": asof.same_day(PLAYER_SHOT_ZONE_ANALYSIS),
    },
    expected=expected,
    cross_checks={"games of the season differ from upcoming_player_game_context": games_differ},
    watched=("points_avg_last_10", "ts_pct_last_10", "player_age"),
)
