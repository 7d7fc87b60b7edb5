"""The comparison of two computations counts what differs and nothing else, and windows end the day before."""

from datetime import date

import pandas as pd
import pytest

from nba_pipeline.tables.analytics.team_offense_game_summary import TEAM_OFFENSE_GAME_SUMMARY
from tools.recompute.comparison import compare, described
from tools.recompute.history import before, in_last_days, last_games

DAYS = [date(2024, 1, d) for d in (1, 2, 5, 9)]
GAMES = pd.DataFrame({"team": "BOS", "game_date": DAYS, "points": [100, 110, 120, 90]})
COMPARED = ("game_id", "team", "pace", "win_flag", "overtime_periods")
SKIPPED = {name: "not in the example" for name in TEAM_OFFENSE_GAME_SUMMARY.columns if name not in COMPARED}
ROWS = pd.DataFrame(
    {
        "game_id": ["1", "2", "3"],
        "team": ["BOS", "BOS", "LAL"],
        "pace": [98.12344, None, 101.0],
        "win_flag": [True, False, None],
        "overtime_periods": [0, 1, 0],
    }
)


def test_equal_rows_have_no_difference_whatever_their_order_and_rounding() -> None:
    other = ROWS.iloc[::-1].assign(pace=pd.Series({0: 98.1234, 2: 101.0}))
    found = compare(TEAM_OFFENSE_GAME_SUMMARY, ROWS, other, SKIPPED)
    assert (found.rows, found.cells, found.differing) == (3, 9, 0)


def test_cells_that_differ_are_counted_by_column_and_shown() -> None:
    other = ROWS.assign(pace=[98.1236, 99.0, 101.0], win_flag=pd.Series({0: True}), overtime_periods=[0, 1, 1])
    found = compare(TEAM_OFFENSE_GAME_SUMMARY, ROWS, other, SKIPPED)
    assert {d.column: d.cells for d in found.differences} == {"pace": 2, "win_flag": 1, "overtime_periods": 1}
    assert "  pace: 2; 1 BOS pace: 98.12344, again 98.1236; 2 BOS pace: nan, again 99.0" in described([found])


def test_a_column_without_a_second_computation_has_to_be_named() -> None:
    with pytest.raises(ValueError, match=r"no second computation of .*points"):
        compare(TEAM_OFFENSE_GAME_SUMMARY, ROWS, ROWS)


def test_figures_before_a_day_leave_the_day_itself_out() -> None:
    rows = pd.DataFrame({"team": ["BOS", "BOS", "BOS", "LAL"], "day": [DAYS[3], DAYS[0], date(2024, 1, 20), DAYS[3]]})
    two = before(rows, "day", last_games(GAMES, ["team"], ["points"], 2), ["team"])
    assert two.points.fillna(-1).tolist() == [230, -1, 210, -1]


def test_the_last_days_end_the_day_before_and_begin_on_the_first_of_them() -> None:
    rows = pd.DataFrame({"team": ["BOS", "BOS"], "day": [date(2024, 1, 9), date(2024, 1, 8)]})
    seven = in_last_days(rows, "day", GAMES, ["team"], ["points"], 7)
    assert seven.points.tolist() == [230, 330]
    assert seven.games.tolist() == [2, 3]
