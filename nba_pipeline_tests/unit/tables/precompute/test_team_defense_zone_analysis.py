"""What a team's defence allowed lately."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.precompute.team_defense_zone_analysis import TEAM_DEFENSE_ZONE_ANALYSIS
from nba_pipeline_tests.support import day, expected_rows, run

TRANSFORM = CATALOG[TEAM_DEFENSE_ZONE_ANALYSIS.id]
OPENING = day("2023-10-24")
DAY = day("2024-01-10")
REGULAR = {"season": "2023-24", "season_type": "Regular Season"}


def slate(on: date = DAY, **more: Any) -> list[dict[str, Any]]:
    return [REGULAR | {"game_id": "0022300500", "game_date": on, "countable": True} | more]


def game(team: str, on: date, **more: Any) -> dict[str, Any]:
    """A finished game that allowed 20 of 40 in the paint, 6 of 15 from mid-range, 12 of 35 threes."""
    allowed = {
        "points_allowed": 110,
        "opp_fg_attempts": 90,
        "opp_paint_makes": 20,
        "opp_paint_attempts": 40,
        "opp_mid_range_makes": 6,
        "opp_mid_range_attempts": 15,
        "opp_three_pt_makes": 12,
        "opp_three_pt_attempts": 35,
        "opp_corner_three_makes": 4,
        "opp_corner_three_attempts": 9,
        "opp_above_break_three_makes": 8,
        "opp_above_break_three_attempts": 26,
        "points_in_paint_allowed": 40,
        "mid_range_points_allowed": 12,
        "three_pt_points_allowed": 36,
        "defensive_rating": 112.0,
        "overtime_periods": 0,
    }
    return REGULAR | {"defending_team": team, "game_date": on} | allowed | more


def games(team: str, n: int, before: date = DAY, **more: Any) -> list[dict[str, Any]]:
    """n games on every second day, the last one two days before."""
    return [game(team, before - timedelta(days=2 * i), **more) for i in range(n, 0, -1)]


NO_SHOTS: dict[str, Any] = {
    c: None for c in game("BOS", DAY) if "paint" in c or "mid_range" in c or "corner" in c or "above_break" in c
}


def row(defense: list[dict[str, Any]], team: str = "BOS", on: date = DAY) -> pd.Series:
    rows = run(TRANSFORM, [on], slate=slate(on), defense=defense)
    return rows[rows.team == team].iloc[0]


def test_every_team_of_the_season_has_a_row_also_if_it_does_not_play_that_day() -> None:
    rows = run(TRANSFORM, [DAY], slate=slate(), defense=games("BOS", 3) + games("LAL", 2))
    assert dict(zip(rows.team, rows.games_in_sample, strict=True)) == {"BOS": 3, "LAL": 2}


def test_a_team_has_no_row_before_its_first_finished_game() -> None:
    assert run(TRANSFORM, [DAY], slate=slate(), defense=[game("BOS", DAY), game("LAL", DAY + timedelta(days=3))]).empty


def test_a_day_without_countable_games_has_no_rows() -> None:
    assert run(TRANSFORM, [DAY], slate=slate(countable=False), defense=games("BOS", 15)).empty


def test_rows_are_expected_for_teams_that_have_played() -> None:
    expected = expected_rows(TRANSFORM, slate=slate(), defense=[*games("BOS", 1), game("LAL", DAY)])
    assert [(r["team"], r["analysis_date"], r["reason"]) for r in expected] == [("BOS", DAY, None)]


def test_pct_allowed_weighs_attempts_not_games() -> None:
    busy = games("BOS", 5, opp_paint_makes=30, opp_paint_attempts=60)
    quiet = games("BOS", 5, DAY - timedelta(days=11), opp_paint_makes=3, opp_paint_attempts=10)
    assert row(quiet + busy).paint_pct_allowed_last_15 == pytest.approx(165 / 350, abs=1e-4)


def test_per_game_values_divide_by_games_with_shot_data() -> None:
    known, unknown = games("BOS", 5), games("BOS", 5, DAY - timedelta(days=11), **NO_SHOTS)
    found = row(unknown + known)
    assert found.paint_attempts_allowed_per_game == 40
    assert found.paint_points_allowed_per_game == 40
    assert (found.games_in_sample, found.games_with_shot_data) == (10, 5)


def test_only_the_last_15_games_count() -> None:
    recent, old = games("BOS", 15), games("BOS", 10, DAY - timedelta(days=31), defensive_rating=150.0)
    found = row(old + recent)
    assert found.defensive_rating_last_15 == pytest.approx(112, abs=1e-3)
    assert found.games_in_sample == 15
    assert pd.isna(found.insufficient_data_reason)


def test_values_need_five_games_and_the_shortfall_is_named() -> None:
    found = row(games("BOS", 4))
    assert found[["paint_pct_allowed_last_15", "three_pt_pct_allowed_last_15", "defensive_rating_last_15"]].isna().all()
    assert found.insufficient_data_reason == "4 of 15 games of the season"
    assert row(games("BOS", 5)).defensive_rating_last_15 == pytest.approx(112, abs=1e-3)


def test_a_weaker_defence_than_the_league_is_positive() -> None:
    weak, strong = games("BOS", 5, opp_paint_makes=28), games("LAL", 5, opp_paint_makes=20)
    assert row(weak + strong).paint_defense_vs_league_avg == pytest.approx(10)
    assert row(weak + strong, "LAL").paint_defense_vs_league_avg == pytest.approx(-10)
    assert row(weak + strong).weakest_zone == "paint"
    assert row(weak + strong, "LAL").strongest_zone == "paint"


def test_the_league_is_that_of_the_last_30_days() -> None:
    long_ago = games("LAL", 8, DAY - timedelta(days=31), opp_paint_makes=40)
    assert row(long_ago + games("BOS", 5)).paint_league_pct == pytest.approx(0.5)


def test_ties_between_zones_go_to_the_first_of_paint_mid_range_perimeter() -> None:
    found = row(games("BOS", 5))
    assert (found.strongest_zone, found.weakest_zone) == ("paint", "paint")


def test_without_shot_data_zones_are_unknown_and_threes_come_from_the_box_score() -> None:
    found = row(games("BOS", 15, **NO_SHOTS))
    assert found[["paint_pct_allowed_last_15", "mid_range_defense_vs_league_avg", "strongest_zone"]].isna().all()
    assert found.three_pt_pct_allowed_last_15 == pytest.approx(12 / 35, abs=1e-4)
    assert found.games_with_shot_data == 0


def test_the_season_before_does_not_count() -> None:
    earlier = games("BOS", 15, season="2022-23", defensive_rating=150.0)
    assert row(earlier + games("BOS", 2)).games_in_sample == 2


def test_the_first_14_days_are_flagged() -> None:
    history = [game("BOS", OPENING)]
    flags = [row(history, on=OPENING + timedelta(days=n)).early_season_flag for n in (1, 13, 14)]
    assert flags == [True, True, False]


def test_absurd_facts_from_the_day_on_change_nothing() -> None:
    absurd = [
        game(team, DAY + timedelta(days=n), opp_paint_makes=99, opp_paint_attempts=1, defensive_rating=999.0)
        for team in ("BOS", "MIA")
        for n in range(20)
    ]
    past = games("BOS", 20) + games("LAL", 7)
    before = run(TRANSFORM, [DAY], slate=slate(), defense=past)
    pd.testing.assert_frame_equal(run(TRANSFORM, [DAY], slate=slate(), defense=past + absurd), before)


def test_many_days_at_once_give_what_each_day_gives_alone() -> None:
    past = games("BOS", 20) + games("LAL", 7)
    days = [DAY - timedelta(days=n) for n in (9, 4, 0)]
    slates = [s for d in days for s in slate(d)]
    alone = [run(TRANSFORM, [d], slate=slate(d), defense=past) for d in days]
    together = run(TRANSFORM, days, slate=slates, defense=past)
    pd.testing.assert_frame_equal(together, pd.concat(alone, ignore_index=True))
