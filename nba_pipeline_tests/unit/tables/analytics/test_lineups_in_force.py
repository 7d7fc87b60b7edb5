"""A line-up decides on availability where it was captured by the cut-off, and never afterwards."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.tables.analytics import upcoming_player_game_context as context
from nba_pipeline.tables.analytics._lineups import lineups_in_time
from nba_pipeline.tables.analytics._slate import slate_teams
from nba_pipeline_tests.support import day, moment, rows_of, run
from nba_pipeline_tests.support.games import Row, game, line_of, opening, team_rows

TODAY = "2024-01-20"
TONIGHT = game(TODAY, "BOS", "DEN")
CUTOFF = moment(f"{TODAY} 23:59")  # one minute before the tip-off of `game`
STAR, MATE, RIVAL, OTHER = 1, 2, 3, 4
OLD = [game(d, "BOS", "NYK") for d in ("2024-01-10", "2024-01-15")]
AWAY = [game(d, "DEN", "PHX") for d in ("2024-01-11", "2024-01-16")]
LINES = [
    *(line_of(g, p, "BOS", points=20) for g in OLD for p in (STAR, MATE)),
    *(line_of(g, RIVAL, "DEN") for g in AWAY),
]


def listed(status: str, at: str = "23:30", player: int = STAR, **more: Any) -> Row:
    row = {
        "game_id": TONIGHT["game_id"],
        "game_date": day(TODAY),
        "captured_at": moment(f"{TODAY} {at}"),
        "team": "BOS",
    }
    return row | {"player_id": player, "status": status} | more


def said(words: str, at: str, player: int = STAR) -> Row:
    row = {"player_id": player, "report_date": TODAY, "reported_at": f"{TODAY} {at}", "status": words}
    return row | {"record_type": "official_report"}


def contexts(
    lineups: list[Row], reports: list[Row] | None = None, days: tuple[str, ...] = (TODAY,), **more: Any
) -> Any:
    teams = [r for g in (*OLD, *AWAY) for r in team_rows(g)]
    inputs = {
        "slate": [TONIGHT],
        "season_games": [opening(), *OLD, *AWAY],
        "recent": LINES,
        "season": LINES,
        "recent_team_games": teams,
        "season_team_games": teams,
        "reports": reports or [],
        "lineups": lineups,
    }
    return run(context.TRANSFORM, list(days), **(inputs | more)).set_index("player_id")


def status(*lineups: Row, reports: list[Row] | None = None) -> tuple[Any, Any]:
    found = contexts(list(lineups), reports).loc[STAR]
    status, source = (None if pd.isna(v) else v for v in (found.injury_status, found.injury_status_source))
    return status, source


@pytest.mark.parametrize(
    ("word", "expected"),
    [("inactive", ("out", "lineups")), ("confirmed", ("available", "lineups")), ("expected", (None, None))],
)
def test_who_is_inactive_is_out_who_is_confirmed_is_available_and_an_expectation_says_nothing(
    word: str, expected: tuple[Any, Any]
) -> None:
    assert status(listed(word)) == expected


def test_an_inactive_player_counts_for_his_team_mates_and_makes_the_game_one_with_reports() -> None:
    found = contexts([listed("inactive")])
    assert found.loc[STAR].injury_reported_on == day(TODAY)
    assert found.injuries_reported.all() and not found.injuries_graded.any()
    assert not contexts([listed("confirmed")]).injuries_reported.any()


@pytest.mark.parametrize(("at", "expected"), [("23:59", "lineups"), ("23:59:30", None)])
def test_a_line_up_counts_that_was_captured_by_the_cut_off(at: str, expected: str | None) -> None:
    assert status(listed("inactive", at))[1] == expected


@pytest.mark.parametrize("words", [("inactive", "confirmed"), ("confirmed", "inactive")])
def test_of_two_captures_the_later_by_the_cut_off_counts(words: tuple[str, str]) -> None:
    first, second = words
    meaning = {"inactive": "out", "confirmed": "available"}
    both = [listed(first, "22:30"), listed(second, "23:30")]
    assert status(*both)[0] == status(*reversed(both))[0] == meaning[second]
    assert status(listed(first, "22:30"), listed(second, "23:59:30"))[0] == meaning[first]


@pytest.mark.parametrize("later", [listed("expected"), listed("confirmed", player=MATE)])
def test_who_is_not_inactive_any_more_in_a_later_line_up_of_the_team_is_no_longer_out(later: Row) -> None:
    assert status(listed("inactive", "22:30"), later) == (None, None)


def test_a_later_line_up_of_the_other_team_ends_nothing() -> None:
    other = listed("confirmed", player=RIVAL, team="DEN")
    assert status(listed("inactive", "22:30"), other)[0] == "out"


@pytest.mark.parametrize("wrong", [{"team": "DEN"}, {"game_id": "0022399999"}, {"player_id": OTHER}])
def test_a_line_up_of_another_team_game_or_player_says_nothing(wrong: Row) -> None:
    assert status(listed("inactive") | wrong) == (None, None)


@pytest.mark.parametrize(
    ("word", "words", "at", "expected"),
    [
        ("inactive", "available", "20:00", ("out", "lineups")),
        ("inactive", "questionable", "23:45", ("out", "lineups")),
        ("inactive", "available", "23:45", ("out", "lineups")),
        ("confirmed", "out", "20:00", ("available", "lineups")),
        ("confirmed", "questionable", "23:45", ("available", "lineups")),
        ("confirmed", "out", "23:45", ("out", "official_report")),
        ("confirmed", "out", "23:59:30", ("available", "lineups")),
        ("expected", "questionable", "20:00", ("questionable", "official_report")),
    ],
)
def test_a_line_up_comes_before_every_report_but_a_later_one_that_says_out(
    word: str, words: str, at: str, expected: tuple[str, str]
) -> None:
    assert status(listed(word), reports=[said(words, at)]) == expected


def test_a_line_up_of_one_day_says_nothing_of_the_next_in_any_range() -> None:
    tomorrow = "2024-01-21"
    slate = [TONIGHT, game(tomorrow, "BOS", "LAL")]
    both = contexts([listed("inactive")], days=(TODAY, tomorrow), slate=slate)
    second = both[both.game_date == day(tomorrow)]
    assert second.injury_status.isna().all() and not second.injuries_reported.any()
    assert both[both.game_date == day(TODAY)].loc[STAR].injury_status == "out"


captures = st.lists(
    st.tuples(
        st.sampled_from(("confirmed", "expected", "inactive")),
        st.integers(-120, 120),
        st.sampled_from((STAR, MATE, RIVAL)),
    ),
    max_size=8,
    unique_by=lambda c: (c[1], c[2]),
)


@settings(max_examples=12, deadline=None)
@given(captures)
def test_no_capture_after_the_cut_off_changes_who_is_in_or_out(drawn: list[tuple[str, int, int]]) -> None:
    rows = [
        listed(w, player=p, team="DEN" if p == RIVAL else "BOS", captured_at=CUTOFF + timedelta(minutes=m))
        for w, m, p in drawn
    ]
    unbound = context.TRANSFORM.unbound
    in_force = lineups_in_time(unbound["lineups"], slate_teams(unbound["slate"]))

    def found(lineups: list[Row]) -> list[tuple]:
        of = rows_of(context.TRANSFORM, in_force, lineups=lineups, slate=[TONIGHT])
        return sorted((r["player_id"], r["captured_at"], r["lineup_status"]) for r in of)

    assert found(rows) == found([r for r in rows if r["captured_at"] <= CUTOFF])
