"""Line-ups: a row has the time from which it is known, belongs to a scheduled game, and a team has five starters at most."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.tables.raw.columns import LINE_CAPTURED_LATE, NOT_IN_GAME, UNSCHEDULED
from nba_pipeline.tables.raw.lineups import CONTRADICTED, COPY, NO_TIME, TOO_MANY, TRANSFORM
from nba_pipeline_tests.support import day, moment, rows_of, run

DAY, GAME = day("2024-01-20"), "0022300001"
SCHEDULED = {
    "game_id": GAME,
    "game_date": DAY,
    "home_team": "BOS",
    "away_team": "PHX",
    "tip_off": moment("2024-01-21 00:30"),
}
BEFORE = moment("2024-01-20 23:30")


def listed(player: int = 7, **more: Any) -> dict[str, Any]:
    row = {"game_id": GAME, "game_date": DAY, "captured_at": BEFORE, "team": "BOS", "player_id": player}
    return row | {"player_name": f"A B{player}", "status": "confirmed", "position": "PG", "source": "s"} | more


def judged(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return rows_of(TRANSFORM, TRANSFORM.expression, landing=list(rows), schedule=[SCHEDULED])


def reasons(*rows: dict[str, Any]) -> list[str | None]:
    return sorted((r["reject_reason"] for r in judged(*rows)), key=str)


def test_a_line_up_is_published_with_the_time_of_its_capture() -> None:
    rows = [listed(), listed(8, team="PHO", status="expected"), listed(9, status="inactive", position=None)]
    found = run(TRANSFORM, [DAY], landing=rows, schedule=[SCHEDULED])
    assert found[["player_id", "team", "status"]].to_numpy().tolist() == [
        [7, "BOS", "confirmed"],
        [9, "BOS", "inactive"],
        [8, "PHX", "expected"],
    ]
    assert {f"{at:%Y-%m-%d %H:%M}" for at in found["captured_at"]} == {"2024-01-20 23:30"}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"captured_at": None}, NO_TIME),
        ({"captured_at": moment("2024-01-21 00:31")}, LINE_CAPTURED_LATE),
        ({"game_id": "0022300002"}, UNSCHEDULED),
        ({"team": "LAL"}, NOT_IN_GAME),
        ({"landing_problems": "player_id: x"}, "player_id: x"),
    ],
)
def test_a_row_that_cannot_be_used_before_its_game_is_set_aside(wrong: dict[str, Any], reason: str) -> None:
    (right, found) = reasons(listed(8), listed() | wrong)
    assert right is None and found is not None and reason in found


def test_a_player_counts_once_and_a_sixth_starter_makes_the_starters_of_the_team_unknown() -> None:
    five = [listed(n) for n in range(1, 6)]
    assert reasons(*five, listed(5), listed(6, status="inactive")) == [None] * 6 + [COPY]
    assert reasons(*five, listed(6), listed(7, status="inactive")) == [None] + [TOO_MANY] * 6
    assert reasons(*five, listed(6, team="PHX"), listed(6, captured_at=moment("2024-01-20 23:00"))) == [None] * 7


@pytest.mark.parametrize(
    "no_starter", [{"status": "doubtful"}, {"status": None}, {"player_id": 0}, {"player_id": None}]
)
def test_a_row_without_a_known_status_or_a_possible_id_is_no_sixth_starter(no_starter: dict[str, Any]) -> None:
    five = [listed(n) for n in range(1, 6)]
    assert reasons(*five, listed(6) | no_starter) == [None] * 6


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"status": "confirmed"}, {"status": "inactive"}),
        ({"status": "confirmed"}, {"status": "expected"}),
        ({"team": "BOS"}, {"team": "PHX"}),
    ],
)
def test_of_a_player_with_contradictory_rows_in_one_capture_none_is_published(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    five = [listed(n) for n in range(1, 6)]
    assert reasons(*five, listed() | one, listed() | other) == [None] * 5 + [CONTRADICTED] * 2


def test_a_row_without_a_known_status_keeps_its_own_fault_beside_contradictory_rows() -> None:
    assert reasons(listed(), listed(status="inactive"), listed(status="doubtful")) == [None] + [CONTRADICTED] * 2


@pytest.mark.parametrize(
    "no_statement", [{"status": "doubtful"}, {"status": "inactive", "landing_problems": "x"}, {"team": "LAL"}]
)
def test_a_row_that_is_not_used_contradicts_and_replaces_no_other(no_statement: dict[str, Any]) -> None:
    found = judged(listed() | no_statement, listed())
    (usable,) = (r for r in found if (r["team"], r["status"]) == ("BOS", "confirmed"))
    assert usable["reject_reason"] is None and COPY not in {r["reject_reason"] for r in found}


def test_another_capture_or_the_other_day_of_a_moved_game_contradicts_nothing() -> None:
    earlier, moved = moment("2024-01-20 22:00"), day("2024-01-22")
    on_both_days = [SCHEDULED, SCHEDULED | {"game_date": moved, "tip_off": moment("2024-01-23 00:30")}]
    rows = [listed(), listed(status="inactive", captured_at=earlier), listed(status="inactive", game_date=moved)]
    found = rows_of(TRANSFORM, TRANSFORM.expression, landing=rows, schedule=on_both_days)
    assert [r["reject_reason"] for r in found] == [None] * 3


COPIES = [
    listed(position=None, source=None),
    listed(position="C"),
    listed(position="C", source=None),
    listed(position="G", source="a"),
    listed(player_name="", position="A"),
]


@settings(deadline=None, max_examples=30)
@given(st.permutations(COPIES))
def test_the_copy_that_is_kept_does_not_depend_on_the_order_of_the_rows(rows: list[dict[str, Any]]) -> None:
    (kept,) = (r for r in judged(*rows) if r["reject_reason"] is None)
    assert (kept["player_name"], kept["position"], kept["source"]) == ("A B7", "C", "s")
