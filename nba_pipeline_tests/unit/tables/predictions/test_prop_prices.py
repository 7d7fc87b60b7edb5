"""Prices: every quote in force is priced by every system, from what was known when the forecast was made."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nba_pipeline import definitions
from nba_pipeline.systems import BASELINE_IDS
from nba_pipeline.systems.distribution import Law
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.predictions.prop_prices import FORECAST as FORECAST_COLUMNS
from nba_pipeline.tables.predictions.prop_prices import PRICED, PROP_PRICES, priced
from nba_pipeline_tests import support
from nba_pipeline_tests.support import day, expected_rows

assert definitions.defs  # every table is registered
Row = dict[str, Any]
PRICES = CATALOG[PROP_PRICES.id]
DAY = day("2024-01-05")
FORECAST: Row = {
    "game_date": DAY,
    "player_id": 7,
    "market": "points",
    "system_id": PRICED[0],
    "predicted_mean": 22.0,
    "predicted_sd": 6.0,
    "predicted_skewness": 0.4,
    "is_pricing_system": True,
    "line": 20.5,
    "as_of": "2024-01-06 00:29",
}


def quote(book: str, line: float, over: float | None = -110, under: float | None = -110, **more: Any) -> Row:
    known = {"game_date": DAY, "player_id": 7, "market": "points", "book_kind": "sportsbook", "line_kind": "main"}
    seen = {"captured_at": "2024-01-05 20:00", "last_seen_at": "2024-01-06 00:10", "documented_pre_game": False}
    return known | seen | {"bookmaker": book, "line": line, "over_odds": over, "under_odds": under} | more


def prices(forecasts: list[Row], quotes: list[Row]) -> pd.DataFrame:
    joined = support._execute(PRICES, {"predictions": forecasts, "quotes": quotes}, support._statement(PRICES))
    return priced(joined).to_pandas()


def test_every_quote_in_force_is_priced_by_every_system() -> None:
    quotes = [quote("dk", 20.5), quote("fd", 21.5), quote("dk", 5.5, market="assists")]
    found = prices([FORECAST, FORECAST | {"system_id": PRICED[-1], "predicted_mean": 18.0}], quotes)
    assert {(r.system_id, r.bookmaker, r.line) for r in found.itertuples()} == {
        (s, b, x) for s in (PRICED[0], PRICED[-1]) for b, x in (("dk", 20.5), ("fd", 21.5))
    }


def test_a_quote_first_seen_after_the_forecast_is_not_priced() -> None:
    late = quote("fd", 25.5, captured_at="2024-01-06 00:30")
    assert prices([FORECAST], [quote("dk", 20.5), late])["bookmaker"].tolist() == ["dk"]


@pytest.mark.parametrize("changes", [{"predicted_mean": None, "predicted_sd": None}, {"system_id": BASELINE_IDS[0]}])
def test_baselines_and_rows_without_a_forecast_price_nothing(changes: Row) -> None:
    assert prices([FORECAST | changes], [quote("dk", 20.5)]).empty
    assert expected_rows(PRICES, predictions=[FORECAST | changes]) == []


def test_every_forecast_is_priced_as_of_its_own_moment() -> None:
    later = FORECAST | {"system_id": PRICED[-1], "as_of": "2024-01-06 00:40"}
    late = quote("fd", 25.5, captured_at="2024-01-06 00:35")
    found = prices([FORECAST, later], [quote("dk", 20.5), late])
    assert {(r.system_id, r.bookmaker) for r in found.itertuples()} == {
        (PRICED[0], "dk"),
        (PRICED[-1], "dk"),
        (PRICED[-1], "fd"),
    }


def test_each_side_has_one_best_price_by_what_it_is_worth() -> None:
    quotes = [
        quote("low line", 19.5, -135, 110),
        quote("plain", 20.5),
        quote("no price", 15.5, None, None),
        quote("pick'em", 15.5, 100, 100, book_kind="dfs"),
    ]
    found = prices([FORECAST], quotes).set_index("bookmaker")
    real = found.loc[["low line", "plain"]]
    assert found["best_over"].sum() == found["best_under"].sum() == 1
    assert found["best_over"].idxmax() == real["ev_over"].idxmax()
    assert found["best_under"].idxmax() == real["ev_under"].idxmax()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"book_kind": "dfs"}, "pickem"),
        ({"over_odds": None, "under_odds": None}, "no_price"),
        ({"captured_at": "2024-01-05 10:00", "last_seen_at": "2024-01-05 12:00"}, "stale"),
        ({"captured_at": None, "last_seen_at": None, "documented_pre_game": True}, None),
        ({"line": 16.5}, "outlying"),
        ({"over_odds": 150.0, "under_odds": 150.0}, "contradictory"),
        ({}, None),
    ],
)
def test_what_is_no_price_to_bet_at_is_excluded_by_name(changes: Row, reason: str | None) -> None:
    """The excluded quote is worth more than the plain one beside it, or would be if its price were real."""
    found = prices([FORECAST], [quote("plain", 20.5, -130, -130), quote("odd", 20.5, 105, -115) | changes])
    (odd,) = found[found["bookmaker"] == "odd"].to_dict("records")
    assert (None if pd.isna(odd["exclusion"]) else odd["exclusion"]) == reason
    assert odd["best_over"] == (reason is None)
    assert odd["is_pricing_system"]


@pytest.mark.guard
def test_a_price_that_contradicts_the_other_books_at_its_line_is_no_candidate() -> None:
    """The swapped over would be worth 60 % if it were real."""
    agreeing = [quote(book, 20.5, -150, 125) for book in ("dk", "fd", "mgm")]
    found = prices([FORECAST], [*agreeing, quote("betrivers", 20.5, 175, -220)]).set_index("bookmaker")
    assert found["exclusion"].dropna().to_dict() == {"betrivers": "outlying"}
    assert found[["over_odds", "under_odds"]].to_dict("index")["betrivers"] == {"over_odds": 175, "under_odds": -220}
    assert found["best_over"].sum() == 1
    assert not found.loc["betrivers", "best_over"]


SUPPLIERS = [quote("dk", 19.5), quote("fd", 20.5), quote("mgm", 20.5, -105, -115)]
SWAPPED = quote("betrivers", 22.5, -265, 170)


@pytest.mark.guard
def test_a_price_at_a_line_of_its_own_is_held_against_the_others_by_the_law() -> None:
    """Two points above the others' line the over cannot be the favourite; the under would be worth 70 %."""
    found = prices([FORECAST], [*SUPPLIERS, SWAPPED]).set_index("bookmaker")
    assert found["exclusion"].dropna().to_dict() == {"betrivers": "outlying"}
    assert found["best_under"].sum() == 1


def test_a_price_that_follows_its_line_is_a_candidate() -> None:
    found = prices([FORECAST], [*SUPPLIERS, quote("betrivers", 22.5, 130, -160)])
    assert found["exclusion"].isna().all()


@pytest.mark.parametrize("others", [SUPPLIERS[:1], [SUPPLIERS[0], quote("unibet_us", 22.5, -265, 170)]])
def test_two_suppliers_at_lines_of_their_own_do_not_tell_which_of_them_is_wrong(others: list[Row]) -> None:
    assert prices([FORECAST], [*others, SWAPPED])["exclusion"].isna().all()


def test_every_system_holds_the_prices_against_its_own_law_however_far_it_is_from_the_market() -> None:
    far_off = FORECAST | {"system_id": PRICED[-1], "predicted_mean": 33.0}
    found = prices([FORECAST, far_off], [*SUPPLIERS, SWAPPED])
    assert found.loc[found["exclusion"].notna(), "bookmaker"].tolist() == ["betrivers"] * 2


def test_prices_of_pickem_operators_are_placeholders_and_no_odds() -> None:
    (row,) = prices([FORECAST], [quote("pp", 20.5, -137, -137, book_kind="dfs")]).to_dict("records")
    for name in ("over_odds", "under_odds", "ev_over", "kelly_over", "margin"):
        assert pd.isna(row[name]), name


def test_a_worse_line_is_the_best_price_only_if_it_is_worth_more() -> None:
    """A point of line is worth about six points of probability: -105 on a line five points worse does not beat -120."""
    found = prices([FORECAST | {"line": 22.5}], [quote("worse", 24.5, -105, -115), quote("better", 19.5, -120, 100)])
    assert found.set_index("bookmaker")["best_over"].to_dict() == {"worse": False, "better": True}


def test_a_quote_without_a_price_has_chances_and_no_value() -> None:
    (row,) = prices([FORECAST], [quote("old", 20.5, None, None)]).to_dict("records")
    assert 0.5 < row["p_over"] < 1
    assert pd.isna(row["ev_over"])
    assert not row["best_over"]


def test_every_line_is_priced_by_the_law_of_the_forecast() -> None:
    quotes = [quote("dk", 18.5), quote("fd", 20.5), quote("mgm", 21.0)]
    found = prices([FORECAST], quotes).sort_values("line")
    over, push = Law(*(np.array([FORECAST[c]]) for c in FORECAST_COLUMNS)).probability_over(
        np.array([18.5, 20.5, 21.0])
    )
    assert found["p_over"].tolist() == pytest.approx(over.tolist())
    assert found["p_push"].tolist() == pytest.approx(push.tolist())


def test_a_forecast_of_an_earlier_release_is_priced_by_the_raw_law() -> None:
    found = prices([FORECAST | {"predicted_skewness": None}], [quote("dk", 18.5)])
    over, _ = Law.raw(np.array([22.0]), np.array([6.0]), "points").probability_over(np.array([18.5]))
    assert found["p_over"].tolist() == pytest.approx(over.tolist())


def test_a_forecast_with_a_line_is_expected_to_have_prices() -> None:
    wanted = expected_rows(PRICES, predictions=[FORECAST, FORECAST | {"player_id": 8, "line": None}])
    assert [(w["player_id"], w["reason"]) for w in wanted] == [(7, None)]
    assert PRICES.unit == "forecasts"


def test_nothing_to_price_is_an_empty_table_of_the_right_columns() -> None:
    found = prices([], [])
    assert found.empty
    assert set(found.columns) == set(PROP_PRICES.computed_columns)
