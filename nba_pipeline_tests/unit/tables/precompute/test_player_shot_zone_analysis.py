"""Where a listed player shoots from."""

from datetime import timedelta
from typing import Any

import ibis
import pandas as pd
import pytest

from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.precompute.player_shot_zone_analysis import PLAYER_SHOT_ZONE_ANALYSIS, primary_zone
from nba_pipeline_tests.support import day, expected_rows, run

TRANSFORM = CATALOG[PLAYER_SHOT_ZONE_ANALYSIS.id]
DAY = day("2024-01-10")
SEASON = {"season": "2023-24"}
LISTED = SEASON | {
    "game_date": DAY,
    "player_id": 7,
    "player_name": "A B",
    "player_lookup": "ab",
    "team": "BOS",
    "early_season_flag": False,
}
ZONES = ("paint", "mid_range", "corner_three", "above_break_three")


def game(days_ago: int, shots: tuple[int, int, int, int] | None = (5, 2, 1, 2), **more: Any) -> dict[str, Any]:
    """A game with attempts by zone, one in every zone made; None: no shot data."""
    zones = {f"{z}_attempts": n for z, n in zip(ZONES, shots or [None] * 4, strict=True)}
    zones |= {f"{z}_makes": None if shots is None else min(n, 1) for z, n in zip(ZONES, shots or [0] * 4, strict=True)}
    attempts = sum(shots) if shots else 12
    return (
        SEASON | {"game_date": DAY - timedelta(days=days_ago), "player_id": 7, "fg_attempts": attempts} | zones | more
    )


def row(games: list[dict[str, Any]]) -> pd.Series:
    return run(TRANSFORM, [DAY], context=[LISTED], games=games).iloc[0]


def test_shares_are_percent_of_all_shots_and_add_up_to_100() -> None:
    found = row([game(n) for n in range(1, 11)])
    assert (found.paint_rate_last_10, found.mid_range_rate_last_10, found.three_pt_rate_last_10) == (50, 20, 30)
    assert found.total_shots_last_10 == 100
    assert found.paint_pct_last_10 == pytest.approx(0.2)
    assert found.three_pt_pct_last_10 == pytest.approx(2 / 3, abs=1e-4)
    assert found.paint_attempts_per_game == 5
    assert pd.isna(found.insufficient_data_reason)


def test_games_without_shot_data_are_passed_over() -> None:
    found = row([game(n, None) for n in range(1, 9)] + [game(n) for n in range(9, 15)])
    assert (found.paint_rate_last_10, found.games_in_sample_10) == (50, 6)
    assert found.insufficient_data_reason == "6 of 10 games with shot data"


def test_without_any_shot_data_nothing_is_known() -> None:
    found = row([game(n, None) for n in range(1, 30)])
    values = [c for c in found.index if "_rate_" in c or "_pct_" in c or "attempts" in c]
    assert found[[*values, "primary_scoring_zone", "total_shots_last_10"]].isna().all()
    assert (found.games_in_sample_10, found.games_in_sample_20) == (0, 0)


def test_a_zone_without_attempts_is_0_percent_of_the_shots_and_has_no_accuracy() -> None:
    found = row([game(n, (8, 0, 1, 1)) for n in range(1, 11)])
    assert found.mid_range_rate_last_10 == 0
    assert pd.isna(found.mid_range_pct_last_10)


def test_without_a_shot_there_are_no_shares() -> None:
    found = row([game(n, (0, 0, 0, 0)) for n in range(1, 11)])
    assert found.total_shots_last_10 == 0
    assert found[["paint_rate_last_10", "primary_scoring_zone"]].isna().all()


def test_the_last_20_need_15_games() -> None:
    assert pd.isna(row([game(n) for n in range(1, 15)]).paint_rate_last_20)
    recent, older = [game(n) for n in range(1, 11)], [game(n, (0, 10, 0, 0)) for n in range(11, 16)]
    assert row(recent + older).paint_rate_last_20 == pytest.approx(100 / 3, abs=1e-4)


def test_shares_need_five_games() -> None:
    assert pd.isna(row([game(n) for n in range(1, 5)]).paint_rate_last_10)
    assert row([game(n) for n in range(1, 6)]).paint_rate_last_10 == 50


@pytest.mark.parametrize(
    ("shares", "zone"),
    [
        ((38, 20, 42), "perimeter"),
        ((33, 34, 33), "balanced"),
        ((40, 20, 40), "paint"),
        ((30, 35, 35), "mid_range"),
        ((None, None, None), None),
    ],
)
def test_primary_zone(shares: tuple, zone: str | None) -> None:
    values = [ibis.literal(None if s is None else float(s), "float64") for s in shares]
    assert ibis.duckdb.connect().execute(primary_zone(*values)) == zone


def test_every_listed_player_has_a_row() -> None:
    assert len(run(TRANSFORM, [DAY], context=[LISTED])) == 1
    assert expected_rows(TRANSFORM, context=[LISTED]) == [{"player_id": 7, "analysis_date": DAY, "reason": None}]


def test_the_season_before_does_not_count() -> None:
    assert row([game(n, season="2022-23") for n in range(1, 20)]).games_in_sample_20 == 0


def test_absurd_facts_from_the_day_on_change_nothing() -> None:
    past = [game(n) for n in range(1, 25)]
    absurd = [game(-n, (0, 90, 0, 0)) for n in range(5)]
    pd.testing.assert_series_equal(row(past + absurd), row(past))
