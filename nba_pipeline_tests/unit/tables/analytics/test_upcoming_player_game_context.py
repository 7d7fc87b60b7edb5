"""Rules of nba_analytics.upcoming_player_game_context."""

from typing import Any

import pandas as pd
import pytest

from nba_pipeline.tables.analytics import upcoming_player_game_context as context
from nba_pipeline.tables.analytics._availability import STATUSES, WORDS
from nba_pipeline_tests.support import day, expected_rows, run
from nba_pipeline_tests.support.games import Row, game, line_of, opening, team_rows

TODAY = "2024-01-20"
TONIGHT = game(TODAY, "BOS", "DEN")
STAR, MATE, THIRD = 1, 2, 3


def world(played: list[Row], lines: list[Row], **more) -> dict:
    """Inputs in which these games and players' lines are history."""
    teams = [r for g in played for r in team_rows(g)]
    return {
        "slate": [TONIGHT],
        "season_games": [opening(), *played],
        "recent": lines,
        "season": lines,
        "recent_team_games": teams,
        "season_team_games": teams,
    } | more


def contexts(inputs: dict) -> Any:
    return run(context.TRANSFORM, [TODAY], **inputs).set_index("player_id")


def appearances(*on: str, player_id: int = STAR, points: int = 10, minutes: float = 30.0, **more) -> dict:
    """A world in which the player played these Boston games."""
    played = [game(d, "BOS", "NYK") for d in on]
    return world(played, [line_of(g, player_id, "BOS", points=points, minutes=minutes) for g in played], **more)


def test_rest_and_back_to_back_come_from_his_own_games():
    inputs = appearances("2024-01-15", "2024-01-17")
    benched = game("2024-01-19", "BOS", "NYK")
    inputs["recent_team_games"] = inputs["season_team_games"] = [*inputs["season_team_games"], *team_rows(benched)]
    found = contexts(inputs).loc[STAR]
    assert (found.days_rest, found.back_to_back, found.games_played_season) == (2, False, 2)


def test_a_game_the_day_before_is_a_back_to_back():
    found = contexts(appearances("2024-01-19")).loc[STAR]
    assert (found.days_rest, found.back_to_back) == (0, True)


@pytest.mark.parametrize(
    ("played", "seven", "fourteen"),
    [("2024-01-13", 1, 1), ("2024-01-12", 0, 1), ("2024-01-06", 0, 1), ("2024-01-05", 0, 0)],
)
def test_windows_reach_exactly_seven_and_fourteen_days_back(played: str, seven: int, fourteen: int):
    found = contexts(appearances(played)).loc[STAR]
    assert (found.games_in_last_7_days, found.games_in_last_14_days) == (seven, fourteen)
    assert (found.minutes_in_last_7_days, found.minutes_in_last_14_days) == (30.0 * seven, 30.0 * fourteen)


def test_no_games_are_no_minutes_but_an_unknown_average():
    found = contexts(appearances("2024-01-01")).loc[STAR]
    assert found.minutes_in_last_7_days == 0
    assert pd.isna(found.avg_minutes_per_game_last_7)


def test_back_to_backs_count_pairs_with_both_games_in_fourteen_days():
    inside = contexts(appearances("2024-01-06", "2024-01-07", "2024-01-14", "2024-01-15", "2024-01-16")).loc[STAR]
    assert inside.back_to_backs_last_14_days == 3
    straddling = contexts(appearances("2024-01-05", "2024-01-06")).loc[STAR]
    assert straddling.back_to_backs_last_14_days == 0


def test_averages_need_all_their_games():
    days = [f"2024-01-{d:02d}" for d in range(1, 19, 2)]
    nine = contexts(appearances(*days, points=12)).loc[STAR]
    assert nine.points_avg_last_5 == 12.0
    assert pd.isna(nine.points_avg_last_10)
    assert pd.isna(contexts(appearances(*days[:4])).loc[STAR].points_avg_last_5)
    assert contexts(appearances("2023-12-30", *days)).loc[STAR].points_avg_last_10 == 10.0


def test_games_of_an_earlier_season_list_a_player_but_do_not_count():
    old = game("2023-06-01", "BOS", "NYK", season="2022-23")
    found = contexts(world([old], [line_of(old, STAR, "BOS")])).loc[STAR]
    assert found.games_played_season == 0
    assert found[["days_rest", "points_avg_last_5", "avg_usage_rate_last_7_games", "prop_over_streak"]].isna().all()


def report(
    words: str | None, on: str, at: str | None = None, kind: str = "status_snapshot", player_id: int = STAR
) -> Row:
    return {"player_id": player_id, "report_date": on, "reported_at": at, "record_type": kind, "status": words}


def status(*reports: Row, inputs: dict | None = None) -> Any:
    """The star's row, given these reports; those of the day go to the day's input, the others to the earlier ones."""
    inputs = inputs or appearances("2024-01-10", "2024-01-15")
    today = [r for r in reports if r["report_date"] == TODAY]
    earlier = [r for r in reports if r["report_date"] != TODAY]
    return contexts(inputs | {"reports": today, "earlier_reports": earlier}).loc[STAR]


def test_the_latest_statement_before_the_cut_off_is_in_force():
    found = status(
        report("questionable", TODAY, f"{TODAY} 12:00"),
        report("out", TODAY, f"{TODAY} 23:30"),
        report("available", TODAY, f"{TODAY} 23:59:30"),
    )
    assert (found.injury_status, found.injury_status_source, str(found.injury_reported_on)) == (
        "out",
        "status_snapshot",
        TODAY,
    )


def test_a_statement_that_knows_only_its_day_counts_from_the_next_day_on():
    assert pd.isna(status(report("placed_out", TODAY, kind="transaction")).injury_status)
    assert status(report("placed_out", "2024-01-19", kind="transaction")).injury_status == "out"


def test_a_statement_from_before_his_latest_game_no_longer_counts():
    assert pd.isna(status(report("placed_out", "2024-01-14", kind="transaction")).injury_status)
    assert pd.isna(status(report("out", "2024-01-15", "2024-01-15 20:00")).injury_status)
    assert status(report("placed_out", "2024-01-15", kind="transaction")).injury_status == "out"


def test_box_scores_never_say_who_is_out():
    assert pd.isna(status(report("did_not_play", "2024-01-18", kind="boxscore_dnp")).injury_status)


def test_a_statement_of_last_season_does_not_count():
    june = game("2023-06-01", "BOS", "NYK", season="2022-23")
    summer = world([june], [line_of(june, STAR, "BOS")])
    assert pd.isna(status(report("placed_out", "2023-07-25", kind="transaction"), inputs=summer).injury_status)
    assert status(report("placed_out", "2023-10-01", kind="transaction"), inputs=summer).injury_status == "out"


@pytest.mark.parametrize(("said", "meaning"), [("2023-11-22", "out"), ("2023-11-21", None)])
def test_a_statement_older_than_180_days_does_not_count(said: str, meaning: str | None):
    on = "2024-05-20"
    inputs = appearances("2023-11-10", slate=[game(on, "BOS", "DEN")])
    found = run(context.TRANSFORM, [on], **inputs, earlier_reports=[report("placed_out", said, kind="transaction")])
    assert found.injury_status.fillna("").tolist() == [meaning or ""]


def test_words_that_cannot_be_mapped_stay_visible_without_a_status():
    found = status(report("traveling with team", "2024-01-19", "2024-01-19 20:00"))
    assert pd.isna(found.injury_status)
    assert found.injury_status_source == "status_snapshot"


@pytest.mark.parametrize(("words", "meaning"), [(w, s) for s in STATUSES for w in WORDS[s]])
def test_the_sources_words_mean_one_of_five_statuses(words: str, meaning: str):
    assert status(report(words.upper(), "2024-01-19", "2024-01-19 20:00")).injury_status == meaning


def test_of_statements_at_one_time_the_graver_counts():
    both = [report(w, "2024-01-18", kind="transaction") for w in ("activated", "placed_out")]
    assert status(*both).injury_status == "out"


def test_the_source_speaks_of_availability_if_it_said_something_in_the_last_seven_days():
    silent = status(report("out", "2024-01-12", "2024-01-12 20:00", player_id=99))
    assert not silent.injuries_reported
    assert pd.isna(silent.star_teammates_out)
    spoke = status(report("placed_out", "2024-01-13", kind="transaction", player_id=99))
    assert (spoke.injuries_reported, spoke.injuries_graded, spoke.star_teammates_out) == (True, False, 0)
    assert status(report("out", "2024-01-13", "2024-01-13 20:00", player_id=99)).injuries_graded


def team_with_absence(star_points: int = 25, star_usage: float = 30.0, games: int = 7) -> dict:
    played = [game(f"2024-01-{d:02d}", "BOS", "NYK") for d in range(20 - games, 20)]
    lines = [
        row
        for g in played
        for row in (
            line_of(g, STAR, "BOS", points=star_points, usage_rate=star_usage, minutes=36.0),
            line_of(g, MATE, "BOS", usage_rate=22.0, minutes=30.0),
            line_of(g, THIRD, "BOS", usage_rate=16.0, minutes=24.0),
        )
    ]
    return world(played, lines)


OUT = {"reports": [report("out", TODAY, f"{TODAY} 18:00")]}
NOBODY_OUT = {"reports": [report("available", TODAY, f"{TODAY} 18:00")]}


def test_the_usage_an_absent_player_leaves_is_shared_in_proportion_to_usage():
    found = contexts(team_with_absence() | OUT)
    mean = (22 * 30 + 16 * 24) / 54
    taken = (30 - mean) * 36 / (mean * 90)
    assert found.projected_usage_rate[MATE] == pytest.approx(22 * (1 + taken), abs=1e-3)
    assert found.projected_usage_rate[THIRD] == pytest.approx(16 * (1 + taken), abs=1e-3)


def test_without_absences_the_projected_usage_is_the_average():
    found = contexts(team_with_absence() | NOBODY_OUT)
    assert found.projected_usage_rate.tolist() == found.avg_usage_rate_last_7_games.tolist() == [30.0, 22.0, 16.0]


def test_the_absence_of_a_player_who_used_little_lowers_nobody():
    found = contexts(team_with_absence(star_usage=5.0) | OUT)
    assert found.projected_usage_rate[MATE] == 22.0


def test_a_star_is_a_team_mate_who_averages_18_over_five_games():
    assert contexts(team_with_absence() | OUT).star_teammates_out.to_dict() == {STAR: 0, MATE: 1, THIRD: 1}
    assert contexts(team_with_absence(star_points=17) | OUT).star_teammates_out[MATE] == 0
    assert contexts(team_with_absence(games=4) | OUT).star_teammates_out[MATE] == 0


def test_usage_is_weighted_by_minutes():
    played = [game(f"2024-01-{d}", "BOS", "NYK") for d in (15, 16, 17)]
    stints = [(20.0, 30.0), (20.0, 30.0), (300.0, 0.1)]
    lines = [line_of(g, STAR, "BOS", usage_rate=u, minutes=m) for g, (u, m) in zip(played, stints, strict=True)]
    assert contexts(world(played, lines)).loc[STAR].avg_usage_rate_last_7_games == pytest.approx(20.466, abs=1e-3)


def test_the_opponents_rest_and_pace_are_those_of_the_other_team():
    inputs = appearances("2024-01-15")
    theirs = [game(f"2024-01-{d:02d}", "DEN", "NYK") for d in (10, 12, 14, 16, 17)]
    inputs["season_team_games"] = [
        *inputs["season_team_games"],
        *[r for g in theirs for r in team_rows(g, pace=(104.0, 98.0))],
    ]
    found = contexts(inputs).loc[STAR]
    assert (found.opponent_days_rest, found.opponent_pace_last_10) == (2, 104.0)
    league = (2 * 100 + 5 * 104 + 5 * 98) / 12
    assert found.pace_differential == pytest.approx(104 - league, abs=1e-3)


def test_the_opponents_pace_needs_five_games():
    inputs = appearances("2024-01-15")
    inputs["season_team_games"] += [r for d in (10, 12, 14, 16) for r in team_rows(game(f"2024-01-{d}", "DEN", "NYK"))]
    assert pd.isna(contexts(inputs).loc[STAR].opponent_pace_last_10)


def quote(book: str, at: str | None, line: float, **more) -> Row:
    facts = {"game_date": TODAY, "player_id": STAR, "market": "points", "bookmaker": book, "book_kind": "sportsbook"}
    return facts | {"line": line, "line_kind": "main", "captured_at": at, "documented_pre_game": False} | more


def test_the_line_is_the_one_known_at_the_cut_off():
    quotes = [
        quote("a", f"{TODAY} 12:00", 20.5),
        quote("a", f"{TODAY} 22:00", 21.5),
        quote("a", f"{TODAY} 23:59:30", 25.5),
    ]
    found = contexts(appearances("2024-01-15", quotes=quotes)).loc[STAR]
    assert (found.opening_points_line, found.current_points_line, found.line_movement) == (20.5, 21.5, 1.0)
    assert (found.has_prop_line, found.points_line_books, found.points_line_source) == (True, 1, "sportsbook")


def test_without_a_line_nothing_is_invented():
    found = contexts(appearances("2024-01-15", quotes=[quote("a", f"{TODAY} 23:59:30", 25.5)])).loc[STAR]
    assert (found.has_prop_line, found.points_line_books) == (False, 0)
    assert found[["current_points_line", "opening_points_line", "line_movement", "points_line_source"]].isna().all()


def streak(*results: str | None) -> tuple:
    played = [game(f"2024-01-{10 + i}", "BOS", "NYK") for i in range(len(results))]
    lines = [line_of(g, STAR, "BOS", over_under_result=r) for g, r in zip(played, results, strict=True)]
    found = contexts(world(played, lines)).loc[STAR]
    return found.prop_over_streak, found.prop_under_streak


def test_a_streak_against_his_own_lines_ends_with_the_first_opposite_result():
    assert streak("OVER", "UNDER", "OVER", "OVER") == (2, 0)
    assert streak("OVER", "OVER", "UNDER") == (0, 1)


def test_pushes_and_games_without_a_line_are_passed_over():
    assert streak("UNDER", "OVER", "PUSH", None, "OVER", "PUSH") == (2, 0)


def test_before_his_first_line_streaks_are_unknown():
    assert all(pd.isna(s) for s in streak(None, "PUSH"))


def aged(*lists: tuple[str, float], born: str | None = None) -> float:
    ages = [{"season": s, "player_id": STAR, "age": a} for s, a in lists]
    people = [{"player_id": STAR, "birth_date": day(born) if born else None}]
    return contexts(appearances("2024-01-15", player_ages=ages, people=people)).loc[STAR].player_age


def test_the_age_is_that_of_the_latest_list_of_an_earlier_season_aged_by_the_calendar():
    """Whole years are half a year more; 2024-01-20 is 204 days after 2023-06-30."""
    assert aged(("2021-22", 26.0), ("2022-23", 27.0)) == round(27.5 + 204 / 365.25, 1)
    assert aged(("2021-22", 26.0)) == round(26.5 + (365 + 204) / 365.25, 1)
    assert aged(("2022-23", 27.3)) == round(27.3 + 204 / 365.25, 1)


def test_a_date_of_birth_comes_before_any_list():
    assert aged(("2022-23", 40.0), born="1998-03-03") == round((365.25 * 26 - 43) / 365.25, 1)


def test_a_list_of_the_season_itself_or_a_later_one_is_not_known_yet():
    assert aged(("2022-23", 27.0), ("2023-24", 35.0), ("2024-25", 36.0)) == aged(("2022-23", 27.0))
    assert pd.isna(aged(("2023-24", 28.0)))
    assert pd.isna(contexts(appearances("2024-01-15")).loc[STAR].player_age)


def test_every_team_of_the_slate_needs_listed_players_unless_it_has_no_history():
    inputs = appearances("2024-01-15")
    rows = expected_rows(context.TRANSFORM, slate=[TONIGHT], recent_team_games=inputs["recent_team_games"])
    assert {r["team"]: r["reason"] for r in rows} == {"BOS": None, "DEN": context.NO_HISTORY}


def test_absurd_facts_of_the_day_and_later_change_nothing():
    inputs = team_with_absence() | OUT | {"quotes": [quote("a", f"{TODAY} 12:00", 20.5)]}
    before = contexts(inputs)
    later = [TONIGHT, *(game(f"2024-01-{d}", "BOS", "DEN") for d in (21, 22))]
    absurd = [line_of(g, p, "DEN", points=99, minutes=48.0, usage_rate=90.0) for g in later for p in (STAR, MATE, 77)]
    teams = [r for g in later for r in team_rows(g, 90, (140.0, 60.0))]
    after = contexts(
        inputs
        | {k: [*inputs[k], *absurd] for k in ("recent", "season")}
        | {k: [*inputs[k], *teams] for k in ("recent_team_games", "season_team_games")}
        | {"season_games": [*inputs["season_games"], *later]}
        | {"reports": [*inputs["reports"], report("available", "2024-01-21", "2024-01-21 12:00", player_id=STAR)]}
        | {"quotes": [*inputs["quotes"], quote("b", "2024-01-21 12:00", 60.5)]}
    )
    assert after.equals(before)
