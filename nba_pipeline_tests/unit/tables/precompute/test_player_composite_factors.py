"""Fatigue, matchup, pace and usage as points of adjustment."""

from typing import Any

import pandas as pd
import pytest

from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.precompute.player_composite_factors import PLAYER_COMPOSITE_FACTORS
from nba_pipeline_tests.support import day, expected_rows, run

TRANSFORM = CATALOG[PLAYER_COMPOSITE_FACTORS.id]
DAY = day("2024-01-10")
LISTED = {
    "game_date": DAY,
    "player_id": 7,
    "player_name": "A B",
    "player_lookup": "ab",
    "season": "2023-24",
    "team": "BOS",
    "opponent": "LAL",
}
RESTED: dict[str, Any] = {
    "days_rest": 2,
    "back_to_back": False,
    "games_in_last_7_days": 3,
    "minutes_in_last_7_days": 100.0,
    "avg_minutes_per_game_last_7": 33.3,
    "back_to_backs_last_14_days": 0,
}


def row(zones: dict[str, Any] | None = None, defense: dict[str, Any] | None = None, **context: Any) -> pd.Series:
    """The factors of one player. `zones` and `defense` are his shot zones and the opponent's defence; None: no row."""
    given: dict[str, list[dict[str, Any]]] = {"context": [LISTED | context]}
    if zones is not None:
        given["zones"] = [{"analysis_date": DAY, "player_id": 7} | zones]
    if defense is not None:
        given["defense"] = [{"analysis_date": DAY, "team": "LAL"} | defense]
    return run(TRANSFORM, [DAY], **given).iloc[0]


@pytest.mark.parametrize(
    ("load", "score", "adjustment"),
    [
        ({}, 100, 0.0),
        (
            {
                "days_rest": 1,
                "games_in_last_7_days": 4,
                "minutes_in_last_7_days": 150.0,
                "avg_minutes_per_game_last_7": 37.5,
                "back_to_backs_last_14_days": 1,
            },
            77,
            -1.15,
        ),
        (
            {
                "games_in_last_7_days": 4,
                "minutes_in_last_7_days": 148.0,
                "avg_minutes_per_game_last_7": 37.0,
                "back_to_backs_last_14_days": 2,
            },
            70,
            -1.5,
        ),
        ({"days_rest": 3, "games_in_last_7_days": 4}, 95, -0.25),
        ({"days_rest": 0, "back_to_back": True}, 85, -0.75),
        ({"minutes_in_last_7_days": 241.0}, 90, -0.5),
        ({"minutes_in_last_7_days": 240.0, "avg_minutes_per_game_last_7": 35.0}, 100, 0.0),
        ({"player_age": 29.9}, 100, 0.0),
        ({"player_age": 30.0}, 95, -0.25),
        ({"player_age": 35.0}, 90, -0.5),
        ({"days_rest": 9, "games_in_last_7_days": 0, "minutes_in_last_7_days": 0.0}, 100, 0.0),
    ],
)
def test_fatigue(load: dict[str, Any], score: int, adjustment: float) -> None:
    found = row(**RESTED | load)
    assert (found.fatigue_score, found.fatigue_adjustment) == (score, adjustment)


def test_an_unknown_input_fires_no_fatigue_rule() -> None:
    found = row(
        **RESTED
        | {
            "days_rest": None,
            "early_season_flag": True,
            "avg_minutes_per_game_last_7": None,
            "back_to_backs_last_14_days": None,
        }
    )
    assert found.fatigue_score == 100


@pytest.mark.parametrize(
    ("load", "known"),
    [
        ({"days_rest": 9}, True),
        ({"days_rest": 10}, False),
        ({"days_rest": 60}, False),
        ({"days_rest": None, "early_season_flag": True}, True),
        ({"days_rest": None, "early_season_flag": False}, False),
    ],
)
def test_a_return_from_an_absence_is_no_freshness(load: dict[str, Any], known: bool) -> None:
    found = row(**RESTED | {"games_in_last_7_days": 0, "minutes_in_last_7_days": 0.0} | load)
    assert [pd.notna(found.fatigue_score), pd.notna(found.fatigue_adjustment)] == [known, known]


def test_fatigue_is_unknown_without_its_essential_inputs() -> None:
    assert pd.isna(row(**RESTED | {"back_to_back": None}).fatigue_score)
    assert pd.isna(row(**RESTED | {"games_in_last_7_days": None}).fatigue_adjustment)


@pytest.mark.parametrize(
    ("zone", "rates", "defense", "score"),
    [
        ("paint", {"paint": 60.0}, {"paint": 6.0}, 7.2),
        ("perimeter", {"three_pt": 45.0}, {"three_pt": -4.0}, -3.6),
        ("paint", {"paint": 70.0}, {"paint": 9.0}, 10.0),
        ("paint", {"paint": 70.0}, {"paint": -9.0}, -10.0),
        ("balanced", {"paint": 30.0}, {"paint": 3.0}, 1.8),
        ("mid_range", {"mid_range": 50.0}, {"mid_range": 5.0}, 5.0),
    ],
)
def test_shot_zone_mismatch(zone: str, rates: dict[str, float], defense: dict[str, float], score: float) -> None:
    his = {"primary_scoring_zone": zone} | {f"{z}_rate_last_10": v for z, v in rates.items()}
    theirs = {f"{z}_defense_vs_league_avg": v for z, v in defense.items()}
    assert row(his, theirs).shot_zone_mismatch_score == score


PAINT = {"primary_scoring_zone": "paint", "paint_rate_last_10": 60.0}


def test_mismatch_is_unknown_without_zone_or_defence_and_0_against_an_average_one() -> None:
    average = {"paint_defense_vs_league_avg": 0.0}
    assert row(PAINT, average).shot_zone_mismatch_score == 0
    assert pd.isna(row(PAINT, None).shot_zone_mismatch_score)
    assert pd.isna(row(PAINT, {}).shot_zone_mismatch_score)
    assert pd.isna(row(None, average).shot_zone_mismatch_score)


def test_a_weaker_defence_never_lowers_the_matchup() -> None:
    scores = [row(PAINT, {"paint_defense_vs_league_avg": float(d)}).shot_zone_mismatch_score for d in range(-12, 13, 3)]
    assert scores == sorted(scores)
    assert scores[0] < 0 < scores[-1]


@pytest.mark.parametrize(("difference", "score"), [(2.0, 1.0), (-3.0, -1.5), (9.0, 3.0), (-9.0, -3.0), (0.0, 0.0)])
def test_pace(difference: float, score: float) -> None:
    assert row(pace_differential=difference).pace_score == score


def test_pace_is_unknown_without_a_difference() -> None:
    assert pd.isna(row().pace_score)


@pytest.mark.parametrize(
    ("projected", "average", "stars", "score"),
    [
        (30.0, 25.0, 1, 1.7),
        (30.0, 25.0, 0, 1.5),
        (30.0, 25.0, None, 1.5),
        (27.0, 25.0, 2, 0.8),
        (45.0, 25.0, 3, 3.0),
        (20.0, 25.0, 2, -1.5),
        (25.0, 25.0, 1, 0.0),
        (10.0, 0.0, 1, 0.0),
    ],
)
def test_usage_spike(projected: float, average: float, stars: int | None, score: float) -> None:
    usage = {"projected_usage_rate": projected, "avg_usage_rate_last_7_games": average, "star_teammates_out": stars}
    assert row(**usage).usage_spike_score == pytest.approx(score)


@pytest.mark.parametrize("missing", ["projected_usage_rate", "avg_usage_rate_last_7_games"])
def test_usage_is_unknown_without_both_rates(missing: str) -> None:
    usage: dict[str, Any] = {"projected_usage_rate": 12.0, "avg_usage_rate_last_7_games": 12.0, missing: None}
    assert pd.isna(row(**usage).usage_spike_score)


def test_the_total_is_the_sum_of_the_factors_before_rounding() -> None:
    defense = {"paint_defense_vs_league_avg": 6.0, "weakest_zone": "paint"}
    usage = {"projected_usage_rate": 30.0, "avg_usage_rate_last_7_games": 25.0, "star_teammates_out": 1}
    found = row(PAINT, defense, **RESTED | {"back_to_back": True, "days_rest": 0}, **usage, pace_differential=2.0)
    assert found.total_composite_adjustment == pytest.approx(-0.75 + 7.2 + 1.0 + 1.725, abs=0.006)
    assert found.data_completeness_pct == 100
    assert pd.isna(found.missing_data_fields)


def test_unknown_factors_are_left_out_of_the_total_and_named() -> None:
    found = row(pace_differential=2.0, **RESTED)
    assert found.total_composite_adjustment == 1.0
    assert found.data_completeness_pct == 40
    assert found.missing_data_fields == "projected_usage_rate, player_shot_zone, team_defense_zone"


def test_nothing_known_gives_no_total() -> None:
    found = row()
    assert pd.isna(found.total_composite_adjustment)
    assert found.data_completeness_pct == 0
    assert found.missing_data_fields.startswith("days_rest, projected_usage_rate, ")


def test_extremes_are_warned_of() -> None:
    defense = {"paint_defense_vs_league_avg": 12.0}
    assert row(PAINT, defense, **RESTED, pace_differential=6.0).warning_details == "EXTREME_MATCHUP; EXTREME_ADJUSTMENT"
    assert pd.isna(row(**RESTED).warning_details)


def test_the_inputs_stand_beside_the_factors() -> None:
    found = row(PAINT, {"paint_defense_vs_league_avg": 2.5, "weakest_zone": "perimeter"}, **RESTED, player_age=31.0)
    assert (found.primary_zone_rate, found.opponent_zone_defense_vs_league_avg) == (60.0, 2.5)
    assert (found.opponent_weakest_zone, found.player_age, found.days_rest) == ("perimeter", 31.0, 2)


def test_every_listed_player_has_a_row() -> None:
    assert expected_rows(TRANSFORM, context=[LISTED]) == [{"game_date": DAY, "player_id": 7, "reason": None}]
