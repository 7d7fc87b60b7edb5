"""The leaderboard: all systems on the same rows, with N and an interval that resamples whole days."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from nba_pipeline.cli import leaderboard_tables as grids
from nba_pipeline.cli.leaderboard import calls_of
from nba_pipeline.evaluation.alarms import suspects, too_good
from nba_pipeline.evaluation.bootstrap import DayBootstrap
from nba_pipeline.evaluation.clean_seasons import CHOSEN_ON, with_clean_seasons
from nba_pipeline.evaluation.leaderboard import MARKET_LINE, RowSet, leaderboard, reliabilities, tiers
from nba_pipeline.evaluation.metrics import FEWEST_SHOWN, calibration_error, hit_rate, reliability, tier
from nba_pipeline.systems import LINE_SYSTEM_IDS, SYSTEM_IDS
from nba_pipeline_tests.support import day

Row = dict[str, Any]
DAY = day("2024-01-05")
POINTS = RowSet("points")
KNOWN: Row = {
    "market": "points",
    "season": "2023-24",
    "season_type": "Regular Season",
    "prior_games": 30,
    "season_average": 15.0,
    "outcome": "no_line",
    "profit": None,
    "line": None,
    "p_over": None,
    "p_push": 0.0,
    "crps": 1.0,
    "within_80": True,
    "pinball_q50": None,
    "point_error": None,
}


def graded(system: str, error: float | None, player: Any = 7, days: Any = 0, **more: Any) -> Row:
    played: Row = {"absolute_error": None, "signed_error": None, "actual_value": None, "outcome": "void"}
    if error is not None:
        played = {"absolute_error": abs(error), "signed_error": error, "actual_value": 20}
    return KNOWN | {"system_id": system, "player_id": player, "game_date": DAY + timedelta(days=days)} | played | more


def board(*rows: Row, of: RowSet = POINTS) -> dict[str, Row]:
    found = leaderboard(of.select(pd.DataFrame(list(rows))))
    return {str(r["system_id"]): {str(k): v for k, v in r.items()} for r in found.to_dict("records")}


# --- which rows -------------------------------------------------------------------------------------------------------


def test_the_best_system_stands_first_with_its_n() -> None:
    found = board(graded("a", 5), graded("b", -3))
    assert list(found) == ["b", "a"]
    assert (found["b"]["n"], found["b"]["mae"], found["b"]["bias"], found["b"]["rmse"]) == (1, 3, -3, 3)


def test_only_rows_that_every_system_forecast_count() -> None:
    easy = [graded("a", 0, player) for player in range(10, 20)]
    found = board(graded("a", 5), graded("b", 3), *easy)
    assert (found["a"]["n"], found["a"]["mae"]) == (1, 5)


@pytest.mark.parametrize(
    "other",
    [
        {"error": None},
        {"error": 0, "prior_games": 9},
        {"error": 0, "market": "rebounds"},
        {"error": 0, "season": "2022-23"},
        {"error": 0, "season_type": "Playoffs"},
        {"error": 0, "season_average": 7.9},
        {"error": 0, "season_average": None},
        {"error": 0, "season_average": 20.0},
    ],
)
def test_rows_outside_the_set_do_not_count(other: Row) -> None:
    of = RowSet("points", "2023-24", "Regular Season", 10, 8.0, "rotation")
    rows = [graded(s, 4) for s in "ab"] + [graded(s, player=8, **other) for s in "ab"]
    assert {r["n"] for r in board(*rows, of=of).values()} == {1}
    assert {r["mae"] for r in board(*rows, of=of).values()} == {4}


@pytest.mark.parametrize("system", LINE_SYSTEM_IDS)
def test_a_system_that_needs_the_line_joins_only_where_all_rows_have_one(system: str) -> None:
    lined = {"line": 19.5, "p_over": 0.5}
    rows = [graded("a", 4, **lined), graded(system, 1, **lined), graded("a", 5, player=8)]
    assert {n: r["n"] for n, r in board(*rows).items()} == {"a": 2}
    found = board(*rows, of=replace(POINTS, with_line=True))
    assert {n: r["n"] for n, r in found.items()} == {"a": 1, system: 1, MARKET_LINE: 1}


def test_no_rows_are_no_board() -> None:
    assert board(graded("a", None)) == {}


# --- comparisons ------------------------------------------------------------------------------------------------------


def test_differences_are_paired_and_negative_where_the_system_is_better() -> None:
    found = board(*[graded("a", 3, days=d) for d in range(9)], *[graded("last_10", 5, days=d) for d in range(9)])
    assert [found["a"][c] for c in ("vs_last_10", "vs_last_10_low", "vs_last_10_high")] == [-2, -2, -2]
    assert found["last_10"]["vs_last_10"] == 0


def test_the_line_is_compared_on_its_own_rows_and_stands_on_the_board_of_rows_with_a_line() -> None:
    rows = [graded("a", 3, line=19.0, p_over=0.6), graded("a", 9, player=8)]
    assert (board(*rows)["a"]["n_with_line"], board(*rows)["a"]["vs_line"]) == (1, 2.0)
    assert MARKET_LINE not in board(*rows)
    lined = board(*rows, of=replace(POINTS, with_line=True))
    assert (lined[MARKET_LINE]["mae"], lined[MARKET_LINE]["bias"]) == (1, -1)


def test_chances_are_scored_on_decided_lines_only() -> None:
    lines = [
        graded("a", 0, 1, line=19.5, p_over=0.8),
        graded("a", 0, 2, line=20.5, p_over=0.8),
        graded("a", 0, 3, line=20.0, p_over=0.8),
        graded("a", 0, 4, line=19.0, p_over=0.4, p_push=0.2),
    ]
    found = board(*lines)["a"]
    assert found["decided_overs"] == 3
    assert found["log_loss"] == pytest.approx(-np.log([0.8, 0.2, 0.5]).mean())
    assert found["brier"] == pytest.approx((0.04 + 0.64 + 0.25) / 3)


def test_the_median_is_scored_by_its_own_absolute_error() -> None:
    found = board(graded("a", 4, 1, pinball_q50=1.5), graded("a", -4, 2, pinball_q50=0.5))["a"]
    assert (found["mae"], found["mae_median"]) == (4, 2)


def test_the_point_forecast_is_scored_by_its_error_and_against_the_line() -> None:
    rows = [graded("a", 4, 1, line=19.5, point_error=3.0), graded("a", -4, 2, line=17.5, point_error=1.0)]
    found = board(*rows)["a"]
    assert (found["mae_point"], found["point_vs_line"]) == (2, pytest.approx(2 - 1.5))
    old = board(graded("a", 4, 1, line=19.5))["a"]
    assert np.isnan(old["mae_point"])


def test_a_return_has_an_interval_by_day_and_is_printed_only_for_enough_bets() -> None:
    def printed(bets: int) -> str:
        rows = [graded("a", 0, p, p % 7, outcome="win" if p % 2 else "loss", profit=0.9 * (p % 2)) for p in range(bets)]
        found = leaderboard(POINTS.select(pd.DataFrame(rows)))
        assert found["roi_low"][0] < found["roi"][0] < found["roi_high"][0]
        console = Console(file=StringIO(), width=200)
        console.print(grids.call_grid(found))
        return console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]

    assert "+45.0%" in printed(FEWEST_SHOWN)
    assert "+45" not in printed(FEWEST_SHOWN - 2)


def test_the_hit_rate_has_its_n_and_the_roi_counts_priced_bets_only() -> None:
    outcomes = [("win", 0.9), ("win", None), ("loss", -1.0), ("push", 0.0), ("pass", None), ("no_line", None)]
    found = board(*[graded("a", 1, player=p, outcome=o, profit=x) for p, (o, x) in enumerate(outcomes)])["a"]
    assert (found["bets"], found["hit_rate"]) == (3, pytest.approx(2 / 3))
    assert (found["priced_bets"], found["roi"]) == (3, pytest.approx(-0.1 / 3))


def test_without_bets_there_is_no_hit_rate() -> None:
    found = board(graded("a", 1))["a"]
    assert found["bets"] == 0
    assert np.isnan(found["hit_rate"])
    assert np.isnan(found["roi"])


def test_the_probability_is_held_against_decided_rows_with_pushes_taken_out() -> None:
    over = graded("a", 1, line=19.0, p_over=0.45, p_push=0.1)
    push = graded("a", 1, player=8, line=20.0, p_over=0.9)
    assert board(over, push)["a"]["calibration_error"] == pytest.approx(0.5)


# --- intervals --------------------------------------------------------------------------------------------------------


def test_the_interval_resamples_whole_days() -> None:
    """Twenty equal rows of one day are one observation, not twenty."""
    values = np.repeat([1.0, 3.0, 5.0], 20)
    together = DayBootstrap(np.repeat([0, 1, 2], 20)).mean(values)
    apart = DayBootstrap(np.arange(60)).mean(values)
    assert together.value == apart.value == 3
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_the_interval_holds_the_mean_in_most_draws() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(100):
        days = np.repeat(np.arange(40), 5)
        found = DayBootstrap(days).mean(rng.normal(10, 2, 200) + np.repeat(rng.normal(0, 1, 40), 5))
        inside += found.low <= 10 <= found.high
    assert 86 <= inside <= 100


def test_the_hit_rate_interval_is_wilsons() -> None:
    found = hit_rate(56, 44)
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.56, 0.4623, 0.6533)


# --- tiers and calibration --------------------------------------------------------------------------------------------


def test_tiers_begin_at_their_lower_bound() -> None:
    found = tier(pd.Series([0, 9.9, 10, 19.9, 20, 30, 44, np.nan]))
    assert found.fillna("unknown").tolist() == [
        "bench",
        "bench",
        "rotation",
        "rotation",
        "starter",
        "star",
        "star",
        "unknown",
    ]


def test_each_tier_has_its_own_bias_and_coverage() -> None:
    rows = [graded("a", 2), graded("a", -4, player=8, season_average=25, within_80=False)]
    found = tiers(POINTS.select(pd.DataFrame(rows))).set_index("tier")
    shown = {t: [found.at[t, c] for c in ("n", "bias", "coverage_80")] for t in found.index}
    assert shown == {"rotation": [1, 2, 1], "starter": [1, -4, 0]}


def test_a_true_probability_is_calibrated_and_a_confident_one_is_not() -> None:
    rng = np.random.default_rng(2)
    p = rng.uniform(0.3, 0.7, 20_000)
    over = rng.uniform(size=len(p)) < p
    assert calibration_error(p, over) < 0.02
    assert calibration_error(np.clip(p * 2 - 0.5, 0, 1), over) > 0.07


def test_reliability_has_bins_of_equal_size() -> None:
    found = reliability(np.linspace(0, 1, 100), np.arange(100) >= 50)
    assert found["n"].tolist() == [10] * 10
    assert found["observed"].tolist() == [0] * 5 + [1] * 5


# --- too good ---------------------------------------------------------------------------------------------------------


def honest(**changes: Any) -> pd.DataFrame:
    row = {
        "system_id": "a",
        "n": 5_000,
        "mae": 4.6,
        "vs_last_10": -0.2,
        "vs_line": 0.05,
        "bets": 2_000,
        "hit_rate": 0.53,
    }
    return pd.DataFrame([row | changes])


LINED = replace(POINTS, with_line=True)


@pytest.mark.parametrize(
    ("changes", "of", "word"),
    [
        ({"mae": 4.34}, POINTS, "MAE"),
        ({"mae": 4.99}, replace(POINTS, min_average=8), "MAE"),
        ({"vs_last_10": -0.46}, POINTS, "last_10"),
        ({"vs_line": -0.15, "mae": 5.1}, LINED, "line"),
        ({"hit_rate": 0.601}, POINTS, "hit rate"),
    ],
)
def test_what_no_honest_forecast_has_reached_is_an_alarm(changes: Row, of: RowSet, word: str) -> None:
    (alarm,) = too_good(honest(**changes), of)
    assert word in str(alarm)


@pytest.mark.parametrize(
    ("changes", "of"),
    [
        ({}, POINTS),
        ({"mae": 4.34, "n": 900}, POINTS),
        ({"mae": 1.9}, replace(POINTS, market="rebounds")),
        ({"hit_rate": 0.7, "bets": 900}, POINTS),
        ({"mae": 5.1, "system_id": MARKET_LINE, "vs_line": -9}, LINED),
    ],
)
def test_honest_or_small_results_are_none(changes: Row, of: RowSet) -> None:
    assert too_good(honest(**changes), of) == []


def test_the_feature_that_knows_the_outcome_is_named_first() -> None:
    rng = np.random.default_rng(3)
    actual = pd.Series(rng.normal(15, 8, 2_000))
    features = pd.DataFrame({"season": rng.normal(size=2_000), "leaked": actual + rng.normal(0, 2, 2_000)})
    assert suspects(features, actual, ["season", "leaked"]) == [f"leaked {features['leaked'].corr(actual):.3f}"]


# --- recorded calls ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "players"),
    [
        (POINTS, [7, 9]),
        (replace(POINTS, tier="star"), [7]),
        (replace(POINTS, min_average=20.0), [7]),
        (replace(POINTS, prior_games=0), [7, 8, 9]),
        (replace(POINTS, prior_games=31), []),
        (replace(POINTS, season="2022-23"), []),
    ],
)
def test_the_recorded_calls_are_those_of_the_players_and_games_of_the_leaderboard(
    of: RowSet, players: list[int]
) -> None:
    forecasts = [
        graded("a", 1, player=7, season_average=31.0),
        graded("b", 1, player=7, season_average=31.0),
        graded("a", 1, player=8, prior_games=9),
        graded("a", 1, player=9, season_average=15.0),
    ]
    call = {"game_date": DAY, "market": "points", "season": "2023-24", "season_type": "Regular Season"}
    calls = pd.DataFrame([call | {"player_id": p} for p in (7, 8, 9, 10)])
    kept, average = calls_of(calls, of, pd.DataFrame(forecasts))
    assert kept["player_id"].tolist() == players
    assert len(average) == len(players)


# --- for people -------------------------------------------------------------------------------------------------------


def test_the_grids_show_every_system_and_say_which_rows_they_stand_on() -> None:
    rows = [graded(s, e, line=19.5, p_over=0.6, outcome="win", profit=0.9) for s, e in (("a", 2), ("b", 3))]
    selected = LINED.select(pd.DataFrame(rows))
    found = leaderboard(selected)
    console = Console(width=120, record=True, file=StringIO())
    for grid in (
        grids.error_grid(found, LINED.words),
        grids.difference_grid(found),
        grids.chance_grid(found),
        grids.call_grid(found),
        grids.tiers_grid(tiers(selected)),
        grids.reliability_grid(reliabilities(selected), "a"),
    ):
        console.print(grid)
    text = console.export_text()
    assert "points, players who played with at least 10 earlier games, rows with a line" in " ".join(text.split())
    assert "…" not in text, "every figure fits a window of 120 columns"
    assert all(name in text for name in ("a ", "b ", MARKET_LINE, "rotation", "100.0%", "0.5108"))


def test_every_system_declares_the_seasons_that_its_constants_were_chosen_on() -> None:
    assert set(CHOSEN_ON) == set(SYSTEM_IDS)


def test_the_board_and_its_grid_name_the_first_clean_season_and_the_seasons_in_sample() -> None:
    board = with_clean_seasons(pd.DataFrame({"system_id": ["last_10", "zone_matchup_v1", "ensemble_v1", MARKET_LINE]}))
    assert board["error_clean_from"].tolist() == ["2021-22", "2023-24", "2024-25", None]
    assert board["law_clean_from"].tolist() == ["2025-26"] * 3 + [None]
    console = Console(width=120, record=True, file=StringIO())
    console.print(grids.clean_grid(board, ["2022-23", "2023-24"]))
    zone, ensemble = (
        next(line.rstrip().split("  ") for line in console.export_text(clear=False).splitlines() if name in line)
        for name in ("zone_matchup_v1", "ensemble_v1")
    )
    assert (zone[-1].strip(), ensemble[-1].strip()) == ("2022-23", "2022-23, 2023-24")
    assert MARKET_LINE not in console.export_text()
