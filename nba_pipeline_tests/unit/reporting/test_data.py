"""Reading a day: who leads, who is told, and that neither the day's own results nor old grades reach its page."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

from nba_pipeline.common.errors import MissingHistoryError
from nba_pipeline.reporting.data import Forecast, Quote, ReportData
from nba_pipeline.reporting.page import page
from nba_pipeline.reporting.queries import LEADS, READS_BEFORE, WINDOW_DAYS, read_reports
from nba_pipeline.systems import SYSTEM_IDS
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse import Warehouse
from nba_pipeline_tests.support import report_tables as tables
from nba_pipeline_tests.support.report_tables import (
    DAY,
    HORN,
    KNEE,
    TABLES,
    UNITS,
    HandMadeWarehouse,
    before,
    call,
    entry,
    fact,
    features,
    game,
    grade,
    performance,
    player,
    prediction,
    price,
    quote,
)


def read(warehouse: HandMadeWarehouse, *days: date) -> list[ReportData]:
    return list(read_reports(cast(Warehouse, warehouse), days or (DAY,), UNITS))


def report(**more: list[dict[str, Any]]) -> ReportData:
    (data,) = read(HandMadeWarehouse(tables.day(**more)))
    return data


def the_forecast(**more: list[dict[str, Any]]) -> Forecast:
    (found,) = report(**more).forecasts
    return found


# --- games and forecasts ----------------------------------------------------------------------------------------------


def test_a_game_has_its_lines_from_the_home_team() -> None:
    (found,) = report().games
    assert (found.away, found.home, found.spread, found.total) == ("LAL", "BOS", -4.5, 228.5)


def test_games_that_do_not_count_are_left_out() -> None:
    assert report(schedule=[game(countable=False)]).games == ()


def test_every_leading_system_exists() -> None:
    assert set(LEADS) <= set(SYSTEM_IDS)


@pytest.mark.parametrize("lead", LEADS)
def test_the_first_system_of_the_list_that_forecast_anything_leads(lead: str) -> None:
    later = LEADS[LEADS.index(lead) :]
    rows = [prediction(s, predicted_mean=20.0 if s in later else None) for s in LEADS]
    rows.append(prediction("last_10"))
    data = report(player_prop_predictions=rows)
    assert data.lead == lead
    assert set(data.forecasts[0].others) == {*later, "last_10"} - {lead}


def test_a_forecast_that_knows_the_line_leads_its_player_with_its_own_price() -> None:
    aware = prediction("line_aware_v1", predicted_mean=18.0, recommendation="UNDER")
    rows = [prediction(), aware, prediction(of=KNEE), prediction("line_aware_v1", of=KNEE, predicted_mean=None)]
    warehouse = tables.day(
        player_prop_predictions=rows,
        upcoming_player_game_context=[player(), player(KNEE)],
        ml_feature_store_v2=[features(), features(KNEE)],
    )
    (data,) = read(HandMadeWarehouse(warehouse))
    horn, knee = sorted(data.forecasts, key=lambda f: f.player)
    assert (horn.mean, horn.call, horn.quotes) == (18.0, "UNDER", ()), "the ensemble's price is not that of another law"
    assert knee.mean == prediction()["predicted_mean"]
    assert "line_aware_v1" in page(data)


def test_a_pass_of_the_forecast_that_knows_the_line_is_no_graded_call_of_the_lead() -> None:
    rows = [grade(1), grade(1, "line_aware_v1", recommendation="PASS", outcome="pass")]
    found = report(prediction_accuracy=rows).graded
    assert found is not None
    assert found.calls == ()


def test_where_nothing_is_forecast_nothing_leads_and_the_reason_is_counted() -> None:
    no_forecast = {"predicted_mean": None, "insufficient_data_reason": "no model this month"}
    data = report(
        player_prop_predictions=[prediction("ensemble_v1", **no_forecast), prediction("last_10", **no_forecast)]
    )
    assert (data.lead, data.forecasts) == ("", ())
    assert data.games[0].without_forecast == {"no model this month": 1}


def test_a_player_who_is_out_is_counted_and_named_but_not_forecast() -> None:
    rows = [prediction(), prediction(of=KNEE, injury_status="out")]
    data = report(
        player_prop_predictions=rows,
        upcoming_player_game_context=[player(), player(KNEE, injury_status="out", injury_reported_on=before(2))],
        ml_feature_store_v2=[features(), features(KNEE)],
    )
    assert [f.player for f in data.forecasts] == ["Al Horn"]
    assert data.games[0].without_forecast == {"reported out": 1}
    (absent,) = data.games[0].absences
    assert (absent.player, absent.since, absent.points) == ("Bo Knee", before(2), 24.0)
    assert "without Bo Knee (24.0 points a game)" in [r.text for r in data.forecasts[0].reasons]


def test_the_outcomes_of_a_call_are_those_of_its_law() -> None:
    found = the_forecast()
    assert sum(found.outcomes) == pytest.approx(1, abs=0.002)
    assert sum(k * p for k, p in enumerate(found.outcomes)) == pytest.approx(found.mean, abs=0.2)


def test_averages_in_the_reasons_are_those_of_the_market() -> None:
    rows = [prediction(market=m, predicted_mean=v) for m, v in (("points", 22.0), ("assists", 6.0))]
    rows += [prediction("last_5", market=m, predicted_mean=v) for m, v in (("points", 21.0), ("assists", 5.5))]
    found = {f.market: f.reasons[0].text for f in report(player_prop_predictions=rows).forecasts}
    assert found == {"points": "averages 21.0 over 5 games", "assists": "averages 5.5 over 5 games"}


def test_the_opening_line_belongs_to_points_alone() -> None:
    moved = [player(opening_points_line=16.5)]
    assert any("line moved" in r.text for r in the_forecast(upcoming_player_game_context=moved).reasons)
    rows = [prediction(market="assists", line=6.5, predicted_mean=6.0)]
    assists = the_forecast(upcoming_player_game_context=moved, player_prop_predictions=rows)
    assert not any("line moved" in r.text for r in assists.reasons)


def test_every_row_with_a_line_says_and_draws_the_same_probability() -> None:
    for line in (18.5, 22.0):
        found = the_forecast(player_prop_predictions=[prediction(line=line, p_over=0.99)])
        assert found.p_over is not None
        assert found.p_push is not None
        assert sum(p for k, p in enumerate(found.outcomes) if k > line) == pytest.approx(found.p_over, abs=0.003)
        assert sum(p for k, p in enumerate(found.outcomes) if k == line) == pytest.approx(found.p_push, abs=0.003)


def test_what_is_printed_moves_with_the_line_as_the_drawing_does() -> None:
    at = {line: the_forecast(player_prop_predictions=[prediction(line=line)]) for line in (10.5, 18.5, 30.5)}
    chances = [f.chance("over") or 0 for f in at.values()]
    assert chances == sorted(chances, reverse=True)


@pytest.mark.parametrize(("call", "book", "line"), [("OVER", "b", 17.5), ("UNDER", "c", 18.5)])
def test_the_price_is_the_best_of_the_side_that_is_called(call: str, book: str, line: float) -> None:
    found = the_forecast(player_prop_predictions=[prediction(recommendation=call)]).price
    assert found is not None
    assert (found.book, found.line) == (book, line)


def test_a_row_without_a_call_shows_the_side_with_the_better_value() -> None:
    found = the_forecast(player_prop_predictions=[prediction(recommendation="PASS")])
    assert (found.bet, found.value) == ("over", 0.05)
    prices = [price("b", best_over=True, ev_over=-0.06), price("c", best_under=True, ev_under=0.02)]
    found = the_forecast(player_prop_predictions=[prediction(recommendation="PASS")], prop_prices=prices)
    assert (found.bet, found.value) == ("under", 0.02)


@pytest.mark.parametrize(
    ("over", "under", "bet"), [(-0.06, 0.0, "under"), (0.0, -0.06, "over"), (None, -0.06, "under")]
)
def test_a_price_without_profit_is_better_than_one_that_loses_and_than_none(
    over: float | None, under: float, bet: str
) -> None:
    prices = [price("b", best_over=True, ev_over=over), price("c", best_under=True, ev_under=under)]
    found = the_forecast(player_prop_predictions=[prediction(recommendation="PASS")], prop_prices=prices)
    assert found.bet == bet


def test_every_book_has_its_line_and_price_pickem_operators_last() -> None:
    prices = [
        price("pick", book_kind="dfs", over_odds=None, under_odds=None, ev_over=None, ev_under=None),
        price("z", line=17.5, best_over=True),
        price("a"),
    ]
    found = the_forecast(prop_prices=prices).quotes
    assert [(q.book, q.kind, q.line, q.best_over) for q in found] == [
        ("z", "sportsbook", 17.5, True),
        ("a", "sportsbook", 18.5, False),
        ("pick", "dfs", 18.5, False),
    ]
    assert isinstance(found[0], Quote)


def test_a_line_moved_between_the_first_and_the_last_capture_of_a_book() -> None:
    lines = [
        quote(line=17.5, at=20),
        quote(at=15),
        quote("once", at=18),
        quote("late", line=25.5, at=21, evaluation_only=True),
        quote("late", at=15),
        quote("alternate", line=9.5, line_kind="alternate"),
        quote("alternate", line=8.5, at=20, line_kind="alternate"),
        quote("untimed", captured_at=None),
    ]
    (found,) = the_forecast(player_prop_lines=lines).moves
    assert (found.book, found.first, found.last) == ("a", 18.5, 17.5)


def seen(hour: int) -> datetime:
    return datetime(2024, 1, 15, hour, tzinfo=UTC)


def test_a_line_that_was_seen_again_stood_until_then() -> None:
    (found,) = the_forecast(player_prop_lines=[quote(at=15, last_seen_at=seen(20))]).moves
    assert (found.first, found.last, found.first_at, found.last_at) == (18.5, 18.5, seen(15), seen(20))


def test_of_two_lines_that_a_book_shows_last_the_lower_one_counts() -> None:
    lines = [quote(at=15), quote(line=19.5, at=20), quote(line=17.5, at=20), quote(line=18.5, at=20)]
    (found,) = the_forecast(player_prop_lines=lines).moves
    assert (found.first, found.last) == (18.5, 17.5)


def test_a_line_that_came_back_is_the_last_one() -> None:
    lines = [quote(at=15, last_seen_at=seen(20)), quote(line=19.5, at=17, last_seen_at=seen(18))]
    (found,) = the_forecast(player_prop_lines=lines).moves
    assert (found.first, found.last, found.last_at) == (18.5, 18.5, seen(20))


def test_what_was_seen_after_the_cut_off_says_nothing_about_movement_before_it() -> None:
    after = datetime(2024, 1, 16, 0, 29, 30, tzinfo=UTC)
    assert the_forecast(player_prop_lines=[quote(at=15, last_seen_at=after)]).moves == ()
    assert the_forecast(player_prop_lines=[quote(at=15), quote(line=9.5, captured_at=after)]).moves == ()


def test_earlier_games_stop_the_day_before_and_the_latest_stands_first() -> None:
    facts = [fact(n, 20 + n) for n in range(25)]
    found = the_forecast(player_game_summary=facts).recent
    assert [g.actual for g in found] == [20 + n for n in range(1, 21)]
    assert found[0].day == before(1)


def test_a_game_whose_count_is_unknown_is_no_earlier_game_of_the_market() -> None:
    found = the_forecast(player_game_summary=[fact(1, 20) | {"points": None}, fact(2, 22)]).recent
    assert [(g.day, g.actual) for g in found] == [(before(2), 22)]


def test_a_recorded_call_stays_as_it_was_made_and_has_its_grade_when_it_is_in() -> None:
    key = {"game_date": DAY, "player_id": HORN, "market": "points", "snapshot": "close"}
    (open_call,) = the_forecast(calls=[call()]).made
    assert (open_call.side, open_call.book, open_call.line, open_call.outcome) == ("over", "b", 17.5, None)
    (graded,) = the_forecast(calls=[call()], call_grades=[key | {"outcome": "win", "profit": 0.91}]).made
    assert (graded.outcome, graded.profit) == ("win", 0.91)


def test_an_injury_has_the_time_of_the_report_that_the_cut_off_allows() -> None:
    reports = [
        {"report_date": DAY, "player_id": KNEE, "reported_at": datetime(2024, 1, d, h, tzinfo=UTC), "record_type": kind}
        for d, h, kind in (
            (15, 17, "official_report"),
            (15, 22, "official_report"),
            (16, 3, "official_report"),
            (15, 23, "boxscore_dnp"),
        )
    ]
    data = report(
        upcoming_player_game_context=[player(), player(KNEE, injury_status="out", injury_reported_on=DAY)],
        injury_reports=reports,
    )
    (absent,) = data.games[0].absences
    assert absent.reported_at == datetime(2024, 1, 15, 22, tzinfo=UTC)


def test_all_forecasts_with_a_line_have_distribution_and_reasons_and_no_others() -> None:
    rows = [prediction(), prediction(of=KNEE, line=None, p_over=None, recommendation="NO_LINE")]
    data = report(player_prop_predictions=rows, upcoming_player_game_context=[player(), player(KNEE)])
    assert [(f.player, bool(f.outcomes), bool(f.chance("over"))) for f in data.forecasts] == [
        ("Al Horn", True, True),
        ("Bo Knee", False, False),
    ]
    assert [f.player for f in data.lined] == ["Al Horn"]


# --- grades and accuracy ----------------------------------------------------------------------------------------------


def test_the_latest_graded_day_before_stands_on_the_page_with_the_leads_calls() -> None:
    found = report().graded
    assert found is not None
    assert found.day == before(1)
    assert [(c.player, c.call, c.actual, c.outcome) for c in found.calls] == [("Al Horn", "OVER", 24, "win")]


def test_grades_of_the_day_are_its_results_and_change_nothing_else_and_later_ones_change_nothing() -> None:
    absurd = {"absolute_error": 90.0, "signed_error": 90.0, "outcome": "loss", "profit": -1.0}
    late = [grade(-n, s, **absurd) for n in range(4) for s in ("ensemble_v1", "last_10")]
    rows = tables.day()
    planted = rows | {
        "prediction_accuracy": rows["prediction_accuracy"] + late,
        "system_daily_performance": rows["system_daily_performance"] + [performance(-n, mae=90.0) for n in range(4)],
    }
    (seen,) = read(HandMadeWarehouse(planted))
    assert seen.results is not None
    assert (seen.results.day, seen.results.systems[0].mae) == (DAY, 90.0)
    assert [f.result and f.result.outcome for f in seen.forecasts] == ["loss"]
    assert without_results(seen) == report()
    earlier = planted | {"prediction_accuracy": [r | absurd for r in planted["prediction_accuracy"]]}
    assert without_results(*read(HandMadeWarehouse(earlier))) != report()


def without_results(data: ReportData) -> ReportData:
    games = tuple(replace(g, forecasts=tuple(replace(f, result=None) for f in g.forecasts)) for g in data.games)
    return replace(data, games=games, results=None)


def test_a_range_does_not_let_a_day_see_the_grades_of_the_next() -> None:
    days = (before(5), DAY)
    ledger = [entry(t, d) for t in TABLES for d in days]
    rows = tables.day(schedule=[game(), game(game_date=before(5), game_id="0022300400")])
    first, second = read(HandMadeWarehouse(rows, ledger), *days)
    assert first.graded is not None
    assert second.graded is not None
    assert (first.graded.day, second.graded.day) == (before(6), before(1))
    assert (first.records[0].n, second.records[0].n) == (5, 10)
    assert [first, second] == [d for day in days for d in read(HandMadeWarehouse(rows, ledger), day)]


def test_a_range_with_both_days_of_a_moved_game_shows_each_day_what_it_shows_alone() -> None:
    later = DAY + timedelta(days=1)
    rows = tables.day(schedule=[game(), game(game_date=later, tip_off=datetime(2024, 1, 17, 0, 30, tzinfo=UTC))])
    moved: dict[str, dict[str, Any]] = {
        "upcoming_team_game_context": {"game_spread": 9.5, "game_total": 240.5},
        "upcoming_player_game_context": {"injury_status": "out", "injury_reported_on": later},
        "ml_feature_store_v2": {"points_avg_season": 12.0},
        "player_prop_predictions": {"predicted_mean": 11.0, "line": 12.5, "recommendation": "PASS"},
        "prop_prices": {"line": 12.5},
    }
    for name, of_later in moved.items():
        rows[name] = rows[name] + [r | {"game_date": later} | of_later for r in rows[name] if r["game_date"] == DAY]
    warehouse = HandMadeWarehouse(rows, [entry(t, d) for t in TABLES for d in (DAY, later)])
    alone = [*read(warehouse, DAY), *read(warehouse, later)]
    assert [d.games[0].total for d in alone] == [228.5, 240.5]
    assert read(warehouse, DAY, later) == alone


@pytest.mark.parametrize(("days_before", "n"), [(WINDOW_DAYS, 1), (WINDOW_DAYS + 1, 0)])
def test_accuracy_looks_back_thirty_days(days_before: int, n: int) -> None:
    rows = [grade(days_before, s) for s in ("ensemble_v1", "last_10")]
    assert [r.n for r in report(prediction_accuracy=rows).records[:1]] == [1] * n


# --- state and errors -------------------------------------------------------------------------------------------------


def test_a_day_refused_after_it_was_published_counts_as_refused_and_keeps_its_rows() -> None:
    ledger = [entry(SCHEDULE), entry(TABLES[1]), entry(TABLES[1], state="refused", rows=0, reasons=("a rule: why",))]
    (data,) = read(HandMadeWarehouse(tables.day(), ledger))
    states = {t.table: t.cell for t in data.tables}
    assert list(states) == list(UNITS)
    assert states[TABLES[1].id].state == "refused"
    assert (states[TABLES[1].id].rows, states[TABLES[1].id].reasons) == (5, ("a rule: why",))
    assert states[TABLES[2].id].state == "never run"
    assert [t.table for t in data.refused] == [TABLES[1].id]


def test_a_day_whose_schedule_was_never_published_is_an_error_not_a_day_without_games() -> None:
    with pytest.raises(MissingHistoryError, match=r"backfill 2024-01-16 2024-01-16"):
        read(HandMadeWarehouse(tables.day()), DAY, DAY + timedelta(days=1))


def test_no_page_is_made_where_one_of_the_days_has_no_schedule_as_it_would_link_a_page_that_never_comes() -> None:
    days = [before(n) for n in range(40, -1, -1)]
    warehouse = HandMadeWarehouse(tables.day(), [entry(SCHEDULE, d) for d in days[:-1]])
    with pytest.raises(MissingHistoryError, match=f"{DAY}"):
        next(read_reports(cast(Warehouse, warehouse), days, UNITS))
    assert warehouse.reads == 0


def test_a_published_day_without_games_is_a_short_page() -> None:
    (data,) = read(HandMadeWarehouse({}, [entry(SCHEDULE)]))
    assert (data.games, data.records, data.graded, data.season) == ((), (), None, "")
    assert "No countable games" in page(data)


def test_a_month_of_days_takes_one_read() -> None:
    days = [before(n) for n in range(31)]
    warehouse = HandMadeWarehouse(tables.day(), [entry(SCHEDULE, d) for d in days])
    assert len(read(warehouse, *days)) == 31
    assert warehouse.reads == 1
    assert set(READS_BEFORE) == {"graded", "performance", "names", "facts", "injuries"}
