"""A listed player's form before the day."""

from datetime import timedelta
from statistics import mean, stdev
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.precompute.player_daily_cache import PLAYER_DAILY_CACHE
from nba_pipeline_tests.support import day, expected_rows, run

TRANSFORM = CATALOG[PLAYER_DAILY_CACHE.id]
DAY = day("2024-01-10")
SEASON = {"season": "2023-24"}
LISTED = SEASON | {
    "game_date": DAY,
    "player_id": 7,
    "player_name": "A B",
    "player_lookup": "ab",
    "team": "BOS",
    "games_in_last_7_days": 3,
    "minutes_in_last_7_days": 90.5,
    "early_season_flag": False,
}


def games(points: list[int], **more: Any) -> list[dict[str, Any]]:
    """Games with these points, the newest first, one a day."""
    facts = {"player_id": 7, "minutes_played": 30.0, "usage_rate": 20.0, "fg_attempts": 15, "ft_attempts": 5}
    return [
        SEASON | facts | {"game_date": DAY - timedelta(days=n), "points": p} | more for n, p in enumerate(points, 1)
    ]


def row(played: list[dict[str, Any]], **more: Any) -> pd.Series:
    return run(TRANSFORM, [DAY], context=[LISTED], games=played, **more).iloc[0]


POINTS = [30, 10, 22, 8, 15, 27, 3, 19, 11, 25, 40, 2]


def test_form_is_the_mean_of_the_last_games() -> None:
    found = row(games(POINTS))
    assert found.points_avg_last_5 == pytest.approx(mean(POINTS[:5]))
    assert found.points_avg_last_10 == pytest.approx(mean(POINTS[:10]))
    assert found.points_avg_season == pytest.approx(mean(POINTS), abs=1e-4)
    assert found.points_std_last_10 == pytest.approx(stdev(POINTS[:10]), abs=1e-4)
    assert found.games_played_season == 12
    assert pd.isna(found.insufficient_data_reason)


def test_a_mean_of_five_or_ten_needs_as_many_games() -> None:
    four, nine = row(games(POINTS[:4])), row(games(POINTS[:9]))
    assert pd.isna(four.points_avg_last_5)
    assert pd.isna(four.points_std_last_10)
    assert four.points_avg_season == pytest.approx(mean(POINTS[:4]))
    assert nine.points_avg_last_5 == pytest.approx(mean(POINTS[:5]))
    assert pd.isna(nine.points_avg_last_10)
    assert nine.insufficient_data_reason == "9 of 10 games of the season"


def test_rates_of_several_games_are_pooled_not_averaged() -> None:
    short = games([2] * 5, minutes_played=2.0, usage_rate=120.0, fg_attempts=1, ft_attempts=0)
    long = [g | {"game_date": g["game_date"] - timedelta(days=5)} for g in games([18] * 5)]
    found = row([*short, *long])
    assert found.usage_rate_last_10 == pytest.approx((120 * 2 + 20 * 30) / 32, abs=1e-3)
    assert found.player_usage_rate_season == found.usage_rate_last_10
    assert found.ts_pct_last_10 == pytest.approx((2 + 18) / (2 * (1 + 15 + 0.44 * 5)), abs=1e-4)


def test_without_a_game_form_is_unknown_and_the_count_is_0() -> None:
    found = row([])
    assert found[["points_avg_season", "minutes_avg_season", "usage_rate_last_10", "ts_pct_last_10"]].isna().all()
    assert found.games_played_season == 0


def test_scoring_nothing_is_0_not_unknown() -> None:
    found = row(games([0] * 10, fg_attempts=0, ft_attempts=0))
    assert (found.points_avg_last_10, found.points_std_last_10) == (0, 0)
    assert pd.isna(found.ts_pct_last_10)


def test_team_form_is_that_of_the_team_he_is_listed_for() -> None:
    offense = [
        SEASON
        | {
            "team": t,
            "game_date": DAY - timedelta(days=n),
            "possessions": pace,
            "overtime_periods": 0,
            "points": 100 + n,
        }
        for t, pace in (("BOS", 98.0), ("LAL", 105.0))
        for n in range(1, 13)
    ]
    found = row(games(POINTS), offense=offense)
    assert found.team_pace_last_10 == 98
    assert found.team_off_rating_last_10 == pytest.approx(100 * 105.5 / 98, abs=1e-3)


def test_team_form_needs_five_games() -> None:
    offense = [
        SEASON | {"team": "BOS", "game_date": DAY - timedelta(days=n), "possessions": 98.0, "overtime_periods": 0}
        for n in range(1, 5)
    ]
    assert pd.isna(row([], offense=offense).team_pace_last_10)


def test_load_and_zones_are_copied_and_unknown_without_a_source_row() -> None:
    zones = [{"analysis_date": DAY, "player_id": 7, "primary_scoring_zone": "paint", "paint_rate_last_10": 62.5}]
    found = row([], zones=zones)
    assert (found.games_in_last_7_days, found.minutes_in_last_7_days) == (3, 90.5)
    assert (found.primary_scoring_zone, found.paint_rate_last_10) == ("paint", 62.5)
    assert pd.isna(row([]).primary_scoring_zone)


def test_every_listed_player_has_a_row() -> None:
    assert expected_rows(TRANSFORM, context=[LISTED]) == [{"player_id": 7, "cache_date": DAY, "reason": None}]


def test_the_season_before_does_not_count() -> None:
    assert row(games(POINTS, season="2022-23")).games_played_season == 0


def test_absurd_facts_from_the_day_on_change_nothing() -> None:
    absurd = [g | {"game_date": DAY + timedelta(days=n), "points": 199} for n, g in enumerate(games(POINTS))]
    pd.testing.assert_series_equal(row(games(POINTS) + absurd), row(games(POINTS)))


def test_the_order_of_the_facts_does_not_matter() -> None:
    pd.testing.assert_series_equal(row(games(POINTS)[::-1]), row(games(POINTS)))
