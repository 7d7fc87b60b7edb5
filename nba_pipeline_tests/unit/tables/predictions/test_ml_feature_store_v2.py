"""The features: their order, their signs, what is unknown, and that the future does not reach them."""

import math
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.common.errors import ContractError
from nba_pipeline.contracts.table import COMPUTED_AT, HASH_COLUMN
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.predictions.features import BASELINE_25, FeatureVersion
from nba_pipeline.tables.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline.tables.predictions.versions import VERSIONS, all_features
from nba_pipeline_tests.support import day, expected_rows, run

TRANSFORM = CATALOG[ML_FEATURE_STORE.id]
DAY = day("2024-01-10")
SEASON = {"season": "2023-24"}
LISTED: dict[str, Any] = SEASON | {
    "game_date": DAY,
    "player_id": 7,
    "player_name": "A B",
    "player_lookup": "ab",
    "game_id": "0022300500",
    "season_type": "Regular Season",
    "team": "BOS",
    "opponent": "LAL",
    "home_game": True,
    "games_played_season": 30,
    "days_rest": 1,
    "back_to_back": False,
    "opponent_days_rest": 1,
    "injuries_reported": True,
    "early_season_flag": False,
}
CACHE: dict[str, Any] = {
    "cache_date": DAY,
    "player_id": 7,
    "games_played_season": 30,
    "points_avg_last_5": 21.0,
    "points_avg_last_10": 20.0,
    "points_avg_season": 19.0,
    "points_std_last_10": 6.0,
    "minutes_avg_last_10": 33.0,
    "minutes_avg_season": 32.0,
    "games_in_last_7_days": 3,
    "team_pace_last_10": 99.0,
    "team_off_rating_last_10": 115.0,
}
FACTORS: dict[str, Any] = {
    "game_date": DAY,
    "player_id": 7,
    "fatigue_score": 90,
    "shot_zone_mismatch_score": 1.5,
    "pace_score": -0.5,
    "usage_spike_score": 0.8,
}
ZONES: dict[str, Any] = {
    "analysis_date": DAY,
    "player_id": 7,
    "paint_rate_last_10": 45.0,
    "mid_range_rate_last_10": 15.0,
    "three_pt_rate_last_10": 40.0,
}
DEFENSE: dict[str, Any] = {
    "analysis_date": DAY,
    "team": "LAL",
    "defensive_rating_last_15": 113.0,
    "opponent_pace": 101.0,
}


def games(points: list[int], ft_makes: int = 4, **more: Any) -> list[dict[str, Any]]:
    """Games with these points, the newest first, one a day."""
    return [
        SEASON | {"player_id": 7, "game_date": DAY - timedelta(days=n), "points": p, "ft_makes": ft_makes} | more
        for n, p in enumerate(points, 1)
    ]


def results(wins: int, losses: int) -> list[dict[str, Any]]:
    outcomes = [True] * wins + [False] * losses
    return [
        SEASON | {"team": "BOS", "game_date": DAY - timedelta(days=n), "win_flag": w} for n, w in enumerate(outcomes, 1)
    ]


def row(**more: Any) -> pd.Series:
    """The features of one player; `context`, `cache`, ... change single values, None takes the source row away."""
    rows = {"context": LISTED, "cache": CACHE, "factors": FACTORS, "zones": ZONES, "defense": DEFENSE}
    given: dict[str, Any] = {n: [r | more.get(n, {})] for n, r in rows.items() if more.get(n, {}) is not None}
    given["games"] = more.get("games", games([20] * 12))
    given["offense"] = more.get("offense", results(6, 4))
    given["team_context"] = more.get("team_context", [])
    return run(TRANSFORM, [DAY], **given).iloc[0]


BARE = {"cache": None, "factors": None, "zones": None, "defense": None, "games": [], "offense": []}


def test_the_order_of_the_25_features_is_contractual() -> None:
    assert BASELINE_25.name == "v1_baseline_25"
    assert BASELINE_25.names == (
        *("points_avg_last_5", "points_avg_last_10", "points_avg_season", "points_std_last_10", "games_in_last_7_days"),
        *("fatigue_score", "shot_zone_mismatch_score", "pace_score", "usage_spike_score", "rest_advantage"),
        *("injury_risk", "recent_trend", "minutes_change", "opponent_def_rating", "opponent_pace"),
        *("home_away", "back_to_back", "playoff_game", "pct_paint", "pct_mid_range"),
        *("pct_three", "pct_free_throw", "team_pace", "team_off_rating", "team_win_pct"),
    )


def test_the_array_holds_the_columns_in_order() -> None:
    found = row()
    assert list(found.features) == [found[n] for n in BASELINE_25.names]
    assert (found.feature_count, found.known_features) == (25, 25)
    assert pd.isna(found.unknown_features)
    assert found.feature_quality_score == 100
    assert found.is_production_ready
    assert pd.isna(found.insufficient_data_reason)


def test_values_come_from_their_sources() -> None:
    found = row()
    assert (found.pct_paint, found.pct_mid_range, found.pct_three) == (0.45, 0.15, 0.4)
    assert (found.opponent_def_rating, found.opponent_pace, found.team_win_pct) == (113, 101, 0.6)
    assert (found.fatigue_score, found.usage_spike_score, found.pct_free_throw) == (90, 0.8, 0.2)


def test_an_unknown_feature_is_null_nan_and_named_never_a_default() -> None:
    found = row(defense=None)
    assert pd.isna(found.opponent_def_rating)
    assert math.isnan(found.features[BASELINE_25.names.index("opponent_def_rating")])
    assert found.unknown_features == "opponent_def_rating, opponent_pace"
    assert found.known_features == 23


def test_zero_is_known() -> None:
    found = row(games=games([20] * 12, ft_makes=0), factors={"pace_score": 0.0}, zones={"mid_range_rate_last_10": 0.0})
    assert (found.pct_free_throw, found.pace_score, found.pct_mid_range) == (0, 0, 0)
    assert found.known_features == 25


def test_quality_reaches_0_when_nothing_that_can_be_unknown_is_known() -> None:
    new = {"games_played_season": 0, "days_rest": None, "opponent_days_rest": None, "injuries_reported": False}
    unseen = {c: None for c in CACHE if "avg" in c or "std" in c or "team" in c} | {"games_played_season": 0}
    unscored = dict.fromkeys(("fatigue_score", "shot_zone_mismatch_score", "pace_score", "usage_spike_score"))
    found = row(**BARE | {"context": new, "cache": unseen, "factors": unscored})
    assert found.feature_quality_score == 0
    assert not found.is_production_ready
    assert found.insufficient_data_reason == "0 of 10 games of the season"


def test_quality_weighs_form_three_times() -> None:
    full = sum(f.weight for f in BASELINE_25.features)
    assert row(cache={"points_avg_last_5": None}).feature_quality_score == pytest.approx(
        100 * (full - 3) / full, abs=0.01
    )
    assert row(defense=None).feature_quality_score == pytest.approx(100 * (full - 2) / full, abs=0.01)


@pytest.mark.parametrize("version", VERSIONS.values(), ids=list(VERSIONS))
def test_a_feature_weighs_in_the_quality_if_and_only_if_it_can_be_unknown(version: FeatureVersion) -> None:
    assert {f.name for f in version.features if f.weight} == {f.name for f in version.features if f.missing}


def test_ready_means_ten_games_and_known_form() -> None:
    assert row(context={"games_played_season": 9}).insufficient_data_reason == "9 of 10 games of the season"
    formless = row(cache={"points_avg_last_10": None})
    assert not formless.is_production_ready
    assert formless.insufficient_data_reason == "points_avg_last_10 unknown"
    assert row(defense=None, zones=None).is_production_ready


@pytest.mark.parametrize(
    ("newest_first", "trend"),
    [
        ([30, 30, 30, 20, 20], 2),
        ([20, 20, 20, 30, 30], -2),
        ([22, 22, 22, 20, 20], 1),
        ([20, 20, 20, 22, 22], -1),
        ([21, 21, 21, 20, 20], 0),
        ([30, 30, 30, 20], None),
    ],
)
def test_recent_trend_is_positive_when_form_is_rising(newest_first: list[int], trend: int | None) -> None:
    found = row(games=games(newest_first)).recent_trend
    assert found == trend if trend is not None else pd.isna(found)


@pytest.mark.parametrize(
    ("recent", "season", "grade"), [(36, 30, 2), (33, 30, 1), (30, 30, 0), (27, 30, -1), (24, 30, -2), (32, 30, 0)]
)
def test_minutes_change_is_positive_when_minutes_rise(recent: float, season: float, grade: int) -> None:
    found = row(cache={"minutes_avg_last_10": float(recent), "minutes_avg_season": float(season)})
    assert found.minutes_change == grade


def test_minutes_change_is_unknown_while_the_last_ten_games_are_the_season() -> None:
    assert pd.isna(row(cache={"games_played_season": 10}).minutes_change)


@pytest.mark.parametrize(("own", "theirs", "advantage"), [(3, 0, 2), (2, 1, 1), (1, 1, 0), (0, 1, -1), (0, 6, -2)])
def test_rest_advantage_is_his_rest_against_the_opponents(own: int, theirs: int, advantage: int) -> None:
    found = row(context={"days_rest": own, "back_to_back": own == 0, "opponent_days_rest": theirs})
    assert found.rest_advantage == advantage


@pytest.mark.parametrize(("own", "team", "advantage"), [(30, 1, 0), (3, 2, 1), (2, 2, 1), (1, 2, 0), (30, 4, 2)])
def test_games_that_a_player_missed_are_no_rest(own: int, team: int, advantage: int) -> None:
    site = {"game_date": DAY, "team": "BOS", "team_days_rest": team}
    assert row(context={"days_rest": own, "opponent_days_rest": 1}, team_context=[site]).rest_advantage == advantage


@pytest.mark.parametrize("unknown", ["days_rest", "opponent_days_rest"])
def test_rest_advantage_needs_both(unknown: str) -> None:
    assert pd.isna(row(context={unknown: None}).rest_advantage)


@pytest.mark.parametrize(
    ("status", "risk"), [("out", 3), ("doubtful", 3), ("questionable", 2), ("probable", 1), ("available", 0)]
)
def test_injury_risk(status: str, risk: int) -> None:
    assert row(context={"injury_status": status, "injury_status_source": "official_report"}).injury_risk == risk


def test_injury_risk_without_a_statement_is_0_only_where_the_source_speaks_of_injuries() -> None:
    assert row().injury_risk == 0
    assert pd.isna(row(context={"injuries_reported": False}).injury_risk)
    assert pd.isna(row(context={"injury_status_source": "official_report"}).injury_risk)


def test_flags_of_the_game() -> None:
    away = row(context={"home_game": False, "back_to_back": True, "days_rest": 0, "season_type": "Playoffs"})
    assert (away.home_away, away.back_to_back, away.playoff_game) == (0, 1, 1)
    home = row(context={"season_type": "PlayIn"})
    assert (home.home_away, home.back_to_back, home.playoff_game) == (1, 0, 0)


@pytest.mark.parametrize("hosts", [True, False])
def test_on_a_neutral_site_neither_team_has_the_advantage_of_home(hosts: bool) -> None:
    site = {"game_date": DAY, "team": "BOS", "neutral_site": True}
    assert row(context={"home_game": hosts}, team_context=[site]).home_away == 0.5


@pytest.mark.parametrize(("wins", "losses", "share"), [(5, 0, 1.0), (0, 5, 0.0), (3, 1, None), (41, 41, 0.5)])
def test_team_win_pct_is_real_and_needs_five_games(wins: int, losses: int, share: float | None) -> None:
    found = row(offense=results(wins, losses)).team_win_pct
    assert found == share if share is not None else pd.isna(found)


def test_free_throw_share_of_40_in_200_points_is_0_2_and_at_most_one_half() -> None:
    assert row(games=games([20] * 10, ft_makes=4)).pct_free_throw == 0.2
    assert row(games=games([4] * 10, ft_makes=4)).pct_free_throw == 0.5
    assert pd.isna(row(games=games([0] * 10, ft_makes=0)).pct_free_throw)
    assert pd.isna(row(games=games([20] * 4)).pct_free_throw)


def test_no_feature_is_constant_when_its_inputs_vary() -> None:
    a = row()
    game = {"home_game": False, "back_to_back": True, "days_rest": 0, "season_type": "Playoffs", "injury_status": "out"}
    form = {n: v + 1 for n, v in CACHE.items() if isinstance(v, float)} | {"games_in_last_7_days": 1}
    b = row(
        context=game,
        cache=form | {"minutes_avg_last_10": 40.0},
        factors={n: v + 1 for n, v in FACTORS.items() if "score" in n},
        zones={"paint_rate_last_10": 40.0, "mid_range_rate_last_10": 18.0, "three_pt_rate_last_10": 42.0},
        defense={"defensive_rating_last_15": 110.0, "opponent_pace": 98.0},
        games=games([30, 30, 30, 10, 10, 10], ft_makes=6),
        offense=results(4, 6),
    )
    assert [n for n in BASELINE_25.names if a[n] == b[n]] == []


def test_absurd_facts_from_the_day_on_change_nothing() -> None:
    later = [g | {"game_date": DAY + timedelta(days=n)} for n, g in enumerate(games([199] * 9, ft_makes=99))]
    lost = [r | {"game_date": DAY + timedelta(days=n)} for n, r in enumerate(results(0, 9))]
    calm = row()
    absurd = row(games=games([20] * 12) + later, offense=results(6, 4) + lost)
    pd.testing.assert_series_equal(absurd.drop("features"), calm.drop("features"))
    assert list(absurd.features) == list(calm.features)


def test_the_season_before_does_not_count() -> None:
    assert pd.isna(row(games=games([20] * 12, season="2022-23")).recent_trend)


def test_every_listed_player_has_a_row_in_every_version() -> None:
    expected = expected_rows(TRANSFORM, context=[LISTED])
    rows = sorted((r["game_date"], r["player_id"], r["feature_version"]) for r in expected)
    assert rows == sorted((DAY, 7, v) for v in VERSIONS)


def test_every_feature_is_a_column_and_every_column_is_hashed() -> None:
    assert {f.name for f in all_features()} < set(ML_FEATURE_STORE.columns)
    assert set(ML_FEATURE_STORE.hash_fields) == set(ML_FEATURE_STORE.columns) - {HASH_COLUMN, COMPUTED_AT}
    assert {"early_season_flag", "insufficient_data_reason", "features"} <= set(ML_FEATURE_STORE.hash_fields)


@pytest.mark.parametrize("field", ["early_season_flag", "insufficient_data_reason"])
def test_a_build_that_forgets_a_hash_field_is_refused_by_name(field: str) -> None:
    produced = [c for c in ML_FEATURE_STORE.computed_columns if c != field]
    with pytest.raises(ContractError, match=rf"ml_feature_store_v2.*hash fields missing: {field}"):
        ML_FEATURE_STORE.require_columns(produced, "2026-01-07")


def test_every_feature_says_what_it_is_and_when_it_is_unknown() -> None:
    for f in all_features():
        assert f.description
        assert f.unit
        assert f.source.count(".") == 1, f"{f.name}: source {f.source!r}. Fix: name one table, as dataset.table"
        assert f.window
        assert f.missing or f.weight == 0
