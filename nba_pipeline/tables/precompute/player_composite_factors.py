"""nba_precompute.player_composite_factors: indices of fatigue, matchup, pace and usage."""

from collections.abc import Mapping
from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.table import Rows, Table, column
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.precompute.player_shot_zone_analysis import (
    BALANCED,
    MID_RANGE,
    PAINT,
    PERIMETER,
    PLAYER_SHOT_ZONE_ANALYSIS,
    SCORING_ZONES,
)
from nba_pipeline.tables.precompute.samples import added, names_where
from nba_pipeline.tables.precompute.team_defense_zone_analysis import TEAM_DEFENSE_ZONE_ANALYSIS
from nba_pipeline.tables.precompute.team_defense_zone_analysis import ZONES as DEFENSE_ZONES
from nba_pipeline.tables.raw.columns import tricode
from nba_pipeline.tables.shared import columns

FRESH = 100
POINTS_PER_FATIGUE = 20
RETURN_DAYS = 10  # longer than any break of the schedule, the all-star break included
FULL_WEIGHT_RATE = 50.0
EXTREME_MISMATCH, EXTREME_BOOST, MISMATCH_BOUND = 5.0, 1.2, 10.0
PACE_DIVISOR, PACE_BOUND = 2.0, 3.0
USAGE_WEIGHT, USAGE_BOUND = 0.3, 3.0
STAR_BOOSTS = {2: 1.30, 1: 1.15}
MATCHED_ZONE = {PAINT: "paint", MID_RANGE: "mid_range", PERIMETER: "three_pt", BALANCED: "paint"}
LOW_FATIGUE_SCORE, HIGH_MISMATCH, HIGH_TOTAL = 50, 8.0, 12.0
COPY = "upcoming_player_game_context"


class PlayerCompositeFactors(Rows):
    """Four indices of a listed player's game (fatigue, shot-zone matchup, pace, usage), their sum, and the inputs that they
    stand on. None of them is in points: docs/models.md gives the worth of a unit. An unknown input fires no rule; a factor with
    unknown essential inputs is NULL and left out of the sum. One row per day and listed player.
    """

    game_date: date = columns.GAME_DATE
    player_id: int = columns.PLAYER_ID
    player_name: str = column("display name")
    player_lookup: str = columns.PLAYER_LOOKUP
    game_id: str = columns.GAME_ID
    season: str = columns.SEASON
    team: str = tricode("tricode of the team that lists the player")
    opponent: str = tricode("tricode of the opponent")

    fatigue_score: int = column(
        "freshness: 100 is fresh",
        unit="index",
        formula="100; back-to-back -15, else days_rest >= 3 +5; 4 games in 7 days -10; over 240 minutes in 7 days -10;"
        " over 35 minutes a game -8; back-to-backs in 14 days: 2 or more -12, 1 -5; age 35 or more -10, 30 or more -5;"
        " clamped to 0..100. Essential: back_to_back and games_in_last_7_days. NULL on the return from an absence, which is no"
        " rest: after 10 or more days without a game, and in a first game of the season after its first 14 days",
        nullable=True,
        ge=0,
        le=100,
    )
    fatigue_adjustment: float = column(
        "index of fatigue; 0: fresh; busy players score more than their average, not less",
        unit="index",
        formula="(fatigue_score - 100) / 20",
        nullable=True,
        ge=-5,
        le=0,
    )
    shot_zone_mismatch_score: float = column(
        "index of the matchup of the player's zone with the opponent's defence; positive: favourable",
        unit="index",
        formula="d·min(rate / 50, 1), times 1.2 beyond ±5, clamped to ±10: d = opponent's defence of the primary zone against"
        " the league,  rate = share of shots there; balanced players are compared with the paint. Essential: zone, rate and d",
        precision=1,
        nullable=True,
        ge=-MISMATCH_BOUND,
        le=MISMATCH_BOUND,
    )
    pace_score: float = column(
        "index of the opponent's pace; positive: faster than the league",
        unit="index",
        formula="pace_differential / 2, clamped to ±3",
        precision=1,
        nullable=True,
        ge=-PACE_BOUND,
        le=PACE_BOUND,
    )
    usage_spike_score: float = column(
        "index of the usage that the known absences add; positive: more usage",
        unit="index",
        formula="0.3·(projected_usage_rate - avg_usage_rate_last_7_games); a gain times 1.15 with one star out, 1.30 with more;"
        " clamped to ±3; 0 for an average of 0. Essential: both rates",
        precision=1,
        nullable=True,
        ge=-USAGE_BOUND,
        le=USAGE_BOUND,
    )
    total_composite_adjustment: float = column(
        "sum of the known indices, no points; unknown when none is known",
        unit="index",
        formula="fatigue_adjustment + mismatch + pace + usage, before they are rounded",
        precision=2,
        nullable=True,
        ge=-21,
        le=16,
    )
    data_completeness_pct: float = column(
        "share of the five inputs that are known",
        unit="percent",
        formula="20 each for days_rest, projected_usage_rate, pace_differential, player_shot_zone, team_defense_zone",
        ge=0,
        le=100,
    )
    missing_data_fields: str = column(
        "the inputs that are not known, comma-separated; NULL where none is missing", nullable=True
    )
    warning_details: str = column(
        "EXTREME_FATIGUE (score under 50), EXTREME_MATCHUP (beyond ±8), EXTREME_ADJUSTMENT (beyond ±12), joined by '; '",
        nullable=True,
    )

    days_rest: int = column("free days before the game", unit="days", formula=COPY, nullable=True, ge=0)
    back_to_back: bool = column("true where the player played the day before", formula=COPY, nullable=True)
    games_in_last_7_days: int = column(
        "the player's games in [D - 7, D - 1]", unit="games", formula=COPY, nullable=True, ge=0, le=7
    )
    minutes_in_last_7_days: float = column(
        "the player's minutes in [D - 7, D - 1]", unit="minutes", formula=COPY, precision=2, nullable=True, ge=0
    )
    avg_minutes_per_game_last_7: float = column(
        "minutes per game in [D - 7, D - 1]", unit="minutes", formula=COPY, precision=2, nullable=True, ge=0
    )
    back_to_backs_last_14_days: int = column(
        "pairs of the player's games on consecutive days in [D - 14, D - 1]",
        unit="pairs",
        formula=COPY,
        nullable=True,
        ge=0,
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
    primary_zone_rate: float = column(
        "the player's share of shots in the matched zone",
        unit="percent",
        formula="player_shot_zone_analysis",
        nullable=True,
        ge=0,
        le=100,
    )
    opponent_zone_defense_vs_league_avg: float = column(
        "the opponent's defence of the matched zone; positive: weaker than the league",
        unit="percentage points",
        formula="team_defense_zone_analysis of the opponent",
        nullable=True,
        ge=-100,
        le=100,
    )
    opponent_weakest_zone: str = column(
        "zone where the opponent's defence is weakest",
        formula="team_defense_zone_analysis",
        nullable=True,
        isin=list(DEFENSE_ZONES.values()),
    )
    opponent_pace_last_10: float = column(
        "mean pace of the opponent's last 10 games", unit="possessions per 48 minutes", formula=COPY, nullable=True
    )
    pace_differential: float = column(
        "the opponent's pace against the league's", unit="possessions per 48 minutes", formula=COPY, nullable=True
    )
    avg_usage_rate_last_7_games: float = column(
        "mean usage rate of the player's last 7 games", unit="percent", formula=COPY, nullable=True
    )
    projected_usage_rate: float = column(
        "usage rate to expect with the absences", unit="percent", formula=COPY, nullable=True
    )
    star_teammates_out: int = column(
        "stars among the player's team-mates ruled out", unit="players", formula=COPY, nullable=True, ge=0
    )
    early_season_flag: bool = column("true in the first 14 days of the season", formula=COPY)


PLAYER_COMPOSITE_FACTORS = Table(
    model=PlayerCompositeFactors,
    name="player_composite_factors",
    dataset="nba_precompute",
    key=("game_date", "player_id"),
    partition="game_date",
    cluster=("player_id", "team"),
    rules={
        "fatigue_adjustment is not (score - 100) / 20": lambda t: (
            (t.fatigue_adjustment - (t.fatigue_score - 100) / 20).abs() < 0.001
        ),
        "the total is not the sum of the known factors": lambda t: _total_holds(t),
        "a total without a factor": lambda t: t.total_composite_adjustment.notnull() | t.fatigue_score.isnull(),
        "a weaker defence lowers the matchup": lambda t: (
            t.shot_zone_mismatch_score * t.opponent_zone_defense_vs_league_avg >= 0
        ),
        "missing fields and completeness contradict each other": lambda t: (
            (t.data_completeness_pct < 100) == t.missing_data_fields.notnull()
        ),
    },
)
FACTORS = ("fatigue_adjustment", "shot_zone_mismatch_score", "pace_score", "usage_spike_score")


def _total_holds(t: ir.Table) -> ir.BooleanValue:
    total = added(t[factor].fill_null(0.0) for factor in FACTORS)
    return (t.total_composite_adjustment - total).abs() <= 0.16


def _fires(condition: ir.BooleanValue, points: int) -> ir.IntegerValue:
    return condition.fill_null(False).ifelse(points, 0)


def fatigue_score(c: ir.Table) -> ir.IntegerValue:
    """100 is fresh; every rule that fires takes points, long rest gives some back."""
    rested = ~c.back_to_back & (c.days_rest >= 3)
    twice = c.back_to_backs_last_14_days
    score = (
        _fires(c.back_to_back, -15)
        + _fires(rested, 5)
        + _fires(c.games_in_last_7_days >= 4, -10)
        + _fires(c.minutes_in_last_7_days > 240, -10)
        + _fires(c.avg_minutes_per_game_last_7 > 35, -8)
        + ibis.cases((twice >= 2, -12), (twice == 1, -5), else_=0)
        + ibis.cases((c.player_age >= 35, -10), (c.player_age >= 30, -5), else_=0)
        + FRESH
    )
    absent = (c.days_rest >= RETURN_DAYS).fill_null(~c.early_season_flag)
    known = c.back_to_back.notnull() & c.games_in_last_7_days.notnull() & ~absent
    return known.ifelse(score.clip(0, FRESH), None)


def mismatch(rate: ir.FloatingValue, versus_league: ir.FloatingValue) -> ir.FloatingValue:
    """The opponent's weakness in the zone, weighted by the player's share of shots there."""
    weighted = versus_league * _at_most(rate / FULL_WEIGHT_RATE, 1.0)
    boosted = (weighted.abs() > EXTREME_MISMATCH).ifelse(weighted * EXTREME_BOOST, weighted)
    return _clamped(boosted, MISMATCH_BOUND)


def usage_spike(projected: ir.FloatingValue, average: ir.FloatingValue, stars_out: ir.IntegerValue) -> ir.FloatingValue:
    """Return the usage that absences add to the player, more if stars are out."""
    gain = (projected - average) * USAGE_WEIGHT
    boost = ibis.cases(*[(stars_out >= n, b) for n, b in STAR_BOOSTS.items()], else_=1.0)
    spike = _clamped((gain > 0).ifelse(gain * boost, gain), USAGE_BOUND)
    return (average == 0).ifelse(0.0, spike)


def _at_most(value: ir.FloatingValue, bound: float) -> ir.FloatingValue:
    return (value > bound).ifelse(bound, value)


def _clamped(value: ir.FloatingValue, bound: float) -> ir.FloatingValue:
    """The value within ±bound; NULL stays NULL."""
    return ibis.cases((value > bound, bound), (value < -bound, -bound), else_=value)


def matched(zone: ir.StringValue, values: Mapping[str, ir.FloatingValue]) -> ir.FloatingValue:
    """Return the value of the zone that a player of this primary zone is compared with."""
    return zone.cases(*[(z, values[key]) for z, key in MATCHED_ZONE.items()], else_=ibis.null("float64"))


IDENTITY = ("player_id", "player_name", "player_lookup", "game_id", "season", "team", "opponent")
COPIES = (
    "days_rest",
    "back_to_back",
    "games_in_last_7_days",
    "minutes_in_last_7_days",
    "avg_minutes_per_game_last_7",
    "back_to_backs_last_14_days",
    "player_age",
    "opponent_pace_last_10",
    "pace_differential",
    "avg_usage_rate_last_7_games",
    "projected_usage_rate",
    "star_teammates_out",
    "early_season_flag",
)


def inputs(context: ir.Table, zones: ir.Table, defense: ir.Table) -> ir.Table:
    """The context of every listed player, the player's zone, and the opponent's defence of it."""
    joined = context.left_join(
        zones, [context.game_date == zones.analysis_date, context.player_id == zones.player_id]
    ).left_join(defense, [context.game_date == defense.analysis_date, context.opponent == defense.team])
    zone = zones.primary_scoring_zone
    kinds = ("paint", "mid_range", "three_pt")
    return joined.select(
        context.game_date,
        *[context[c] for c in (*IDENTITY, *COPIES)],
        primary_scoring_zone=zone,
        primary_zone_rate=matched(zone, {z: zones[f"{z}_rate_last_10"] for z in kinds}),
        opponent_zone_defense_vs_league_avg=matched(zone, {z: defense[f"{z}_defense_vs_league_avg"] for z in kinds}),
        opponent_weakest_zone=defense.weakest_zone,
    )


def build(context: ir.Table, zones: ir.Table, defense: ir.Table) -> ir.Table:
    """Compute the four factors from known inputs, and name the unknown ones."""
    given = inputs(context, zones, defense)
    scored = given.mutate(fatigue_score=fatigue_score(given))
    scored = scored.mutate(
        fatigue_adjustment=(scored.fatigue_score - FRESH) / POINTS_PER_FATIGUE,
        shot_zone_mismatch_score=mismatch(scored.primary_zone_rate, scored.opponent_zone_defense_vs_league_avg),
        pace_score=_clamped(scored.pace_differential / PACE_DIVISOR, PACE_BOUND),
        usage_spike_score=usage_spike(
            scored.projected_usage_rate, scored.avg_usage_rate_last_7_games, scored.star_teammates_out
        ),
    )
    unknown = added(scored[f].notnull().cast("int64") for f in FACTORS) == 0
    total = added(scored[f].fill_null(0.0) for f in FACTORS)
    scored = scored.mutate(total_composite_adjustment=unknown.ifelse(None, total))
    missing = {
        "days_rest": scored.days_rest.isnull(),
        "projected_usage_rate": scored.projected_usage_rate.isnull(),
        "pace_differential": scored.pace_differential.isnull(),
        "player_shot_zone": scored.primary_scoring_zone.isnull(),
        "team_defense_zone": scored.opponent_weakest_zone.isnull(),
    }
    warnings = {
        "EXTREME_FATIGUE": scored.fatigue_score < LOW_FATIGUE_SCORE,
        "EXTREME_MATCHUP": scored.shot_zone_mismatch_score.abs() > HIGH_MISMATCH,
        "EXTREME_ADJUSTMENT": scored.total_composite_adjustment.abs() > HIGH_TOTAL,
    }
    absent = added(m.cast("int64") for m in missing.values())
    return scored.mutate(
        data_completeness_pct=100.0 - 20.0 * absent,
        missing_data_fields=names_where(missing),
        warning_details=names_where(warnings, "; "),
    )


def expected(context: ir.Table) -> ir.Table:
    """Every listed player of the day."""
    return context.select("game_date", "player_id", reason=ibis.null("string"))


TRANSFORM = Transform(
    PLAYER_COMPOSITE_FACTORS,
    build,
    reads={
        "context": asof.same_day(UPCOMING_PLAYER_GAME_CONTEXT),
        "zones": asof.same_day(PLAYER_SHOT_ZONE_ANALYSIS),
        "defense": asof.same_day(TEAM_DEFENSE_ZONE_ANALYSIS),
    },
    expected=expected,
    watched=("shot_zone_mismatch_score", "pace_score", "usage_spike_score"),
)
