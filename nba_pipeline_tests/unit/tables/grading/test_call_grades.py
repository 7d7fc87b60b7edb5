"""Grades of recorded calls: at their own line and price, and against the closing market."""

from typing import Any

import pytest

from nba_pipeline import definitions
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.grading.call_grades import CALL_GRADES, graded
from nba_pipeline_tests import support
from nba_pipeline_tests.support import day, expected_rows

assert definitions.defs  # every table is registered
Row = dict[str, Any]
TRANSFORM = CATALOG[CALL_GRADES.id]
DAY = day("2024-01-05")
GAME: Row = {
    "game_date": DAY,
    "game_id": "0022300500",
    "status": "final",
    "tip_off": "2024-01-06 00:30",
    "cutoff_at": "2024-01-06 00:29",
}
CALL: Row = {
    "game_date": DAY,
    "player_id": 7,
    "market": "points",
    "snapshot": "morning",
    "system_id": "line_aware_v1",
    "game_id": GAME["game_id"],
    "season": "2023-24",
    "season_type": "Regular Season",
    "side": "OVER",
    "bookmaker": "dk",
    "line_book_kind": "sportsbook",
    "line": 20.5,
    "odds": -110.0,
    "p_side": 0.58,
    "expected_value": 0.1,
    "backfilled": False,
    "predicted_mean": 22.0,
    "predicted_sd": 6.0,
    "predicted_skewness": 0.4,
}
FACT: Row = {"game_date": DAY, "game_id": GAME["game_id"], "player_id": 7, "points": 25}
QUOTE: Row = {
    "game_date": DAY,
    "game_id": GAME["game_id"],
    "player_id": 7,
    "market": "points",
    "bookmaker": "fd",
    "book_kind": "sportsbook",
    "line_kind": "main",
    "line": 22.5,
    "over_odds": -110.0,
    "under_odds": -110.0,
    "captured_at": "2024-01-05 23:00",
    "documented_pre_game": False,
}


def grades(call: Row = CALL, facts: Any = (FACT,), game: Row = GAME, quotes: Any = (QUOTE,)) -> list[Row]:
    inputs = {"calls": [call], "facts": list(facts), "schedule": [game], "quotes": list(quotes)}
    return graded(support._execute(TRANSFORM, inputs, support._statement(TRANSFORM))).to_pylist()


@pytest.mark.parametrize(
    ("changes", "points", "outcome", "profit"),
    [
        ({}, 25, "win", 100 / 110),
        ({}, 20, "loss", -1),
        ({"line": 25.0}, 25, "push", 0),
        ({"side": "UNDER", "odds": 120.0}, 20, "win", 1.2),
        ({"odds": None, "bookmaker": None}, 25, "win", None),
    ],
)
def test_a_call_is_graded_at_its_own_line_and_price(
    changes: Row, points: int, outcome: str, profit: float | None
) -> None:
    (row,) = grades(CALL | changes, [FACT | {"points": points}])
    assert row["outcome"] == outcome
    assert row["profit"] == (None if profit is None else pytest.approx(profit))


@pytest.mark.parametrize(("side", "points"), [("OVER", 2), ("UNDER", -2)])
def test_closing_line_value_in_points_is_what_the_line_moved_in_favour_of_the_call(side: str, points: float) -> None:
    (row,) = grades(CALL | {"side": side})
    assert (row["closing_line"], row["closing_value_points"]) == (22.5, points)


def test_closing_value_is_the_markets_closing_probability_at_the_line_of_the_call_minus_its_break_even() -> None:
    (moved,) = grades()
    assert moved["closing_p_side"] > 0.6
    assert moved["closing_value"] == pytest.approx(moved["closing_p_side"] - 110 / 210)
    (same,) = grades(CALL | {"line": 22.5})
    assert same["closing_p_side"] == pytest.approx(0.5)
    assert same["closing_value"] == pytest.approx(0.5 - 110 / 210)


def test_a_quote_after_the_cut_off_that_is_no_documented_close_is_not_the_close() -> None:
    late = QUOTE | {"bookmaker": "fd", "line": 30.5, "captured_at": "2024-01-06 00:40"}
    assert grades(quotes=[QUOTE, late])[0]["closing_line"] == 22.5


def test_the_close_that_is_kept_for_evaluation_is_the_close() -> None:
    close = {"line": 24.5, "captured_at": "2024-01-06 00:36", "documented_pre_game": True, "evaluation_only": True}
    assert grades(quotes=[QUOTE, QUOTE | close])[0]["closing_line"] == 24.5


def test_without_prices_at_the_close_there_is_a_line_and_no_probability() -> None:
    (row,) = grades(quotes=[QUOTE | {"over_odds": None, "under_odds": None}])
    assert (row["closing_value_points"], row["closing_p_side"], row["closing_value"]) == (2, None, None)


@pytest.mark.parametrize(
    ("facts", "game", "outcome"),
    [
        ([FACT | {"player_id": 8}], GAME, "void"),
        ([FACT | {"player_id": 8}, FACT | {"game_id": "0022300501"}], GAME, "played_elsewhere"),
        ([], GAME | {"status": "postponed"}, "void"),
    ],
)
def test_players_who_did_not_play_have_no_result(facts: list[Row], game: Row, outcome: str) -> None:
    (row,) = grades(facts=facts, game=game)
    assert (row["outcome"], row["profit"], row["actual_value"]) == (outcome, None, None)


def test_every_call_of_a_finished_game_is_expected_to_be_graded() -> None:
    (wanted,) = expected_rows(TRANSFORM, calls=[CALL], facts=[FACT], schedule=[GAME])
    assert (wanted["snapshot"], wanted["reason"]) == ("morning", None)
    (pending,) = expected_rows(TRANSFORM, calls=[CALL], facts=[], schedule=[GAME | {"status": "scheduled"}])
    assert pending["reason"]
