"""nba_precompute.player_shot_zone_analysis: where each listed player shoots from, and how well."""

from datetime import date
from typing import Any

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.table import Rows, Rule, Table, column
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.analytics.player_game_summary import PLAYER_GAME_SUMMARY
from nba_pipeline.tables.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.precompute.samples import MIN_GAMES, shortfall
from nba_pipeline.tables.raw.columns import tricode
from nba_pipeline.tables.shared import columns

RECENT, LONGER = 10, 20
MIN_GAMES_OF = {RECENT: MIN_GAMES, LONGER: 15}
ZONES = ("paint", "mid_range", "three_pt")
PAINT, MID_RANGE, PERIMETER, BALANCED = "paint", "mid_range", "perimeter", "balanced"
SCORING_ZONES = (PAINT, MID_RANGE, PERIMETER, BALANCED)
SHARE_FOR_ZONE = {PAINT: 40, PERIMETER: 40, MID_RANGE: 35}


def _rate(zone: str, games: int) -> Any:
    return column(
        f"share of the player's shots from {zone}; NULL with fewer than {MIN_GAMES_OF[games]} games with shot data"
        " or without a shot",
        unit="percent",
        formula=f"100·Σ zone attempts / Σ FGA over the last {games} games with shot data",
        nullable=True,
        ge=0,
        le=100,
    )


def _pct(zone: str, games: int) -> Any:
    return column(
        f"share of the player's {zone} shots made; NULL with fewer than {MIN_GAMES_OF[games]} games with shot data"
        " or without such a shot",
        unit="fraction",
        formula=f"Σ zone makes / Σ zone attempts over the last {games} games with shot data",
        nullable=True,
        ge=0,
        le=1,
    )


def _attempts(zone: str) -> Any:
    return column(
        f"{zone} attempts per game; NULL with fewer than {MIN_GAMES} games with shot data",
        unit="shots per game",
        formula=f"mean over the last {RECENT} games with shot data",
        nullable=True,
        ge=0,
        le=60,
    )


class PlayerShotZoneAnalysis(Rows):
    """A listed player's shot selection and accuracy by zone over the last 10 and 20 games with shot data of the season,
    strictly before the day. Games without shot data are skipped, not counted as games without shots. One row per day and listed
    player.
    """

    analysis_date: date = column("US-Eastern calendar date of the game; the row knows only earlier games")
    player_id: int = columns.PLAYER_ID
    player_name: str = column("display name")
    player_lookup: str = columns.PLAYER_LOOKUP
    team: str = tricode("tricode of the team that lists the player")
    season: str = columns.SEASON

    games_in_sample_10: int = column("games with shot data behind the last-10 columns", unit="games", ge=0, le=RECENT)
    games_in_sample_20: int = column("games with shot data behind the last-20 columns", unit="games", ge=0, le=LONGER)
    total_shots_last_10: int = column(
        "field-goal attempts in the last-10 sample; NULL without a game in it", unit="shots", nullable=True, ge=0
    )
    paint_rate_last_10: float = _rate(PAINT, RECENT)
    mid_range_rate_last_10: float = _rate(MID_RANGE, RECENT)
    three_pt_rate_last_10: float = _rate("three-point", RECENT)
    paint_pct_last_10: float = _pct(PAINT, RECENT)
    mid_range_pct_last_10: float = _pct(MID_RANGE, RECENT)
    three_pt_pct_last_10: float = _pct("three-point", RECENT)
    paint_attempts_per_game: float = _attempts(PAINT)
    mid_range_attempts_per_game: float = _attempts(MID_RANGE)
    three_pt_attempts_per_game: float = _attempts("three-point")
    paint_rate_last_20: float = _rate(PAINT, LONGER)
    mid_range_rate_last_20: float = _rate(MID_RANGE, LONGER)
    three_pt_rate_last_20: float = _rate("three-point", LONGER)
    paint_pct_last_20: float = _pct(PAINT, LONGER)
    mid_range_pct_last_20: float = _pct(MID_RANGE, LONGER)
    three_pt_pct_last_20: float = _pct("three-point", LONGER)
    primary_scoring_zone: str = column(
        "zone that most of the player's shots come from; NULL without rates",
        formula="first that holds of the last-10 rates: paint >= 40, three >= 40: perimeter, mid-range >= 35; else balanced",
        nullable=True,
        isin=list(SCORING_ZONES),
    )
    early_season_flag: bool = column("true in the first 14 days of the season", formula="upcoming_player_game_context")
    insufficient_data_reason: str = column(
        f"how many games with shot data are missing to {RECENT}; NULL where none is", nullable=True
    )


def _shares_hold(games: int) -> Rule:
    def rule(t: ir.Table) -> ir.BooleanValue:
        paint, mid, three = (t[f"{zone}_rate_last_{games}"] for zone in ZONES)
        known = (paint.isnull() == mid.isnull()) & (mid.isnull() == three.isnull())
        return known & ((paint + mid + three - 100).abs() < 0.001).fill_null(True)

    return rule


PLAYER_SHOT_ZONE_ANALYSIS = Table(
    model=PlayerShotZoneAnalysis,
    name="player_shot_zone_analysis",
    dataset="nba_precompute",
    key=("analysis_date", "player_id"),
    partition="analysis_date",
    cluster=("player_id", "team"),
    rules={
        "the last-10 shares do not add up to 100": _shares_hold(RECENT),
        "the last-20 shares do not add up to 100": _shares_hold(LONGER),
        "a zone without shares, or shares without a zone": lambda t: (
            t.primary_scoring_zone.isnull() == t.paint_rate_last_10.isnull()
        ),
        "a rate stands on too few games": lambda t: t.paint_rate_last_10.isnull() | (t.games_in_sample_10 >= MIN_GAMES),
        "the longer sample is smaller": lambda t: t.games_in_sample_20 >= t.games_in_sample_10,
        "sample and reason contradict each other": lambda t: (
            (t.games_in_sample_10 < RECENT) == t.insufficient_data_reason.notnull()
        ),
    },
)


def zone_games(games: ir.Table) -> ir.Table:
    """Games with shot data; both kinds of threes together are the three-pointers."""
    known = games.filter(games.paint_attempts.notnull())
    return known.select(
        "game_date",
        "season",
        "player_id",
        "fg_attempts",
        "paint_attempts",
        "paint_makes",
        "mid_range_attempts",
        "mid_range_makes",
        three_pt_attempts=known.corner_three_attempts + known.above_break_three_attempts,
        three_pt_makes=known.corner_three_makes + known.above_break_three_makes,
    )


def _windows() -> dict[str, asof.Aggregate]:
    windows = {f"games_in_sample_{n}": asof.count(last=n) for n in (RECENT, LONGER)}
    windows["total_shots_last_10"] = asof.total("fg_attempts", last=RECENT)
    for zone in ZONES:
        windows[f"{zone}_attempts_per_game"] = asof.mean(f"{zone}_attempts", last=RECENT, at_least=MIN_GAMES)
        for n, needed in MIN_GAMES_OF.items():
            windows[f"{zone}_rate_last_{n}"] = asof.ratio(f"{zone}_attempts", "fg_attempts", last=n, at_least=needed)
            windows[f"{zone}_pct_last_{n}"] = asof.ratio(f"{zone}_makes", f"{zone}_attempts", last=n, at_least=needed)
    return windows


def primary_zone(paint: ir.FloatingValue, mid_range: ir.FloatingValue, three: ir.FloatingValue) -> ir.StringValue:
    """The zone that dominates shares in percent; NULL where they are unknown."""
    return ibis.cases(
        (paint >= SHARE_FOR_ZONE[PAINT], PAINT),
        (three >= SHARE_FOR_ZONE[PERIMETER], PERIMETER),
        (mid_range >= SHARE_FOR_ZONE[MID_RANGE], MID_RANGE),
        (paint.notnull(), BALANCED),
        else_=ibis.null("string"),
    )


def build(context: ir.Table, games: ir.Table) -> ir.Table:
    """The last 10 and 20 games with shot data of every listed player."""
    identity = ("player_id", "player_name", "player_lookup", "team", "season", "early_season_flag")
    listed = context.select("game_date", *identity)
    rows = asof.attach(listed, zone_games(games), _windows(), by=("player_id",))
    rates = {f"{zone}_rate_last_{n}": 100 * rows[f"{zone}_rate_last_{n}"] for zone in ZONES for n in MIN_GAMES_OF}
    return rows.select(
        analysis_date=rows.game_date,
        **{c: rows[c] for c in identity},
        **{n: rates.get(n, rows[n]) for n in _windows()},
        primary_scoring_zone=primary_zone(*(rates[f"{zone}_rate_last_10"] for zone in ZONES)),
        insufficient_data_reason=shortfall(rows.games_in_sample_10, RECENT, "games with shot data"),
    )


def expected(context: ir.Table) -> ir.Table:
    """Every listed player of the day."""
    return context.select("player_id", analysis_date=context.game_date, reason=ibis.null("string"))


TRANSFORM = Transform(
    PLAYER_SHOT_ZONE_ANALYSIS,
    build,
    reads={
        "context": asof.same_day(UPCOMING_PLAYER_GAME_CONTEXT),
        "games": asof.season_to_date(PLAYER_GAME_SUMMARY),
    },
    expected=expected,
    watched=("paint_rate_last_10", "paint_rate_last_20"),
)
