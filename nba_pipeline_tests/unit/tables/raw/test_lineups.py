"""Line-ups: a row has the time from which it is known, belongs to a scheduled game, and a team has five starters at most."""

from typing import Any

import pytest

from nba_pipeline.tables.raw.columns import LINE_CAPTURED_LATE, UNSCHEDULED
from nba_pipeline.tables.raw.lineups import COPY, NO_TIME, NOT_IN_GAME, TOO_MANY, TRANSFORM
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


def reasons(*rows: dict[str, Any]) -> list[str | None]:
    found = rows_of(TRANSFORM, TRANSFORM.expression, landing=list(rows), schedule=[SCHEDULED])
    return sorted((r["reject_reason"] for r in found), key=str)


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
        ({"captured_at": moment("2024-01-21 00:30")}, LINE_CAPTURED_LATE),
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
