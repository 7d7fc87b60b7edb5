"""Recorded calls: sides that are worth a real price of the pricing system, added once a snapshot and never changed."""

from typing import Any

import pytest

from nba_pipeline import definitions
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.predictions.calls import CALLS, DAILY_EXPOSURE, GAME_CORRELATION
from nba_pipeline_tests import support
from nba_pipeline_tests.support import day, expected_rows
from nba_pipeline_tests.support.prices import PRICE

assert definitions.defs  # every table is registered
Row = dict[str, Any]
TRANSFORM = CATALOG[CALLS.id]
DAY = day("2024-01-05")
GAME: Row = {
    "game_date": DAY,
    "game_id": "0022300500",
    "tip_off": "2024-01-06 00:30",
    "cutoff_at": "2024-01-06 00:29",
}
CALL: Row = {
    "game_date": DAY,
    "player_id": 7,
    "market": "points",
    "system_id": "line_aware_v1",
    "model_version": "2",
    "game_id": GAME["game_id"],
    "season": "2023-24",
    "season_type": "Regular Season",
    "player_name": "A B",
    "team": "BOS",
    "opponent": "LAL",
    "predicted_mean": 22.0,
    "predicted_sd": 6.0,
    "predicted_skewness": 0.4,
    "line": 20.5,
    "line_book_kind": "sportsbook",
    "p_over": 0.58,
    "p_push": 0.0,
    "recommendation": "PASS",
    "calibration_rows": 8_000,
    "is_pricing_system": True,
    "as_of": "2024-01-05 17:00",
}
READY: Row = {"game_date": DAY, "player_id": 7, "feature_version": "v2", "is_production_ready": True}
UNDER_PRICE = PRICE | {"bookmaker": "fd", "line": 21.5, "best_over": False, "best_under": True}


def calls(
    *predictions: Row,
    prices: tuple[Row, ...] = (PRICE, UNDER_PRICE),
    now: str = "2024-01-05 17:00",
    earlier: Any = (),
    features: tuple[Row, ...] = (READY,),
) -> list[Row]:
    inputs = {
        "predictions": list(predictions),
        "prices": list(prices),
        "features": list(features),
        "schedule": [GAME],
        "earlier": list(earlier),
        "clock": [{"now": now}],
    }
    return support._execute(TRANSFORM, inputs, support._statement(TRANSFORM)).to_pylist()


def test_a_call_keeps_the_best_price_of_its_side_and_the_law_of_its_time() -> None:
    (row,) = calls(CALL, now="2024-01-05 17:00")
    assert (row["side"], row["bookmaker"], row["line"], row["odds"]) == ("OVER", "dk", 19.5, -115)
    assert (row["p_side"], row["expected_value"], row["kelly"], row["consensus_line"]) == (0.64, 0.19, 0.05, 20.5)
    assert [row[c] for c in ("predicted_mean", "predicted_sd", "predicted_skewness")] == [22, 6, 0.4]


def test_the_side_with_the_higher_value_is_called_at_its_own_price() -> None:
    dear = PRICE | {"ev_over": -0.05}
    worth = UNDER_PRICE | {"ev_under": 0.10}
    (row,) = calls(CALL, prices=(dear, worth))
    assert (row["side"], row["bookmaker"], row["line"], row["odds"]) == ("UNDER", "fd", 21.5, -105)
    assert row["p_side"] == pytest.approx(0.36)
    assert row["confidence"] == pytest.approx(0.42)


@pytest.mark.guard
@pytest.mark.parametrize(
    "prices",
    [
        (PRICE | {"ev_over": -0.027}, UNDER_PRICE),
        (PRICE | {"ev_over": 0.0}, UNDER_PRICE),
        (PRICE | {"over_odds": None, "ev_over": None, "best_over": False, "exclusion": "pickem"},),
        (PRICE | {"exclusion": "stale"},),
        (),
    ],
)
def test_no_call_is_made_on_negative_or_unknown_value_or_a_stale_price(prices: tuple[Row, ...]) -> None:
    confident = CALL | {"recommendation": "OVER", "p_over": 0.70}
    assert calls(confident, prices=prices) == []


def test_the_value_must_exceed_what_calibration_cannot_tell() -> None:
    thin = PRICE | {"ev_over": 0.03}
    (row,) = calls(CALL, prices=(thin,))
    error = 0.64 * 0.36 * (8 / 10_000) ** 0.5
    assert row["value_low"] == pytest.approx(0.03 - 1.645 * error * 215 / 115)
    assert calls(CALL | {"calibration_rows": 300}, prices=(thin,)) == []


@pytest.mark.parametrize(
    "barred",
    [
        {"calibration_rows": 0},
        {"calibration_rows": None},
        {"injury_status": "out"},
        {"line": None},
    ],
)
def test_no_call_is_made_without_calibration_or_line_or_on_who_is_out(barred: Row) -> None:
    assert calls(CALL) != []
    assert calls(CALL | barred) == []


@pytest.mark.parametrize(
    "features", [(), (READY | {"is_production_ready": False},), (READY | {"feature_version": "v1"},)]
)
def test_no_call_is_made_on_rows_that_are_not_ready_for_production(features: tuple[Row, ...]) -> None:
    assert calls(CALL, features=features) == []


@pytest.mark.parametrize(
    ("as_of", "snapshot"),
    [
        ("2024-01-05 22:59", "morning"),
        ("2024-01-05 23:00", "t60"),
        ("2024-01-05 23:30", "t60"),
        ("2024-01-05 23:50", "t25"),
        ("2024-01-06 00:05", "t25"),
        ("2024-01-06 00:25", "close"),
        ("2024-01-06 00:29", "close"),
    ],
)
def test_snapshots_follow_from_the_time_to_tip_off(as_of: str, snapshot: str) -> None:
    (row,) = calls(CALL | {"as_of": as_of}, now=as_of)
    assert (row["snapshot"], row["backfilled"]) == (snapshot, False)


def test_a_recorded_call_is_never_changed_and_a_new_snapshot_is_added() -> None:
    (first,) = calls(CALL, now="2024-01-05 17:00")
    moved = PRICE | {"bookmaker": "mgm", "line": 23.5, "over_odds": 120.0}
    again = calls(CALL | {"as_of": "2024-01-05 18:00"}, prices=(moved,), now="2024-01-05 18:00", earlier=[first])
    assert again == [first]
    later = calls(CALL | {"as_of": "2024-01-05 23:45"}, prices=(moved,), now="2024-01-05 23:45", earlier=again)
    assert [(r["snapshot"], r["bookmaker"]) for r in later if r != first] == [("t60", "mgm")]
    assert first in later


@pytest.mark.parametrize("withdrawn", [{"calibration_rows": 0}, {"is_pricing_system": False}])
def test_a_recorded_call_stays_when_the_forecast_no_longer_calls(withdrawn: Row) -> None:
    (first,) = calls(CALL, now="2024-01-05 17:00")
    assert calls(CALL | withdrawn, now="2024-01-06 09:00", earlier=[first]) == [first]


def test_a_call_that_was_computed_after_the_cut_off_is_marked() -> None:
    (row,) = calls(CALL | {"as_of": GAME["cutoff_at"]}, now="2024-01-09 12:00")
    assert (row["snapshot"], row["backfilled"]) == ("close", True)


@pytest.mark.parametrize(
    "other",
    [
        {"is_pricing_system": False},
        {"is_pricing_system": None},
    ],
)
def test_only_calls_of_the_pricing_system_are_recorded(other: Row) -> None:
    assert calls(CALL | other, now="2024-01-05 17:00") == []


def test_calls_and_those_of_earlier_snapshots_are_expected() -> None:
    (first,) = calls(CALL, now="2024-01-05 17:00")
    wanted = expected_rows(
        TRANSFORM,
        predictions=[CALL | {"as_of": "2024-01-05 23:50"}],
        prices=[PRICE],
        features=[READY],
        schedule=[GAME],
        earlier=[first],
        clock=[{"now": "2024-01-05 23:50"}],
    )
    assert sorted((w["snapshot"], w["reason"]) for w in wanted) == [("morning", None), ("t25", None)]


def test_stakes_of_a_day_add_up_to_the_exposure_at_most_and_share_it_with_calls_made_before() -> None:
    many = [CALL | {"player_id": n} for n in range(10)]
    ready = tuple(READY | {"player_id": n} for n in range(20))
    prices = tuple(PRICE | {"player_id": n} for n in range(20))
    first = calls(*many, prices=prices, features=ready)
    assert sum(r["stake"] for r in first) == pytest.approx(DAILY_EXPOSURE, abs=1e-5)
    again = calls(*many, CALL | {"player_id": 15}, prices=prices, features=ready, earlier=first)
    assert sum(r["stake"] for r in again) == pytest.approx(DAILY_EXPOSURE, abs=1e-5)
    assert [r["stake"] for r in again if r["player_id"] == 15] == [pytest.approx(0, abs=1e-5)]


def test_calls_in_one_game_have_smaller_stakes_than_one_alone() -> None:
    small = PRICE | {"kelly_over": 0.01}
    (alone,) = calls(CALL, prices=(small,))
    ready = (READY, READY | {"player_id": 8})
    both = calls(CALL, CALL | {"player_id": 8}, prices=(small, small | {"player_id": 8}), features=ready)
    assert alone["stake"] == pytest.approx(0.01)
    assert [r["stake"] for r in both] == [pytest.approx(0.01 / (1 + GAME_CORRELATION))] * 2
