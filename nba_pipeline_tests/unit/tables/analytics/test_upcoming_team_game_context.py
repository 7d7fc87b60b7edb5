"""Rules of nba_analytics.upcoming_team_game_context."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.tables.analytics import upcoming_team_game_context as context
from nba_pipeline_tests.support import expected_rows, run
from nba_pipeline_tests.support.games import Row, game, opening, team_rows

TODAY = "2024-01-20"
TONIGHT = game(TODAY, "BOS", "DEN")


def contexts(slate: list[Row], history: Sequence[tuple[Row, int]] = (), **inputs) -> Any:
    """The context of the slate's teams, by (team); history is games with the home team's margin."""
    played = [g for g, _ in history]
    inputs.setdefault("season_games", [opening(), *played])
    inputs.setdefault("team_games", [r for g, margin in history for r in team_rows(g, margin)])
    return run(context.TRANSFORM, [TODAY], slate=slate, **inputs).set_index("team")


def boston(*on: str) -> list[tuple[Row, int]]:
    return [(game(d, "BOS", "NYK"), 5) for d in on]


def quote(book: str, at: str | None, **more) -> Row:
    facts = {"game_id": TONIGHT["game_id"], "game_date": TODAY, "bookmaker": book, "captured_at": at}
    return facts | {"documented_pre_game": False, "spread_home": -4.0, "total": 220.0} | more


def test_one_row_per_team_of_a_countable_game():
    preseason = game(TODAY, "MIA", "ORL", countable=False)
    found = contexts([TONIGHT, preseason])
    assert sorted(found.index) == ["BOS", "DEN"]
    assert found.loc["BOS", "opponent"] == "DEN"
    assert found.home_game.to_dict() == {"BOS": True, "DEN": False}


def test_both_teams_of_every_countable_game_are_expected():
    rows = expected_rows(context.TRANSFORM, slate=[TONIGHT, game(TODAY, "MIA", "ORL", countable=False)])
    assert sorted((r["team"], r["reason"]) for r in rows) == [("BOS", None), ("DEN", None)]


def test_rest_is_days_since_the_last_game_minus_one():
    found = contexts([TONIGHT], boston("2024-01-15", "2024-01-18")).loc["BOS"]
    assert (found.days_since_last_game, found.team_days_rest, found.team_back_to_back) == (2, 1, False)


def test_a_game_the_day_before_makes_a_back_to_back_with_no_rest():
    found = contexts([TONIGHT], boston("2024-01-19")).loc["BOS"]
    assert (found.days_since_last_game, found.team_days_rest, found.team_back_to_back) == (1, 0, True)


def test_before_the_first_game_of_the_season_rest_and_form_are_unknown_and_counts_are_zero():
    found = contexts([TONIGHT]).loc["BOS"]
    unknown = ["days_since_last_game", "team_days_rest", "team_win_streak_entering", "team_loss_streak_entering"]
    assert found[[*unknown, "last_game_margin", "last_game_result"]].isna().all()
    assert (found.game_number_in_season, found.games_in_last_7_days, found.team_back_to_back) == (1, 0, False)


def test_games_of_another_season_do_not_count():
    last_season = [(game("2024-01-18", "BOS", "NYK", season="2022-23"), 5)]
    assert contexts([TONIGHT], last_season).loc["BOS"].game_number_in_season == 1


@pytest.mark.parametrize(
    ("played", "seven", "fourteen"),
    [("2024-01-13", 1, 1), ("2024-01-12", 0, 1), ("2024-01-06", 0, 1), ("2024-01-05", 0, 0)],
)
def test_windows_reach_exactly_seven_and_fourteen_days_back(played: str, seven: int, fourteen: int):
    found = contexts([TONIGHT], boston(played)).loc["BOS"]
    assert (found.games_in_last_7_days, found.games_in_last_14_days) == (seven, fourteen)


def test_the_number_of_the_game_counts_the_season_not_a_window():
    days = [f"2023-{m}-{d:02d}" for m in (11, 12) for d in range(1, 29, 2)]
    assert contexts([TONIGHT], boston(*days)).loc["BOS"].game_number_in_season == len(days) + 1


def test_a_streak_ends_with_the_first_opposite_result():
    margins = [("2024-01-10", 5), ("2024-01-12", -3), ("2024-01-14", 8), ("2024-01-16", 1)]
    found = contexts([TONIGHT], [(game(d, "BOS", "NYK"), m) for d, m in margins]).loc["BOS"]
    assert (found.team_win_streak_entering, found.team_loss_streak_entering) == (2, 0)
    assert (found.last_game_margin, found.last_game_result) == (1, "W")


def test_losses_make_a_losing_streak():
    margins = [("2024-01-10", 5), ("2024-01-12", -3), ("2024-01-14", -8)]
    found = contexts([TONIGHT], [(game(d, "BOS", "NYK"), m) for d, m in margins]).loc["BOS"]
    assert (found.team_win_streak_entering, found.team_loss_streak_entering, found.last_game_result) == (0, 2, "L")


def test_the_spread_is_seen_from_the_team_and_the_total_is_not():
    found = contexts([TONIGHT], game_lines=[quote("draftkings", f"{TODAY} 12:00", spread_home=-4.5, total=221.0)])
    assert found.game_spread.to_dict() == {"BOS": -4.5, "DEN": 4.5}
    assert found.game_total.to_dict() == {"BOS": 221.0, "DEN": 221.0}
    assert found.implied_team_total.to_dict() == {"BOS": 112.75, "DEN": 108.25}


def test_a_line_captured_after_the_cut_off_is_not_known():
    lines = [
        quote("draftkings", f"{TODAY} 23:58", spread_home=-4.0),
        quote("draftkings", f"{TODAY} 23:59:30", spread_home=-9.0),
    ]
    found = contexts([TONIGHT], game_lines=lines).loc["BOS"]
    assert found.game_spread == -4.0
    late_only = contexts([TONIGHT], game_lines=lines[1:]).loc["BOS"]
    assert pd.isna(late_only.game_spread)
    assert late_only.game_line_books == 0


def test_the_line_is_the_median_of_the_latest_quotes_and_opening_that_of_the_first():
    lines = [
        *[
            quote(b, f"{TODAY} 10:00", spread_home=s)
            for b, s in (("draftkings", -3.0), ("fanduel", -3.5), ("betmgm", -4.0))
        ],
        *[
            quote(b, f"{TODAY} 20:00", spread_home=s, total=t)
            for b, s, t in (("draftkings", -5.0, 221.0), ("fanduel", -6.0, 222.0))
        ],
    ]
    found = contexts([TONIGHT], game_lines=lines)
    assert found.game_spread.to_dict() == {"BOS": -5.0, "DEN": 5.0}
    assert found.opening_spread.to_dict() == {"BOS": -3.5, "DEN": 3.5}
    assert found.spread_movement.to_dict() == {"BOS": -1.5, "DEN": 1.5}
    assert (found.loc["BOS"].game_total, found.loc["BOS"].opening_total, found.loc["BOS"].total_movement) == (
        221.0,
        220.0,
        1.0,
    )
    assert found.loc["BOS"].game_line_books == 3


def test_the_documented_close_comes_before_timed_quotes_and_each_moment_has_its_own_columns():
    closing = quote("consensus", None, spread_home=-7.0, total=230.0, documented_pre_game=True)
    alone = contexts([TONIGHT], game_lines=[closing]).loc["BOS"]
    assert (alone.game_spread, alone.closing_spread) == (-7.0, -7.0)
    absent = ["opening_spread", "cutoff_spread", "opening_captured_at", "cutoff_captured_at", "spread_movement"]
    assert alone[[*absent, "game_line_captured_at"]].isna().all()
    morning = quote("draftkings", f"{TODAY} 12:00", spread_home=-4.0, total=226.0)
    beside = contexts([TONIGHT], game_lines=[closing, morning]).loc["DEN"]
    assert (beside.game_spread, beside.opening_spread, beside.cutoff_spread, beside.closing_spread) == (7, 4, 4, 7)
    assert (beside.game_total, beside.cutoff_total, beside.total_movement) == (230.0, 226.0, 4.0)
    assert beside.spread_movement == 3.0
    assert beside.game_line_books == 1
    assert pd.isna(beside.game_line_captured_at)
    assert beside.cutoff_captured_at == beside.opening_captured_at


def test_movement_is_unknown_where_every_book_was_seen_once():
    once = [
        quote("draftkings", f"{TODAY} 10:00", spread_home=-3.0),
        quote("fanduel", f"{TODAY} 20:00", spread_home=-5.0),
    ]
    found = contexts([TONIGHT], game_lines=once).loc["BOS"]
    assert (found.game_spread, found.opening_spread) == (-4.0, -4.0)
    assert found[["spread_movement", "total_movement"]].isna().all()


def test_a_line_without_a_time_that_is_not_documented_as_closing_is_not_used():
    assert pd.isna(contexts([TONIGHT], game_lines=[quote("draftkings", None)]).loc["BOS"].game_spread)


@pytest.mark.parametrize("book", ["betfair", "novig", "some_new_book"])
def test_an_exchange_and_a_book_that_nobody_declared_take_no_part_in_the_line(book: str):
    lines = [quote("draftkings", f"{TODAY} 12:00"), quote(book, f"{TODAY} 12:00", spread_home=-9.0)]
    found = contexts([TONIGHT], game_lines=lines).loc["BOS"]
    assert (found.game_spread, found.game_line_books) == (-4.0, 1)
    assert pd.isna(contexts([TONIGHT], game_lines=lines[1:]).loc["BOS"].game_spread)


def test_the_median_of_moneylines_is_taken_of_implied_probabilities():
    prices = (("draftkings", -110.0, 100.0), ("fanduel", 110.0, -150.0))
    lines = [quote(b, f"{TODAY} 12:00", moneyline_home=h, moneyline_away=a) for b, h, a in prices]
    found = contexts([TONIGHT], game_lines=lines).moneyline
    home, away = (110 / 210 + 100 / 210) / 2, (0.5 + 150 / 250) / 2
    assert found["BOS"] == pytest.approx(100 / home - 100, abs=0.1)
    assert found["DEN"] == pytest.approx(-100 * away / (1 - away), abs=0.1)


def listed(player_id: int, status: str | None, reported: bool = True, graded: bool = True) -> Row:
    facts = {"game_date": TODAY, "team": "BOS", "player_id": player_id, "injury_status": status}
    return facts | {"injuries_reported": reported, "injuries_graded": graded}


def test_absences_are_counted_over_listed_players():
    players = [listed(1, "out"), listed(2, "out"), listed(3, "questionable"), listed(4, None)]
    found = contexts([TONIGHT], listed=players).loc["BOS"]
    assert (found.players_out_count, found.players_doubtful_count, found.players_questionable_count) == (2, 0, 1)


def test_without_reports_absences_are_unknown_not_zero():
    columns = ["players_out_count", "players_doubtful_count", "players_questionable_count"]
    assert contexts([TONIGHT], listed=[listed(1, None, reported=False, graded=False)]).loc["BOS", columns].isna().all()
    assert contexts([TONIGHT]).loc["BOS", columns].isna().all()


def test_transactions_alone_know_who_is_out_but_not_who_is_questionable():
    found = contexts([TONIGHT], listed=[listed(1, "out", graded=False), listed(2, None, graded=False)]).loc["BOS"]
    assert found.players_out_count == 1
    assert pd.isna(found.players_questionable_count)


def test_travel_goes_from_the_place_of_the_previous_game_and_coming_home_counts():
    found = contexts([TONIGHT], [(game("2024-01-18", "LAL", "BOS"), 5)])
    assert found.loc["BOS"].travel_miles == pytest.approx(2592, abs=1)
    assert found.loc["BOS"].time_zones_crossed == 3


def test_before_the_first_game_of_the_season_the_way_starts_at_home():
    found = contexts([TONIGHT])
    assert found.loc["BOS"].travel_miles == 0
    assert found.loc["DEN"].time_zones_crossed == 2


def test_going_west_is_negative_and_phoenix_has_no_summer_time():
    winter = contexts([game(TODAY, "PHX", "LAL")]).loc["LAL"]
    assert winter.time_zones_crossed == 1
    day = "2024-04-05"
    slate = [game(day, "PHX", "LAL"), game(day, "SAC", "MIA")]
    spring: Any = run(context.TRANSFORM, [day], slate=slate).set_index("team")
    assert spring.loc["LAL"].time_zones_crossed == 0
    assert spring.loc["MIA"].time_zones_crossed == -3


def test_a_game_in_paris_is_a_journey_for_both_teams_and_no_home_game():
    paris = {"neutral_site": True, "arena": "Accor Arena"}
    there = contexts([game(TODAY, "CLE", "BKN", **paris)])
    assert there.travel_miles.to_dict() == {"CLE": pytest.approx(3914, abs=10), "BKN": pytest.approx(3630, abs=10)}
    assert there.time_zones_crossed.to_dict() == {"CLE": 6, "BKN": 6}
    assert there.consecutive_road_games.to_dict() == {"CLE": 1, "BKN": 1}
    back = contexts([game(TODAY, "CLE", "DEN")], [(game("2024-01-18", "CLE", "BKN", **paris), 5)]).loc["CLE"]
    assert (back.travel_miles, back.time_zones_crossed) == (pytest.approx(3914, abs=10), -6)
    assert back.consecutive_road_games == 0


def test_a_second_game_in_the_same_neutral_arena_is_no_way_off():
    vegas = {"neutral_site": True, "arena": "T-Mobile Arena"}
    found = contexts([game(TODAY, "LAL", "MIL", **vegas)], [(game("2024-01-18", "LAL", "NOP", **vegas), 5)])
    assert (found.loc["LAL"].travel_miles, found.loc["LAL"].consecutive_road_games) == (0, 2)


def test_the_way_to_or_from_a_neutral_site_of_unknown_place_is_unknown():
    to_it = contexts([game(TODAY, "BOS", "DEN", neutral_site=True)])
    assert to_it[["travel_miles", "time_zones_crossed"]].isna().all().all()
    assert to_it.consecutive_road_games.to_dict() == {"BOS": 1, "DEN": 1}
    away = (game("2024-01-18", "BOS", "NYK", neutral_site=True), 5)
    assert pd.isna(contexts([TONIGHT], [away]).loc["BOS"].travel_miles)


def test_a_road_trip_counts_this_game_and_ends_at_home():
    games = [("2024-01-12", "DEN", "NYK"), ("2024-01-14", "NYK", "DEN"), ("2024-01-16", "PHI", "DEN")]
    found = contexts([TONIGHT], [(game(*g), 5) for g in games])
    assert found.loc["DEN"].consecutive_road_games == 3
    assert found.loc["BOS"].consecutive_road_games == 0


@pytest.mark.parametrize(("on", "early"), [("2023-10-24", True), ("2023-11-06", True), ("2023-11-07", False)])
def test_the_first_fourteen_days_after_the_first_regular_game_are_early(on: str, early: bool):
    preseason = game("2023-10-05", "MIA", "ORL", countable=False, season_type="Preseason")
    found = run(context.TRANSFORM, [on], slate=[game(on, "BOS", "DEN")], season_games=[preseason, opening()])
    assert found.early_season_flag.tolist() == [early, early]


def test_absurd_facts_of_the_day_and_later_change_nothing():
    history = boston("2024-01-12", "2024-01-18")
    before = contexts([TONIGHT], history)
    absurd = [(g, 90) for g in (TONIGHT, game("2024-01-21", "BOS", "LAL"), game("2024-01-22", "DEN", "BOS"))]
    assert contexts([TONIGHT], [*history, *absurd]).equals(before)


def test_a_range_gives_each_day_what_the_day_alone_gives():
    days = ["2024-01-16", "2024-01-18", TODAY]
    slate = [game(d, "BOS", "NYK") for d in days]
    inputs = {"season_games": [opening(), *slate], "team_games": [r for g in slate for r in team_rows(g, 3)]}
    together = run(context.TRANSFORM, days, slate=slate, **inputs)
    alone = [run(context.TRANSFORM, [d], slate=[g], **inputs) for d, g in zip(days, slate, strict=True)]
    pd.testing.assert_frame_equal(together, pd.concat(alone, ignore_index=True), check_dtype=False)


def test_lines_that_their_book_contradicts_or_had_withdrawn_are_not_the_line_at_the_cutoff() -> None:
    lines = [
        quote("draftkings", f"{TODAY} 12:00", spread_home=-4.5, total=221.0),
        quote("fanduel", f"{TODAY} 13:00", spread_home=-9.5, total=240.0, contradicted=True),
        quote("fanduel", f"{TODAY} 13:00", spread_home=9.5, total=200.0, contradicted=True),
        quote("betmgm", f"{TODAY} 11:00", spread_home=-8.5, total=230.0),
        quote("betmgm", f"{TODAY} 12:00", spread_home=-9.5, total=235.0, ended_at=f"{TODAY} 12:30"),
        quote("newbook", f"{TODAY} 12:00", spread_home=-20.5, total=250.0),
    ]
    found = contexts([TONIGHT], game_lines=lines).loc["BOS"]
    assert (found.game_spread, found.game_total, found.game_line_books) == (-4.5, 221.0, 1)
    declared = [line | {"book_kind": "sportsbook"} if line["bookmaker"] == "newbook" else line for line in lines]
    assert contexts([TONIGHT], game_lines=declared).loc["BOS"].game_line_books == 2
