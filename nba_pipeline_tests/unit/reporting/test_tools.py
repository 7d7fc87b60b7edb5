"""An agent's tools answer from the tables within limits, say what is invented, and tell a wrong question with its fix."""

import json
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import time_machine

from nba_pipeline.cli.mcp_server import call as ask_server
from nba_pipeline.common.errors import ConfigurationError, MissingHistoryError
from nba_pipeline.engine.waivers import Waivers
from nba_pipeline.reporting.overview_pages import Context
from nba_pipeline.reporting.resources import RESOURCES
from nba_pipeline.reporting.tools import MOST_PRICES, MOST_ROWS, Tool, tools_of
from nba_pipeline.tables.predictions.player_prop_predictions import PLAYER_PROP_PREDICTIONS
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse import Warehouse
from nba_pipeline_tests.support import report_tables as tables
from nba_pipeline_tests.support.report_tables import DAY, KNEE, WholeLedger, entry, player, prediction, price

EVENING = datetime(2024, 1, 15, 23, tzinfo=UTC)


def tools(simulated: bool = False, ledger: Any = None, **more: list[dict[str, Any]]) -> dict[str, Tool]:
    warehouse = WholeLedger(tables.day(**more), ledger)
    return tools_of(cast(Warehouse, warehouse), lambda: Context(EVENING, simulated, Waivers()))


def ask(name: str, of: dict[str, Tool] | None = None, /, **arguments: Any) -> dict[str, Any]:
    return (of or tools())[name].ask(arguments)


def test_every_resource_of_the_api_is_a_tool() -> None:
    assert set(tools()) == {*RESOURCES, "priced_wrong", "status", "columns"}


def test_the_best_price_of_a_side_is_told_with_its_value_chances_and_reasons() -> None:
    found = ask("priced_wrong", day=str(DAY), market="points", least_value=0.02)
    (wrong,) = found["prices"]
    assert (wrong["player"], wrong["side"], wrong["book"], wrong["line"]) == ("Al Horn", "over", "b", 17.5)
    assert (wrong["value"], wrong["p_over"], wrong["odds"]) == (0.05, 0.66, -110.0)
    assert wrong["fair_odds"] == pytest.approx(-100 * 0.66 / 0.34, abs=0.1)
    assert wrong["reasons"]
    assert {q["book"] for q in wrong["other_quotes"]} == {"a", "c"}
    assert found["with_price"] == 1


def test_a_reason_that_lowers_the_forecast_speaks_for_the_under_and_against_the_over() -> None:
    both = [price("b", best_over=True), price("c", best_under=True, ev_under=0.04)]
    tired = tools(prop_prices=both, upcoming_player_game_context=[player(back_to_back=True)])
    prices = ask("priced_wrong", tired, day=str(DAY))["prices"]
    speaks = {p["side"]: next(r["speaks"] for r in p["reasons"] if "the day before" in r["text"]) for p in prices}
    assert speaks == {"over": "against", "under": "for"}


def test_minutes_and_reported_injuries_are_told_and_a_game_without_a_report_says_so() -> None:
    features = [tables.features(minutes_expected=31.26, minutes_avg_season=33.0, play_chance=0.61)]
    said = {"injury_status": "questionable", "injury_status_source": "status_snapshot", "injury_reported_on": DAY}
    listed = [player(**said)]
    forecast = [prediction(injury_status="questionable", point_forecast=21)]
    told = tools(ml_feature_store_v2=features, upcoming_player_game_context=listed, player_prop_predictions=forecast)
    (wrong,) = ask("priced_wrong", told, day=str(DAY))["prices"]
    assert (wrong["expected_minutes"], wrong["usual_minutes"]) == (31.3, 33.0)
    injury = wrong["injury"]
    assert (injury["status"], injury["source"], injury["reported_on"]) == ("questionable", "status_snapshot", DAY)
    assert (wrong["chance_to_play"], wrong["forecast"]["point"]) == (0.61, 21)
    (silent,) = ask(
        "priced_wrong", tools(upcoming_player_game_context=[player(injuries_reported=False)]), day=str(DAY)
    )["prices"]
    assert silent["injury"]["report_of_game"] is False


def test_a_price_that_is_no_candidate_is_never_wrong() -> None:
    stale = tools(prop_prices=[price("b", ev_over=0.9, exclusion="stale")])
    assert ask("priced_wrong", stale, day=str(DAY))["total"] == 0


def test_prices_come_best_first_in_pages_and_not_below_the_least_value() -> None:
    two = [price("b", best_over=True, ev_over=0.05), price("b", player_id=KNEE, best_over=True, ev_over=0.08)]
    day = tools(
        prop_prices=two,
        upcoming_player_game_context=[player(), player(KNEE)],
        player_prop_predictions=[prediction(), prediction(of=KNEE)],
    )
    first = ask("priced_wrong", day, day=str(DAY), limit=1)
    second = ask("priced_wrong", day, day=str(DAY), limit=1, offset=first["next_offset"])
    assert [p["value"] for p in first["prices"] + second["prices"]] == [0.08, 0.05]
    assert (first["total"], second["next_offset"]) == (2, None)
    assert ask("priced_wrong", day, day=str(DAY), least_value="0.06")["total"] == 1


def test_what_the_bets_of_the_system_made_before_stands_beside_its_values() -> None:
    (record,) = ask("priced_wrong", day=str(DAY))["record_of_the_systems"]
    assert (record["system"], record["market"], record["days"]) == ("ensemble_v1", "points", 30)
    assert record["profit_per_unit"] == pytest.approx(0.9)


@pytest.mark.parametrize("name", ["priced_wrong", "forecasts", "status"])
def test_figures_of_an_invented_league_are_marked(name: str) -> None:
    day = {"start": str(DAY)} if name == "status" else {"day": str(DAY)}
    assert "invented" in ask(name, tools(simulated=True), **day)["note"]
    assert ask(name, **day)["simulated"] is False


def test_rows_are_limited_and_may_have_some_columns_only() -> None:
    many = tools(player_prop_predictions=[prediction(of=KNEE), prediction("last_5"), prediction()])
    found = ask("forecasts", many, day=str(DAY), limit=2, columns="player_id, system_id")
    assert found["rows"] == [
        {"player_id": 7, "system_id": "ensemble_v1"},
        {"player_id": 7, "system_id": "last_5"},
    ]
    assert (found["total"], found["next_offset"]) == (3, 2)


def test_an_answer_without_a_limit_has_no_more_rows_than_an_agent_can_read() -> None:
    many = tools(player_prop_predictions=[prediction(player_id=n) for n in range(1, 61)])
    found = ask("forecasts", many, day=str(DAY))
    assert (len(found["rows"]), found["total"], found["next_offset"]) == (50, 60, 50)


def test_no_rows_are_told_from_rows_that_were_refused() -> None:
    refused = entry(PLAYER_PROP_PREDICTIONS, state="refused", reasons=("coverage: why",))
    found = ask("forecasts", tools(ledger=[refused], player_prop_predictions=[]), day=str(DAY))
    assert (found["rows"], found["state"], found["reasons"]) == ([], "refused", ["coverage: why"])


@time_machine.travel(datetime(2024, 1, 16, 4, tzinfo=UTC), tick=False)  # still the 15th in New York
def test_today_is_the_day_in_new_york() -> None:
    assert ask("forecasts", day="today")["total"] == 4


@pytest.mark.parametrize("nothing", [None, 7.0, 7])
def test_null_is_an_argument_that_is_not_given_and_a_whole_number_may_have_a_point(nothing: Any) -> None:
    assert ask("forecasts", day=str(DAY), player_id=nothing)["total"] == 4


def test_the_status_lists_problems_with_their_repair_within_its_limit() -> None:
    ledger = [entry(SCHEDULE, DAY, state="refused", reasons=("coverage: why",))]
    found = ask("status", tools(ledger=ledger), start=str(DAY), limit=1)
    assert found["problems_in_all"] == 1
    assert "nba-pipeline backfill" in found["problems"][0]["repair"]


def test_columns_are_explained() -> None:
    assert "Kelly" in ask("columns", of="prices")["columns"]["kelly_over"]["meaning"]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("priced_wrong", {}, "lacks day"),
        ("priced_wrong", {"day": "tonight"}, "wrong value"),
        ("priced_wrong", {"day": "9999-12-31"}, "in the future"),
        ("priced_wrong", {"day": str(DAY), "market": "goals"}, "goals is no market"),
        ("priced_wrong", {"day": str(DAY), "least_value": "nan"}, "no amount"),
        ("priced_wrong", {"day": str(DAY), "least_value": "much"}, "wrong value"),
        ("priced_wrong", {"day": str(DAY), "limit": MOST_PRICES + 1}, "out of range"),
        ("priced_wrong", {"day": str(DAY), "offset": -1}, "out of range"),
        ("priced_wrong", {"day": str(DAY), "limit": "all"}, "no whole number"),
        ("priced_wrong", {"day": [str(DAY)]}, "neither text nor a number"),
        ("forecasts", {"day": str(DAY), "limit": MOST_ROWS + 1}, "too large"),
        ("forecasts", {"day": str(DAY), "columns": "price"}, "no such column"),
        ("forecasts", {"day": str(DAY), "book": "x"}, "no parameter book"),
        ("forecasts", {"day": str(DAY), "limit": True}, "neither text nor a number"),
        ("grades", {"day": str(DAY), "as_of": "2024-01-15T10:00:00Z"}, "no parameter as_of"),
        ("status", {"start": "2024-01-16", "end": "2024-01-15"}, "is after END"),
        ("columns", {"of": "status"}, "no tool with rows"),
    ],
)
def test_a_wrong_question_is_an_error_with_its_fix(name: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as error:
        tools()[name].ask(arguments)
    assert error.value.remedy
    result = ask_server(tools(), name, arguments)
    assert result.is_error
    assert json.loads(cast(Any, result.content[0]).text) == {"error": error.value.what, "fix": error.value.remedy}


def test_a_day_that_was_never_computed_is_an_error_with_the_command_that_computes_it() -> None:
    with pytest.raises(MissingHistoryError, match="never published") as error:
        ask("priced_wrong", tools(ledger=[]), day=str(DAY))
    assert "backfill" in error.value.remedy


def test_a_tool_that_does_not_exist_is_answered_with_those_that_do() -> None:
    result = ask_server(tools(), "prcies", {})
    assert result.is_error
    assert "prices" in cast(Any, result.content[0]).text
