"""The page: self-contained, escaped, and saying of everything what it is and what is not known."""

import re
from dataclasses import replace

import pytest

from nba_pipeline.reporting.data import TableState
from nba_pipeline.reporting.page import page
from nba_pipeline_tests.support.report_pages import DATA, FORECAST, GAME, with_forecasts
from nba_pipeline_tests.support.report_pages import text_of as text


def test_the_page_needs_no_other_file_no_network_and_no_script() -> None:
    html = page(DATA)
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|https?://|\bsrc=|\bhref=|\bon\w+=", html)


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


def test_a_call_shows_its_line_probability_edge_and_reasons() -> None:
    shown = text(page(DATA))
    assert "Al Horn BOS vs LAL over 18.5 points" in shown
    assert "forecast 21.4" in shown or "forecast21.4" in shown
    assert "64 %" in shown
    assert "+2.5" in shown, "the edge is that of the median, which lies on the side of the higher probability"
    assert "averages 22.0 over 5 games" in shown


def test_a_call_shows_its_best_price_and_expected_profit() -> None:
    assert "Best price: Book, over 17.5 at −115, expected profit +4.3 % of the stake" in text(page(DATA))
    assert "Best price" not in text(page(with_forecasts({"price": None})))


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


def test_all_calls_are_on_the_page_the_less_probable_ones_folded_away() -> None:
    html = page(with_forecasts(*({"player": f"Player {n}", "p_over": 0.9 - n / 100} for n in range(20))))
    assert all(html.count(f"<h3>Player {n} ") == 1 for n in range(20))
    assert "8 more calls" in text(html)


def test_a_forecast_without_a_line_is_shown_and_not_called() -> None:
    bare = {"line": None, "books": None, "book_kind": None, "p_over": None, "p_push": None, "call": "NO_LINE"}
    shown = text(page(with_forecasts(bare | {"reasons": (), "outcomes": ()})))
    assert "No line was available before the games" in shown
    assert "Al Horn" in shown
    assert "None" not in shown


def test_lines_without_a_call_say_so() -> None:
    shown = text(page(with_forecasts({"call": "PASS"})))
    assert "No side of any line is probable enough for a call" in shown
    assert "Nearest to a call Al Horn BOS vs LAL over 18.5 points" in shown


def test_a_day_without_games_says_so_and_keeps_grades_and_accuracy() -> None:
    shown = text(page(replace(DATA, games=(), lead="", season="")))
    assert "No countable games on this day" in shown
    assert "Calls" not in shown
    assert "Latest grades Sunday, 14 January 2024" in shown
    assert "4,518" in shown


def test_without_grades_nothing_is_made_up() -> None:
    shown = text(page(replace(DATA, graded=None, records=())))
    assert "No forecast of the previous 30 days has been graded" in shown
    assert "No graded forecasts in these days" in shown


def test_reported_statuses_stand_with_their_game_and_a_missing_report_is_stated() -> None:
    assert "Bo Knee out" in text(page(DATA))
    quiet = replace(GAME, absences=())
    assert "No player has a reported status" in text(page(replace(DATA, games=(quiet,))))
    silent = replace(quiet, injuries_reported=False)
    assert "No injury report for this game" in text(page(replace(DATA, games=(silent,))))


def test_times_are_eastern_and_an_unknown_one_is_unknown() -> None:
    assert "LAL at BOS 19:30 ET" in text(page(DATA))
    assert "time unknown" in text(page(replace(DATA, games=(replace(GAME, tip_off=None, spread=None, total=None),))))


def test_listed_players_without_a_forecast_are_counted_with_the_reason() -> None:
    assert "3 listed players without a forecast: needs 5 games this season" in text(page(DATA))


def test_a_refused_table_stands_open_with_its_reason() -> None:
    refused = TableState("nba_raw.shots", "refused", 0, 8, "games", {}, ("coverage: 2 games are missing",), None)
    html = page(replace(DATA, tables=(*DATA.tables, refused)))
    assert "1 tables refused" in text(html)
    assert "nba_raw.shots was refused: coverage: 2 games are missing" in text(html)
    assert "<details open><summary>3 tables: 2 published, 1 refused" in html


def test_absent_rows_are_explained() -> None:
    assert "2: game not final yet" in text(page(DATA))


def test_too_few_days_show_no_interval() -> None:
    html = page(DATA)
    row = html[html.index("<h2>Accuracy") :]
    assert "4.47 to 4.74" in row
    assert "54 % <small>N 68" in row


def test_every_market_has_its_own_table_points_first() -> None:
    html = page(with_forecasts({"market": "assists", "unit": "assists", "call": "PASS"}, {"call": "PASS"}))
    assert html.index("points: 1 forecasts") < html.index("assists: 1 forecasts")
