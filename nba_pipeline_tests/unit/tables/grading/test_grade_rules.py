"""Grades that contradict themselves are not published: which rows break which rule of the two tables of grades."""

from typing import Any

import pytest

from nba_pipeline.tables.grading.prediction_accuracy import PREDICTION_ACCURACY
from nba_pipeline.tables.grading.system_daily_performance import SYSTEM_DAILY_PERFORMANCE
from nba_pipeline_tests.support import broken_rules

Row = dict[str, Any]
WON: Row = {
    "actual_value": 25,
    "absolute_error": 3.0,
    "outcome": "win",
    "line_source": "actual",
    "odds": -105.0,
    "profit": 0.952,
}
VOID: Row = {"outcome": "void", "actual_value": None, "absolute_error": None, "profit": None}
UNPRICED: Row = {"odds": None, "profit": None}
NO_ERROR = "a played row without an error, or the other way round"
NO_LINE = "a bet is graded without an actual line"
NO_PRICE = "a profit without a price"
CONTRADICTION = "profit and outcome contradict each other"
NOT_VOID = "a void row has an actual value"


def test_the_tables_of_grades_have_the_names_that_others_read_them_by() -> None:
    assert PREDICTION_ACCURACY.id == "nba_predictions.prediction_accuracy"
    assert SYSTEM_DAILY_PERFORMANCE.id == "nba_predictions.system_daily_performance"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"profit": 1.2},
        {"outcome": "loss", "profit": -1.0},
        {"outcome": "push", "profit": 0.0},
        UNPRICED,
        VOID,
        VOID | UNPRICED | {"line_source": "none"},
        UNPRICED | {"outcome": "no_line", "line_source": "none"},
        UNPRICED | {"outcome": "pass"},
    ],
)
def test_a_grade_of_every_outcome_breaks_no_rule(changes: Row) -> None:
    assert broken_rules(PREDICTION_ACCURACY, WON | changes) == set()


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"absolute_error": None}, {NO_ERROR}),
        ({"actual_value": None}, {NO_ERROR}),
        ({"line_source": "none"}, {NO_LINE}),
        ({"line_source": "none", "outcome": "loss", "profit": -1.0}, {NO_LINE}),
        ({"line_source": "none", "outcome": "push", "profit": 0.0}, {NO_LINE}),
        ({"odds": None}, {NO_PRICE}),
        ({"profit": -1.0}, {CONTRADICTION}),
        ({"profit": 0.0}, {CONTRADICTION}),
        ({"outcome": "loss"}, {CONTRADICTION}),
        ({"outcome": "push"}, {CONTRADICTION}),
        (VOID | {"actual_value": 25, "absolute_error": 3.0}, {NOT_VOID}),
    ],
)
def test_a_grade_that_contradicts_itself_breaks_the_rule_that_says_so(changes: Row, rules: set[str]) -> None:
    assert broken_rules(PREDICTION_ACCURACY, WON | changes) == rules


DAY: Row = {
    "forecasts": 31,
    "played": 26,
    "void": 4,
    "played_elsewhere": 1,
    "bets": 14,
    "wins": 8,
    "losses": 4,
    "pushes": 2,
    "overs": 9,
    "unders": 5,
    "passes": 9,
    "no_lines": 3,
}


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        ("played", "played and void do not add up"),
        *((c, "bets do not add up") for c in ("wins", "losses", "pushes", "overs", "unders")),
        *((c, "outcomes do not add up") for c in ("passes", "no_lines")),
    ],
)
def test_a_count_that_is_one_too_high_breaks_its_sum(column: str, rule: str) -> None:
    assert broken_rules(SYSTEM_DAILY_PERFORMANCE, DAY) == set()
    assert broken_rules(SYSTEM_DAILY_PERFORMANCE, DAY | {column: DAY[column] + 1}) == {rule}
