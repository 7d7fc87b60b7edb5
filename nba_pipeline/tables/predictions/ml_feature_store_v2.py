"""nba_predictions.ml_feature_store_v2: every feature of every listed player, and the names of unknown ones."""

from collections.abc import Mapping
from datetime import date

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import union
from nba_pipeline.contracts.table import FloatArray, Rows, Table, column
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.analytics.player_game_summary import PLAYER_GAME_SUMMARY
from nba_pipeline.tables.analytics.team_defense_game_summary import TEAM_DEFENSE_GAME_SUMMARY
from nba_pipeline.tables.analytics.team_offense_game_summary import TEAM_OFFENSE_GAME_SUMMARY
from nba_pipeline.tables.analytics.upcoming_player_game_context import UPCOMING_PLAYER_GAME_CONTEXT
from nba_pipeline.tables.analytics.upcoming_team_game_context import UPCOMING_TEAM_GAME_CONTEXT
from nba_pipeline.tables.precompute.player_composite_factors import PLAYER_COMPOSITE_FACTORS
from nba_pipeline.tables.precompute.player_daily_cache import PLAYER_DAILY_CACHE
from nba_pipeline.tables.precompute.player_shot_zone_analysis import PLAYER_SHOT_ZONE_ANALYSIS
from nba_pipeline.tables.precompute.samples import MIN_GAMES, added, names_where, shortfall
from nba_pipeline.tables.precompute.team_defense_zone_analysis import TEAM_DEFENSE_ZONE_ANALYSIS
from nba_pipeline.tables.predictions.features import FeatureVersion, feature_columns
from nba_pipeline.tables.predictions.form_features import FORM_FEATURES, YEAR_DAYS, form_features
from nba_pipeline.tables.predictions.game_features import GAME_FEATURES, game_features
from nba_pipeline.tables.predictions.matchup_features import MATCHUP_FEATURES, matchup_features
from nba_pipeline.tables.predictions.published_features import require_unchanged
from nba_pipeline.tables.predictions.role_features import ROLE_FEATURES, role_features
from nba_pipeline.tables.predictions.similarity_features import SIMILARITY_FEATURES, at_home, similarity_features
from nba_pipeline.tables.predictions.versions import VERSIONS, all_features
from nba_pipeline.tables.raw.columns import tricode
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.shared import columns

READY_GAMES = 10
FORM = ("points_avg_last_5", "points_avg_last_10", "points_avg_season")
INJURY_RISK = {"out": 3, "doubtful": 3, "questionable": 2, "probable": 1, "available": 0}
REST_BOUND = 2
FREE_THROW_BOUND = 0.5
PLAYOFFS = "Playoffs"
NOT_A_NUMBER = float("nan")


class ListedPlayer(Rows):
    """The listed player that the features describe. One row per listed player."""

    game_date: date = column("US-Eastern calendar date of the game; features use only earlier information")
    player_id: int = columns.PLAYER_ID
    feature_version: str = column("version of the features", isin=list(VERSIONS))
    player_name: str = column("display name")
    player_lookup: str = columns.PLAYER_LOOKUP
    game_id: str = columns.GAME_ID
    season: str = columns.SEASON
    season_type: str = columns.SEASON_TYPE
    team: str = tricode("tricode of the team that lists the player")
    opponent: str = tricode("tricode of the opponent")
    home_game: bool = column("true for the home team of the schedule, also on a neutral site")
    days_rest: int = column(
        "free days before the game; NULL before the player's first game of the season", unit="days", nullable=True, ge=0
    )
    games_played_season: int = column("the player's games this season", unit="games", ge=0, le=125)


FeatureColumns = feature_columns(all_features())


class MlFeatureStoreV2(FeatureColumns, ListedPlayer):
    """The features of every listed player before the game, one column each and as an array in the order of the version. An
    unknown feature is NULL in its column, NaN in the array and named in unknown_features; none is ever filled with a default.
    One row per day, listed player and feature version.
    """

    features: FloatArray = column(
        "the version's features in contractual order (nba_pipeline.tables.predictions.features); unknown is NaN"
    )
    feature_count: int = column("features of the version", unit="features", ge=1)
    known_features: int = column("features of the version that are not NULL", unit="features", ge=0)
    unknown_features: str = column("names of features that are NULL, comma-separated; NULL if none is", nullable=True)
    feature_quality_score: float = column(
        "weighted share of known features among those that can be NULL",
        unit="percent",
        formula="100·Σ weight of known features / Σ weight of all; the four form features weigh 3 each, features that are never"
        " NULL weigh 0, every other feature 1",
        precision=2,
        ge=0,
        le=100,
    )
    is_production_ready: bool = column(
        "true if the row may be used for a forecast",
        formula=f"at least {READY_GAMES} games this season and points_avg_last_5, points_avg_last_10 and points_avg_season known",
    )
    early_season_flag: bool = column("true in the first 14 days of the season", formula="upcoming_player_game_context")
    insufficient_data_reason: str = column("reason that the row is not production-ready; NULL if it is", nullable=True)


def _array_holds(t: ir.Table) -> ir.BooleanValue:
    return (t.features.length() == t.feature_count) & (t.known_features <= t.feature_count)


ML_FEATURE_STORE = Table(
    model=MlFeatureStoreV2,
    name="ml_feature_store_v2",
    dataset="nba_predictions",
    key=("game_date", "player_id", "feature_version"),
    partition="game_date",
    cluster=("feature_version", "player_id"),
    rules={
        "the array is not as long as the version": _array_holds,
        "known features and the names of the unknown ones contradict each other": lambda t: (
            (t.known_features < t.feature_count) == t.unknown_features.notnull()
        ),
        "readiness and reason contradict each other": lambda t: (
            t.is_production_ready == t.insufficient_data_reason.isnull()
        ),
        "ready on too few games": lambda t: ~t.is_production_ready | (t.games_played_season >= READY_GAMES),
        "the shot shares do not add up to 1": lambda t: (t.pct_paint + t.pct_mid_range + t.pct_three - 1).abs() < 0.001,
        "back_to_back and days of rest disagree": lambda t: (t.back_to_back == 1) == (t.days_rest == 0),
        "home_away is not home_game": lambda t: (t.home_away == 0.5) | ((t.home_away == 1) == t.home_game),
        "playoff_game is not the kind of game": lambda t: (t.playoff_game == 1) == (t.season_type == PLAYOFFS),
    },
)

IDENTITY = (
    "player_id",
    "player_name",
    "player_lookup",
    "game_id",
    "season",
    "season_type",
    "team",
    "opponent",
    "home_game",
    "days_rest",
    "games_played_season",
)


def trend(difference: ir.FloatingValue, large: float, small: float) -> ir.IntegerValue:
    """2, 1, 0, -1 or -2 as the difference reaches the large or the small bound on either side; NULL stays NULL."""
    return ibis.cases(
        (difference >= large, 2),
        (difference >= small, 1),
        (difference <= -large, -2),
        (difference <= -small, -1),
        (difference.notnull(), 0),
        else_=ibis.null("int64"),
    )


def injury_risk(status: ir.StringValue, source: ir.StringValue, reported: ir.BooleanValue) -> ir.IntegerValue:
    """The grade of the status; 0 if the source reports injuries but none of the player, NULL if it reports none or unclearly."""
    unspoken = (source.isnull() & reported).fill_null(False).ifelse(0, None)
    return status.cases(*INJURY_RISK.items(), else_=unspoken)


def rest_advantage(own: ir.IntegerValue, team: ir.IntegerValue, opponent: ir.IntegerValue) -> ir.IntegerValue:
    """Return the player's free days beyond the opponent's, clamped; those of games that the player missed are no rest.

    Args:
        own: Free days since the player's latest game.
        team: Free days since the team's latest game; NULL: not known, then `own` counts.
        opponent: Free days since the opponent's latest game.
    """
    rested = (own > team).fill_null(False).ifelse(team, own)
    return (rested - opponent).clip(-REST_BOUND, REST_BOUND)


def from_context(c: ir.Table) -> dict[str, ir.Value]:
    """Features of the game and of the player's availability."""
    return {
        "injury_risk": injury_risk(c.injury_status, c.injury_status_source, c.injuries_reported),
        "back_to_back": c.back_to_back.cast("int64"),
        "playoff_game": (c.season_type == PLAYOFFS).cast("int64"),
    }


def from_history(h: ir.Table) -> dict[str, ir.Value]:
    """Features of the player's last games and of the player's team's season."""
    latest_three, before_them = h.points_last_3 / 3, (h.points_last_5 - h.points_last_3) / 2
    return {
        "recent_trend": trend((h.games_last_5 >= 5).ifelse(latest_three - before_them, None), 5, 2),
        "pct_free_throw": (h.free_throw_share > FREE_THROW_BOUND).ifelse(FREE_THROW_BOUND, h.free_throw_share),
        "team_win_pct": h.team_win_pct,
    }


def from_cache(p: ir.Table) -> dict[str, ir.Value]:
    """Features of player_daily_cache."""
    change = (p.minutes_avg_last_10 - p.minutes_avg_season) / p.minutes_avg_season.nullif(0.0)
    same = (
        "points_avg_last_5",
        "points_avg_last_10",
        "points_avg_season",
        "points_std_last_10",
        "games_in_last_7_days",
    )
    return {n: p[n] for n in same} | {
        "minutes_change": trend((p.games_played_season > READY_GAMES).ifelse(change, None), 0.20, 0.10),
        "team_pace": p.team_pace_last_10,
        "team_off_rating": p.team_off_rating_last_10,
    }


def from_zones(zones: ir.Table, factors: ir.Table, defense: ir.Table) -> dict[str, ir.Value]:
    """Features of the shot zones, of the factors, and of the opponent's defence."""
    same = ("fatigue_score", "shot_zone_mismatch_score", "pace_score", "usage_spike_score")
    return {n: factors[n] for n in same} | {
        "pct_paint": zones.paint_rate_last_10 / 100,
        "pct_mid_range": zones.mid_range_rate_last_10 / 100,
        "pct_three": zones.three_pt_rate_last_10 / 100,
        "opponent_def_rating": defense.defensive_rating_last_15,
        "opponent_pace": defense.opponent_pace,
    }


def history(context: ir.Table, games: ir.Table, offense: ir.Table) -> ir.Table:
    """Every listed player with sums over the player's last games and the player's team's share of wins."""
    listed = context.select("game_date", "season", "player_id", "team")
    played = games.select("game_date", "season", "player_id", "points", "ft_makes")
    results = offense.select("game_date", "season", "team", won=offense.win_flag.cast("int64"))
    sums = {
        "points_last_3": asof.total("points", last=3),
        "points_last_5": asof.total("points", last=5),
        "games_last_5": asof.count(last=5),
        "free_throw_share": asof.ratio("ft_makes", "points", last=10, at_least=MIN_GAMES),
    }
    rows = asof.attach(listed, played, sums, by=("player_id",))
    return asof.attach(rows, results, {"team_win_pct": asof.mean("won", at_least=MIN_GAMES)}, by=("team",))


def build(
    context: ir.Table,
    games: ir.Table,
    offense: ir.Table,
    cache: ir.Table,
    factors: ir.Table,
    zones: ir.Table,
    defense: ir.Table,
    defense_games: ir.Table,
    year: ir.Table,
    team_context: ir.Table,
    season_games: ir.Table,
    past_listed: ir.Table,
) -> ir.Table:
    """All features side by side, then one row per version."""
    past = history(context, games, offense)
    listed = context.select(
        *("game_date", "season", "player_id", "team", "injuries_reported"),
        *("injury_status", "injury_status_source", "injury_reported_on"),
    )
    role = role_features(form_features(listed, year), games, offense, past_listed)
    game = game_features(context, team_context, offense)
    matchup = matchup_features(context, games, cache, zones, defense, defense_games)
    similar = similarity_features(context, games, defense_games, team_context, season_games)

    def of_player(t: ir.Table, day: str) -> list[ir.BooleanValue]:
        return [context.game_date == t[day], context.player_id == t.player_id]

    joined = (
        context.left_join(past, of_player(past, "game_date"))
        .left_join(cache, of_player(cache, "cache_date"))
        .left_join(factors, of_player(factors, "game_date"))
        .left_join(zones, of_player(zones, "analysis_date"))
        .left_join(defense, [context.game_date == defense.analysis_date, context.opponent == defense.team])
        .left_join(role, of_player(role, "game_date"))
        .left_join(game, of_player(game, "game_date"))
        .left_join(matchup, of_player(matchup, "game_date"))
        .left_join(similar, of_player(similar, "game_date"))
        .left_join(team_context, [context.game_date == team_context.game_date, context.team == team_context.team])
    )
    features = from_context(context) | from_history(past) | from_cache(cache) | from_zones(zones, factors, defense)
    features["rest_advantage"] = rest_advantage(
        context.days_rest, team_context.team_days_rest, context.opponent_days_rest
    )
    features["home_away"] = at_home(context.home_game, team_context.neutral_site)
    features |= {f.name: role[f.name] for f in (*FORM_FEATURES, *ROLE_FEATURES)}
    features |= {f.name: game[f.name] for f in GAME_FEATURES}
    features |= {f.name: matchup[f.name] for f in MATCHUP_FEATURES}
    features |= {f.name: similar[f.name] for f in SIMILARITY_FEATURES}
    wide = joined.select(
        context.game_date,
        **{c: context[c] for c in IDENTITY},
        **{f.name: features[f.name].cast("float64") for f in all_features()},
        early_season_flag=context.early_season_flag,
    ).view()
    return union(*(of_version(wide, v) for v in VERSIONS.values()))


def of_version(wide: ir.Table, version: FeatureVersion) -> ir.Table:
    """The rows of one version: its features, the array of them, and how much of it is known."""
    mine: Mapping[str, ir.FloatingValue] = {n: wide[n] for n in version.names}
    is_known = {n: v.notnull().cast("int64") for n, v in mine.items()}
    formless = names_where({n: wide[n].isnull() for n in FORM})
    reason = ibis.coalesce(shortfall(wide.games_played_season, READY_GAMES), formless + " unknown")
    return wide.select(
        "game_date",
        *IDENTITY,
        **{f.name: mine.get(f.name, ibis.null("float64")) for f in all_features()},
        feature_version=ibis.literal(version.name),
        features=ibis.array([v.fill_null(NOT_A_NUMBER) for v in mine.values()]),
        feature_count=ibis.literal(len(mine), "int64"),
        known_features=added(is_known.values()),
        unknown_features=names_where({n: v.isnull() for n, v in mine.items()}),
        feature_quality_score=100.0 * added(f.weight * is_known[f.name] for f in version.features) / version.weight,
        is_production_ready=reason.isnull(),
        early_season_flag=wide.early_season_flag,
        insufficient_data_reason=reason,
    )


def expected(context: ir.Table) -> ir.Table:
    """Every listed player of the day, in every version."""
    listed = context.select("game_date", "player_id", reason=ibis.null("string"))
    return union(*(listed.mutate(feature_version=ibis.literal(v)) for v in VERSIONS))


TRANSFORM = Transform(
    ML_FEATURE_STORE,
    build,
    reads={
        "context": asof.same_day(UPCOMING_PLAYER_GAME_CONTEXT),
        "games": asof.season_to_date(PLAYER_GAME_SUMMARY),
        "offense": asof.season_to_date(TEAM_OFFENSE_GAME_SUMMARY),
        "cache": asof.same_day(PLAYER_DAILY_CACHE),
        "factors": asof.same_day(PLAYER_COMPOSITE_FACTORS),
        "zones": asof.same_day(PLAYER_SHOT_ZONE_ANALYSIS),
        "defense": asof.same_day(TEAM_DEFENSE_ZONE_ANALYSIS),
        "defense_games": asof.season_to_date(TEAM_DEFENSE_GAME_SUMMARY),
        "year": asof.before(PLAYER_GAME_SUMMARY, YEAR_DAYS),
        "team_context": asof.same_day(UPCOMING_TEAM_GAME_CONTEXT),
        "season_games": asof.season_to_date(SCHEDULE),
        "past_listed": asof.season_to_date(UPCOMING_PLAYER_GAME_CONTEXT),
    },
    expected=expected,
    watched=tuple(f.name for f in all_features() if f.missing),
    definition_check=require_unchanged(VERSIONS),
)
