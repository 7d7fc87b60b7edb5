"""Grades: what counts as won, lost, pushed or void, what is not graded at all, and sums that stand on the same rows."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nba_pipeline import definitions
from nba_pipeline.systems.distribution import Law
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.grading.prediction_accuracy import PREDICTION_ACCURACY, grade, outcomes
from nba_pipeline.tables.grading.system_daily_performance import BASELINE_IDS, SYSTEM_DAILY_PERFORMANCE
from nba_pipeline_tests.support import day, expected_rows, run

assert definitions.defs  # every table is registered
Row = dict[str, Any]
ACCURACY = CATALOG[PREDICTION_ACCURACY.id]
DAILY = CATALOG[SYSTEM_DAILY_PERFORMANCE.id]
DAY = day("2024-01-05")
TIP = "2024-01-06 00:30"
GAME: Row = {
    "game_id": "0022300500",
    "game_date": DAY,
    "status": "final",
    "countable": True,
    "tip_off": TIP,
    "cutoff_at": "2024-01-06 00:29",
}
FORECAST: Row = {
    "game_date": DAY,
    "player_id": 7,
    "market": "points",
    "system_id": "moving_average",
    "model_version": "1",
    "game_id": "0022300500",
    "season": "2023-24",
    "season_type": "Regular Season",
    "team": "BOS",
    "opponent": "LAL",
    "prior_games": 30,
    "predicted_mean": 22.0,
    "predicted_sd": 6.0,
    "predicted_skewness": 0.4,
    "q10": 14.0,
    "q25": 18.0,
    "q50": 22.0,
    "q75": 26.0,
    "point_forecast": 22,
    "q90": 30.0,
    "line": 20.5,
    "line_source": "actual",
    "best_over_odds": -105.0,
    "best_under_odds": 120.0,
    "p_over": 0.6,
    "p_push": 0.0,
    "recommendation": "OVER",
    "confidence": 0.6,
    "as_of": "2024-01-06 00:29",
}
FACT: Row = {"game_id": "0022300500", "player_id": 7, "game_date": DAY, "points": 25, "minutes_played": 33.5}


def joined(predictions: list[Row], facts: list[Row], games: list[Row]) -> pa.Table:
    """What `build` hands to `grade`."""
    from nba_pipeline_tests import support

    inputs = {"predictions": predictions, "facts": facts, "schedule": games}
    return support._execute(ACCURACY, inputs, support._statement(ACCURACY))


def graded(*predictions: Row, facts: list[Row] | None = None, games: list[Row] | None = None) -> pd.DataFrame:
    table = joined(
        [FORECAST | p for p in predictions], [FACT] if facts is None else facts, [GAME] if games is None else games
    )
    return grade(table).to_pandas()


def one(prediction: Row | None = None, **more: Any) -> pd.Series:
    found = graded(prediction or {}, **more)
    assert len(found) == 1
    return found.iloc[0]


# --- outcomes ---------------------------------------------------------------------------------------------------------

NO_LINE = {"line": None, "line_source": "none", "recommendation": "NO_LINE"}


@pytest.mark.parametrize(
    ("changes", "points", "outcome"),
    [
        ({}, 21, "win"),
        ({}, 20, "loss"),
        ({"recommendation": "UNDER"}, 20, "win"),
        ({"recommendation": "UNDER"}, 21, "loss"),
        ({"line": 21.0}, 21, "push"),
        ({"line": 21.0, "recommendation": "UNDER"}, 21, "push"),
        ({"line": 21.0, "recommendation": "PASS"}, 21, "pass"),
        ({"recommendation": "PASS"}, 40, "pass"),
        (NO_LINE, 40, "no_line"),
        ({}, 0, "loss"),
    ],
)
def test_a_call_is_won_lost_pushed_passed_or_without_a_line(changes: Row, points: int, outcome: str) -> None:
    row = one(changes, facts=[FACT | {"points": points}])
    assert (row.outcome, row.actual_value) == (outcome, points)


NOT_OF_THE_VOID = (
    *(
        "actual_value",
        "minutes_played",
        "signed_error",
        "absolute_error",
        "point_error",
        "within_3",
        "within_5",
        "within_80",
    ),
    *("crps", "pinball_q10", "pinball_q25", "pinball_q50", "pinball_q75", "pinball_q90", "profit"),
)


@pytest.mark.parametrize("changes", [{}, {"recommendation": "UNDER"}, {"recommendation": "PASS"}, NO_LINE])
def test_who_did_not_play_is_void_and_has_no_error(changes: Row) -> None:
    other = FACT | {"player_id": 8}
    row = one(changes, facts=[other])
    assert row.outcome == "void"
    for name in NOT_OF_THE_VOID:
        assert pd.isna(row[name]), name


@pytest.mark.parametrize("changes", [{}, {"recommendation": "PASS"}, NO_LINE])
def test_who_played_in_another_game_of_the_day_played_elsewhere_and_is_not_void(changes: Row) -> None:
    """The forecast was for the team that he had left."""
    other_game = FACT | {"game_id": "0022300501"}
    row = one(changes, facts=[other_game, FACT | {"player_id": 8}])
    assert (row.outcome, row.void_reason) == ("played_elsewhere", None)
    for name in NOT_OF_THE_VOID:
        assert pd.isna(row[name]), name


@pytest.mark.parametrize("state", ["postponed", "cancelled", "suspended", "not needed"])
@pytest.mark.parametrize("changes", [{}, {"recommendation": "PASS"}, NO_LINE])
def test_a_forecast_of_a_game_that_was_called_off_is_void_with_the_reason_wherever_its_players_were(
    changes: Row, state: str
) -> None:
    row = one(changes, facts=[FACT | {"game_id": "0022300501"}], games=[GAME | {"status": state}])
    assert (row.outcome, row.void_reason) == ("void", f"the game was {state}")
    for name in NOT_OF_THE_VOID:
        assert pd.isna(row[name]), name


def test_what_is_not_known_is_stored_as_null_and_never_as_nan() -> None:
    """An average over NULL leaves the row out, one over NaN is NaN."""
    void = grade(joined([FORECAST], [FACT | {"player_id": 8}], [GAME]))
    assert {n: void[n].null_count for n in NOT_OF_THE_VOID} == dict.fromkeys(NOT_OF_THE_VOID, 1)


def test_a_final_game_without_any_facts_is_not_a_game_in_which_nobody_played() -> None:
    """The schedule says final, player_game_summary was published before and waits for the game: nobody is void."""
    assert len(graded({}, facts=[FACT | {"game_id": "0022300501"}])) == 0
    (wanted,) = expected_rows(ACCURACY, predictions=[FORECAST], schedule=[GAME], facts=[{"game_id": "0022300501"}])
    assert wanted["reason"] == "game not final yet"


def test_facts_of_a_game_that_is_still_played_are_not_graded() -> None:
    running = [GAME | {"status": "in progress"}]
    assert graded({}, games=running).empty
    (wanted,) = expected_rows(ACCURACY, predictions=[FORECAST], schedule=running, facts=[FACT])
    assert wanted["reason"] == "game not final yet"


def test_outcomes_are_total() -> None:
    called = np.array(["OVER", "UNDER", "PASS", "NO_LINE"] * 2)
    actual, line = np.array([20.0] * 4 + [np.nan] * 4), np.array([19.5, 19.5, 19.5, np.nan] * 2)
    elsewhere = np.array([True] * 4 + [False, False, True, True])
    absent = ["void", "void", "played_elsewhere", "played_elsewhere"]
    assert outcomes(called, actual, line, elsewhere).tolist() == ["win", "loss", "pass", "no_line", *absent]


# --- errors and scores ------------------------------------------------------------------------------------------------


def test_errors_are_forecast_minus_actual() -> None:
    row = one()
    assert (row.signed_error, row.absolute_error, row.point_error) == (-3, 3, 3)
    other = one({"point_forecast": 21})
    assert (other.absolute_error, other.point_error) == (3, 4)
    assert (row.within_3, row.within_5, row.within_80) == (True, True, True)


@pytest.mark.parametrize(
    ("points", "within_3", "within_5", "within_80"),
    [
        (25, True, True, True),
        (26, False, True, True),
        (27, False, True, True),
        (28, False, False, True),
        (30, False, False, True),
        (31, False, False, False),
        (14, False, False, True),
        (13, False, False, False),
    ],
)
def test_the_bounds_of_the_bands_belong_to_them(points: int, within_3: bool, within_5: bool, within_80: bool) -> None:
    row = one(facts=[FACT | {"points": points}])
    assert (row.within_3, row.within_5, row.within_80) == (within_3, within_5, within_80)


def test_scores_are_those_of_the_forecast() -> None:
    row = one()
    assert row.crps == pytest.approx(Law(np.array([22.0]), np.array([6.0]), np.array([0.4])).crps(np.array([25.0]))[0])
    assert [row[f"pinball_q{q}"] for q in (10, 25, 50, 75, 90)] == pytest.approx([1.1, 1.75, 1.5, 0.25, 0.5])


# --- markets and money ------------------------------------------------------------------------------------------------

BOX = FACT | {"points": 25, "rebounds": 8, "assists": 6, "three_pt_makes": 3}


@pytest.mark.parametrize(
    ("market", "actual"), [("points", 25), ("rebounds", 8), ("assists", 6), ("threes", 3), ("pra", 39)]
)
def test_each_market_is_graded_by_its_own_count(market: str, actual: int) -> None:
    row = one({"market": market}, facts=[BOX])
    assert (row.actual_value, row.signed_error) == (actual, 22 - actual)


@pytest.mark.parametrize(
    ("changes", "points", "odds", "profit"),
    [
        ({}, 21, -105, 100 / 105),
        ({}, 20, -105, -1),
        ({"recommendation": "UNDER"}, 20, 120, 1.2),
        ({"line": 21.0}, 21, -105, 0),
        ({"recommendation": "PASS"}, 40, None, None),
        ({"best_over_odds": None}, 21, None, None),
        (NO_LINE, 40, None, None),
    ],
)
def test_a_call_earns_what_the_best_book_pays_at_the_line(
    changes: Row, points: int, odds: float, profit: float
) -> None:
    row = one(changes, facts=[FACT | {"points": points}])
    for found, wanted in ((row.odds, odds), (row.profit, profit)):
        assert pd.isna(found) if wanted is None else found == pytest.approx(wanted)


def test_a_postponed_game_is_void_on_its_old_day_and_graded_on_its_new_one_in_one_range() -> None:
    old = day("2024-01-02")
    postponed = GAME | {"game_date": old, "status": "postponed", "tip_off": None, "cutoff_at": "2024-01-02 17:00"}
    before = {"game_date": old, "as_of": "2024-01-02 16:00"}
    rows = graded(before, {}, games=[postponed, GAME])
    assert sorted(zip(rows.game_date, rows.outcome, strict=True)) == [(old, "void"), (DAY, "win")]
    forecasts = [FORECAST | before, FORECAST]
    wanted = expected_rows(ACCURACY, predictions=forecasts, schedule=[postponed, GAME], facts=[FACT])
    assert sorted((w["game_date"], w["reason"]) for w in wanted) == [(old, None), (DAY, None)]


def test_a_void_bet_earns_nothing_and_costs_nothing() -> None:
    assert pd.isna(one(facts=[FACT | {"player_id": 8}]).profit)


# --- what is graded ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("made", "rows"), [("2024-01-06 00:29", 1), (TIP, 0), ("2024-01-06 02:00", 0)])
def test_a_forecast_made_at_or_after_tip_off_is_not_graded_and_that_is_explained(made: str, rows: int) -> None:
    assert len(graded({"as_of": made})) == rows
    (wanted,) = expected_rows(ACCURACY, predictions=[FORECAST | {"as_of": made}], schedule=[GAME], facts=[FACT])
    assert wanted["reason"] == (None if rows else "it was made after tip-off")


def test_without_a_known_tip_off_the_stand_in_decides() -> None:
    unknown = [GAME | {"tip_off": None, "cutoff_at": "2024-01-05 16:00"}]
    assert len(graded({"as_of": "2024-01-05 16:00"}, games=unknown)) == 1
    assert len(graded({"as_of": "2024-01-05 16:01"}, games=unknown)) == 0


@pytest.mark.parametrize(
    ("games", "reason"),
    [
        ([GAME | {"status": "scheduled"}], "game not final yet"),
        ([], "its game is no longer in the schedule of the day"),
    ],
)
def test_a_game_that_is_not_over_or_gone_is_not_graded_and_that_is_explained(games: list[Row], reason: str) -> None:
    assert graded({}, games=games).empty
    (wanted,) = expected_rows(ACCURACY, predictions=[FORECAST], schedule=games)
    assert wanted["reason"] == reason


def test_a_row_without_a_forecast_is_neither_graded_nor_expected() -> None:
    nothing = {"predicted_mean": None, "predicted_sd": None}
    assert graded(nothing).empty
    assert expected_rows(ACCURACY, predictions=[FORECAST | nothing], schedule=[GAME]) == []


def test_nothing_to_grade_is_an_empty_table_of_the_right_columns() -> None:
    found = graded(games=[])
    assert set(found.columns) == set(PREDICTION_ACCURACY.computed_columns)
    assert found.empty


# --- daily sums -------------------------------------------------------------------------------------------------------

ERRORS: dict[str, tuple[float, ...]] = {
    "moving_average": (1, 2, 3),
    "last_5": (2, 4, 9),
    "last_10": (2, 2, 9),
    "season_average": (1, 1, 9),
    "ewma": (0, 3, math.nan),
}


def accuracy(system: str, player: int, error: float, **more: Any) -> Row:
    """A graded row whose forecast was `error` too high of 20 points."""
    played = not math.isnan(error)
    known = {
        "absolute_error": abs(error),
        "signed_error": error,
        "actual_value": 20,
        "crps": abs(error) / 2,
        "within_3": abs(error) <= 3,
        "within_5": abs(error) <= 5,
        "within_80": abs(error) <= 8,
    }
    return (
        {"game_date": DAY, "player_id": player, "market": "points", "system_id": system, "outcome": "win", "line": 18.5}
        | {"recommendation": "OVER", "line_source": "actual"}
        | (known if played else {"outcome": "void"})
        | more
    )


def daily(rows: list[Row]) -> dict[str, Row]:
    found = run(DAILY, [DAY], graded=rows).to_dict("records")
    return {str(r["system_id"]): {str(k): v for k, v in r.items()} for r in found}


def test_comparisons_are_on_rows_that_every_baseline_forecasts_too() -> None:
    rows = [accuracy(s, p, e) for s, errors in ERRORS.items() for p, e in enumerate(errors, 1) if not math.isnan(e)]
    found = daily(rows)
    ours = found["moving_average"]
    assert (ours["played"], ours["mae"]) == (3, 2)
    assert (ours["rows_with_baselines"], ours["mae_with_baselines"]) == (2, 1.5)
    assert [ours[f"{b}_mae"] for b in BASELINE_IDS] == [3, 2, 1, 1.5]
    assert (found["ewma"]["rows_with_baselines"], found["ewma"]["mae"]) == (2, 1.5)


def test_void_baselines_do_not_count_as_forecasts_of_a_row() -> None:
    rows = [accuracy(s, 1, e[0]) for s, e in ERRORS.items() if s != "ewma"] + [accuracy("ewma", 1, math.nan)]
    assert daily(rows)["moving_average"]["rows_with_baselines"] == 0
    assert pd.isna(daily(rows)["moving_average"]["mae_with_baselines"])


def test_counts_add_up_and_the_hit_rate_is_wins_of_decided_bets() -> None:
    calls = [
        {"outcome": "win"},
        {"outcome": "win"},
        {"outcome": "loss", "recommendation": "UNDER"},
        {"outcome": "push"},
        {"outcome": "pass", "recommendation": "PASS"},
        {"outcome": "no_line", "recommendation": "NO_LINE", "line": None},
    ]
    rows = [accuracy("ewma", n, 1.0, **c) for n, c in enumerate(calls)] + [accuracy("ewma", 99, math.nan)]
    r = daily(rows)["ewma"]
    assert (r["forecasts"], r["played"], r["void"]) == (7, 6, 1)
    assert (r["bets"], r["overs"], r["unders"]) == (4, 3, 1)
    assert (r["wins"], r["losses"], r["pushes"], r["passes"], r["no_lines"]) == (2, 1, 1, 1, 1)
    assert (r["hit_rate"], r["decided_bets"]) == (pytest.approx(2 / 3, abs=1e-4), 3)
    assert (r["rows_with_line"], r["market_mae"]) == (5, 1.5)


def test_the_return_is_per_unit_staked_on_priced_bets() -> None:
    rows = [accuracy("ewma", n, 1.0, profit=x) for n, x in enumerate((0.9, -1.0, 0.0, None))]
    r = daily(rows)["ewma"]
    assert (r["priced_bets"], r["roi"]) == (3, pytest.approx(-0.1 / 3, abs=1e-4))


def test_one_decided_bet_has_a_hit_rate() -> None:
    assert daily([accuracy("ewma", 1, 1.0)])["ewma"]["hit_rate"] == 1


def test_without_a_decided_bet_there_is_no_hit_rate() -> None:
    r = daily([accuracy("ewma", 1, 1.0, outcome="push"), accuracy("ewma", 2, math.nan)])["ewma"]
    assert pd.isna(r["hit_rate"])
    assert r["decided_bets"] == 0


def test_bias_rmse_and_shares_are_of_played_rows() -> None:
    r = daily([accuracy("ewma", 1, 3.0), accuracy("ewma", 2, -4.0), accuracy("ewma", 3, math.nan)])["ewma"]
    assert (r["mae"], r["bias"], r["rmse"]) == (3.5, -0.5, pytest.approx(math.sqrt(12.5), abs=1e-4))
    assert (r["within_3_share"], r["within_5_share"], r["coverage_80"]) == (0.5, 1, 1)


def test_every_system_with_a_graded_row_is_expected() -> None:
    rows = [accuracy("ewma", 1, 1.0), accuracy("last_5", 1, math.nan)]
    wanted = expected_rows(DAILY, graded=rows)
    assert (
        {(w["system_id"], w["reason"]) for w in wanted}
        == {("ewma", None), ("last_5", None)}
        == {(s, None) for s in daily(rows)}
    )
