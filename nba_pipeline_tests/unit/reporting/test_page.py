"""The page: self-contained, escaped, and saying of everything what it is and what is not known."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any

import pytest

from nba_pipeline.reporting.data import MadeCall, Result, Statement, TableState
from nba_pipeline.reporting.overview import Cell
from nba_pipeline.reporting.page import Links, page
from nba_pipeline_tests.support.report_pages import DATA, DAY, FORECAST, GAME, GRADED, with_forecasts
from nba_pipeline_tests.support.report_pages import text_of as text


def test_the_page_needs_no_other_file_and_no_network() -> None:
    html = page(DATA, Links("2024-01-14", "2024-01-16"))
    assert not re.search(r"<link|<img|<iframe|@import|url\(|https?://|\bsrc=|\bon\w+=|fetch\(|import\(", html)
    targets = re.findall(r'href="([^"]*)"', html)
    assert [t for t in targets if not t.startswith("#")] == ["2024-01-14.html", "index.html", "2024-01-16.html"]
    assert all(f'id="{t[1:]}"' in html for t in targets if t.startswith("#"))


def test_without_scripts_every_row_and_detail_is_open_and_no_filter_is_shown() -> None:
    css = (files("nba_pipeline.reporting") / "templates" / "page.css").read_text()
    hidden = re.findall(r"([^{}]*)\{[^{}]*display: none[^{}]*\}", css.split("@media print")[0])
    assert {h.split()[0] for h in hidden} == {".js", ".filters"}


def test_the_page_has_a_dark_and_a_narrow_look() -> None:
    html = page(DATA)
    assert "prefers-color-scheme: dark" in html
    assert 'name="viewport" content="width=device-width' in html
    assert "@media (max-width: 560px)" in html


def test_the_same_data_give_the_same_page() -> None:
    assert page(DATA) == page(DATA)


def test_what_a_source_says_is_never_markup() -> None:
    evil = "<b onload=x>&\"'"
    html = page(with_forecasts({"player": evil}))
    assert evil not in html
    assert "&lt;b onload=x&gt;&amp;" in html
    assert evil in text(html)


def test_a_row_shows_side_line_probability_fair_odds_best_price_and_edge() -> None:
    row = text(page(DATA))
    row = row[row.index("Al Horn BOS vs LAL") :]
    assert row.startswith("Al Horn BOS vs LAL call pointsover 18.521.464 %−178−115 Book 17.5+4.3 %+2.5")


def test_a_row_without_a_price_says_so() -> None:
    assert "no price" in text(page(with_forecasts({"quotes": ()})))


def test_a_detail_shows_every_book_with_the_best_marked_and_pickem_operators_apart() -> None:
    shown = text(page(DATA))
    assert "Book17.5−115 best +4.3 %−105 −20.0 %" in shown
    assert "Other18.5−110 +2.2 %−110 best −19.0 %" in shown
    assert "DFS, without prices: Pick 18.5 (over 64 %)" in shown


def test_a_detail_shows_movement_form_minutes_and_team_mates_out() -> None:
    shown = text(page(DATA))
    assert "Book: 18.5 → 17.5 15 Jan 10:00 to 15 Jan 19:00" in shown
    assert "last 5: over 3, under 2, mean 20.8last 6: over 4, under 2, mean 21.0" in shown
    assert "Minutes expected: 34.2, usually 33.0. Team-mates out: Cy Wing." in shown
    assert "last_10 20.0" in shown


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (None, "No line-up or statement on the player was in force at the cut-off."),
        (Statement("available", "lineups", DAY, 0, None), "Confirmed to start by the team's line-up of the day."),
        (
            Statement("questionable", "official_report", DAY, 0, datetime(2024, 1, 15, 22, 30, tzinfo=UTC)),
            "Questionable by official report of 15 Jan 17:30 ET.",
        ),
        (Statement("available", "transaction", date(2024, 1, 13), 2, None), "of 2024-01-13, 2 days before."),
        (Statement("available", "transaction", date(2024, 1, 14), 1, None), "of 2024-01-14, 1 day before."),
    ],
)
def test_a_detail_shows_the_chance_to_play_and_who_says_what_of_the_player(
    statement: Statement | None, said: str
) -> None:
    shown = text(page(with_forecasts({"play_chance": 0.87, "statement": statement})))
    told = shown[shown.index("Chance to play: ") : shown.index("Minutes expected")]
    assert told.startswith("Chance to play: 87 %. ")
    assert told.strip().endswith(said)
    assert "Chance to play: unknown." in text(page(DATA))


def test_a_detail_shows_the_whole_number_where_the_forecast_has_one() -> None:
    assert "median21.0whole number2180 % between" in text(page(with_forecasts({"point": 21})))
    assert "median21.080 % between" in text(page(DATA))


def test_the_look_of_the_rows_of_prices_does_not_reach_the_tables_in_their_details() -> None:
    css = (files("nba_pipeline.reporting") / "templates" / "page.css").read_text()
    assert not re.findall(r"\.prices (?:thead|tbody|tr|th|td)\b", css), "a child combinator is missing"


@pytest.mark.parametrize(("call", "up", "down"), [("OVER", "for", "against"), ("UNDER", "against", "for")])
def test_a_reason_is_for_or_against_the_side_of_the_row(call: str, up: str, down: str) -> None:
    shown = text(page(with_forecasts({"call": call})))
    assert f"{up} averages 22.0 over 5 games" in shown
    assert f"{down} played the day before" in shown


def test_recorded_calls_stand_with_their_price_and_their_outcome() -> None:
    made = MadeCall(
        "close", "over", "Book", 17.5, -115.0, 0.66, 0.05, datetime(2024, 1, 16, 0, 29, tzinfo=UTC), None, None
    )
    open_call = text(page(with_forecasts({"made": (made,)})))
    assert "Called 19:29 ET (close): over 17.5 at Book −115, expected +5.0 %, P 66 %" in open_call
    graded = replace(made, outcome="win", profit=0.87)
    assert "P 66 %: win, +0.87 units" in text(page(with_forecasts({"made": (graded,)})))


def test_results_stand_on_the_page_once_they_are_in() -> None:
    assert "Results of the day" not in text(page(DATA))
    data = replace(with_forecasts({"result": Result(24, "win")}), results=replace(GRADED, day=DAY))
    shown = text(page(data))
    assert "Results of the day 1 call: 1 win" in shown
    assert "call was 24" in shown


def test_results_without_a_call_name_no_outcomes_of_calls() -> None:
    shown = text(page(replace(DATA, results=replace(GRADED, day=DAY, calls=()))))
    assert "Results of the day Every system on this day" in shown


def test_an_invented_league_is_named_on_the_page() -> None:
    assert "Simulated. An invented league" in text(page(replace(DATA, simulated=True)))
    assert "Simulated" not in text(page(DATA))


def test_profit_stands_beside_hit_rates_with_its_number_of_bets() -> None:
    shown = text(page(DATA))
    assert "+3.1 % N 20" in shown
    assert "−1.2 %−9.0 % to +6.0 % N 60" in shown


def test_calls_stand_in_order_of_probability_and_the_side_that_is_called_counts() -> None:
    data = with_forecasts(
        {"player": "A", "p_over": 0.60},
        {"player": "B", "p_over": 0.20, "call": "UNDER"},
        {"player": "C", "p_over": 0.70},
        {"player": "D", "call": "PASS"},
    )
    assert [f.player for f in data.calls] == ["B", "C", "A"]
    assert data.calls[0].p_side == pytest.approx(0.8)


def test_a_push_is_on_neither_side() -> None:
    f = replace(FORECAST, line=20.0, p_over=0.5, p_push=0.06)
    assert (f.side, f.p_side) == ("over", pytest.approx(0.5))
    assert replace(f, p_over=0.42).side == "under"
    assert replace(f, p_over=0.42).p_side == pytest.approx(0.52)


def test_all_forecasts_with_a_line_are_rows_calls_first_then_the_best_values() -> None:
    data = with_forecasts(
        *({"player": f"Player {n}", "call": "OVER" if n == 3 else "PASS"} for n in range(500)),
    )
    html = page(data)
    assert html.count('<tbody class="f ') == 500
    assert data.lined[0].player == "Player 3"


def test_fair_odds_are_those_at_which_neither_side_has_a_value() -> None:
    f = replace(FORECAST, line=20.0, p_over=0.5, p_push=0.1)
    assert (f.fair("over"), f.fair("under")) == (pytest.approx(-125), pytest.approx(125))
    even = replace(f, p_over=0.5, p_push=0.0)
    assert (even.fair("over"), even.fair("under")) == (100, 100), "as nba_predictions.prop_prices has it"
    assert replace(f, p_over=1.0, p_push=0.0).fair("over") is None


def test_a_forecast_without_a_line_is_shown_and_not_called() -> None:
    bare: dict[str, Any] = {n: None for n in ("line", "books", "book_kind", "p_over", "p_push")} | {
        "call": "NO_LINE",
        "quotes": (),
    }
    shown = text(page(with_forecasts(bare | {"reasons": (), "outcomes": ()})))
    assert "No line was available before the games" in shown
    assert "Al Horn" in shown
    assert "None" not in shown


def test_lines_without_a_call_say_so() -> None:
    shown = text(page(with_forecasts({"call": "PASS"})))
    assert "No side of any line is probable enough for a call" in shown
    assert "Al Horn BOS vs LAL points" in shown


def test_a_day_without_games_says_so_and_keeps_grades_and_accuracy() -> None:
    shown = text(page(replace(DATA, games=(), lead="", season="")))
    assert "No countable games on this day" in shown
    assert "Prices" not in shown
    assert "Latest grades Sunday, 14 January 2024" in shown
    assert "4,518" in shown


def test_without_grades_nothing_is_made_up() -> None:
    shown = text(page(replace(DATA, graded=None, records=())))
    assert "No forecast of the previous 30 days has been graded" in shown
    assert "No graded forecasts in these days" in shown


def test_reported_statuses_stand_with_their_game_and_a_missing_report_is_stated() -> None:
    assert "Bo Knee out, 2024-01-13" in text(page(DATA))
    quiet = replace(GAME, absences=())
    assert "No player has a reported status" in text(page(replace(DATA, games=(quiet,))))
    silent = replace(quiet, injuries_reported=False)
    assert "No injury report for this game" in text(page(replace(DATA, games=(silent,))))


def test_times_are_eastern_and_an_unknown_one_is_unknown() -> None:
    assert "LAL at BOS 19:30 ET BOS −4.5 · total 228.5" in text(page(DATA))
    assert "time unknown" in text(page(replace(DATA, games=(replace(GAME, tip_off=None, spread=None, total=None),))))


def test_listed_players_without_a_forecast_are_counted_with_the_reason() -> None:
    assert "3 listed players without a forecast: needs 5 games this season" in text(page(DATA))


def test_a_refused_table_stands_open_with_its_reason() -> None:
    cell = Cell(DAY, "refused", 0, 8, reasons=("coverage: 2 games are missing",))
    html = page(replace(DATA, tables=(*DATA.tables, TableState("nba_raw.shots", "games", cell))))
    assert "1 table refused" in text(html)
    assert "nba_raw.shots was refused: coverage: 2 games are missing" in text(html)
    assert "<details open><summary>3 tables: 2 published, 1 refused" in html


def test_a_table_that_waits_for_another_is_not_refused_and_says_for_what() -> None:
    cell = Cell(DAY, "waiting", 0, 8, reasons=("upstream_missing: needs nba_raw.schedule",))
    html = page(replace(DATA, tables=(*DATA.tables, TableState("nba_raw.shots", "games", cell))))
    assert "no table refused" in text(html)
    assert "nba_raw.shots waits: upstream_missing: needs nba_raw.schedule" in text(html)


def test_absent_rows_are_explained() -> None:
    assert "2: game not final yet" in text(page(DATA))


def test_too_few_days_show_no_interval() -> None:
    html = page(DATA)
    row = html[html.index("Accuracy, previous") :]
    assert "4.47 to 4.74" in row
    assert "54 % <small>N 68" in row


def test_every_market_has_its_own_table_points_first() -> None:
    html = page(with_forecasts({"market": "assists", "unit": "assists", "call": "PASS"}, {"call": "PASS"}))
    assert html.index("points: 1 forecast<") < html.index("assists: 1 forecast<")
