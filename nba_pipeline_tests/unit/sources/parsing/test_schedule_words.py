"""The live schedule hands the service's words for games that are not played as listed to the landing column `status`."""

from datetime import date
from typing import Any

import ibis
import pyarrow as pa
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.domain.game_states import POSTPONED, state_expression, state_of
from nba_pipeline.sources.parsing import schedule
from nba_pipeline.sources.parsing.schedule import Game


def listed(number: int = 1, score: tuple[int, int] = (0, 0), **more: Any) -> dict[str, Any]:
    return {
        "gameId": f"00226{number:05d}",
        "gameStatus": 1,
        "gameStatusText": "7:30 pm ET",
        "gameDateTimeEst": "2026-12-04T19:30:00Z",
        "postponedStatus": "N",
        "ifNecessary": False,
        "homeTeam": {"teamTricode": "BOS", "score": score[0]},
        "awayTeam": {"teamTricode": "NYK", "score": score[1]},
    } | more


def games(*listed: dict[str, Any]) -> list[Game]:
    return schedule.games({"leagueSchedule": {"gameDates": [{"games": [g]} for g in listed]}})


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, None),
        ({"gameStatusText": "TBD"}, None),
        ({"gameStatusText": "TBD", "ifNecessary": "true"}, None),
        ({"postponedStatus": "A"}, None),
        ({"gameStatusText": "PPD"}, "postponed"),
        ({"gameStatusText": "Postponed"}, "postponed"),
        ({"gameStatusText": "PPD", "gameStatus": 3}, "postponed"),
        ({"postponedStatus": "Y"}, "postponed"),
        ({"postponedStatus": "P", "gameStatusText": "TBD"}, "postponed"),
        ({"postponedStatus": "Y", "gameStatus": 3, "gameStatusText": "Final"}, "postponed"),
        ({"postponedStatus": "X"}, "unknown"),
        ({"gameStatusText": "Cancelled"}, "cancelled"),
        ({"gameStatusText": "Canceled", "gameStatus": 3}, "cancelled"),
        ({"gameStatusText": "Suspended", "gameStatus": 2, "score": (40, 38)}, "suspended"),
        ({"gameStatusText": "Not Necessary", "ifNecessary": True}, "not needed"),
        ({"gameStatusText": "Q3 5:12", "gameStatus": 2, "score": (80, 81)}, "in progress"),
        ({"gameStatusText": "Overtime break", "gameStatus": 2}, "in progress"),
        ({"gameStatusText": "Moved"}, "unknown"),
        ({"gameStatusText": "", "gameStatus": 7}, "unknown"),
        ({"gameStatusText": "Final", "gameStatus": 3}, "final"),
        ({"gameStatusText": "Final/OT2", "gameStatus": 3, "score": (120, 118)}, None),
    ],
)
def test_words_become_the_state_that_they_name(more: dict[str, Any], state: str | None) -> None:
    score = more.get("score", (0, 0))
    (game,) = games(listed(score=score, **{k: v for k, v in more.items() if k != "score"}))
    assert state_of(game.row()["status"]) == state
    assert game.called_off == (state in ("postponed", "cancelled", "not needed"))
    assert (game.tip_off is None) == (game.called_off or more.get("gameStatusText") == "TBD")


def test_a_final_game_of_no_points_is_not_over() -> None:
    (game,) = games(listed(gameStatus=3, gameStatusText="Final"))
    assert not game.over and game.row()["home_pts"] is None


def test_a_flag_that_every_game_has_says_nothing_and_a_flag_on_one_game_says_that_it_is_postponed() -> None:
    flagged = [listed(n, postponedStatus="Y") for n in range(100)]
    assert not any(g.called_off for g in games(*flagged))
    one = games(*flagged[:1], *(listed(n) for n in range(1, 100)))
    assert [state_of(g.status) for g in one if g.called_off] == [POSTPONED]


def test_a_game_listed_on_two_days_is_the_one_that_is_over_else_the_one_that_takes_place() -> None:
    old = listed(gameStatus=3, gameStatusText="Final")
    new = listed(gameDateTimeEst="2026-12-19T19:30:00Z")
    assert schedule.by_id(games(new, old | {"gameStatusText": "PPD"}))["0022600001"].day == date(2026, 12, 19)
    over = listed(gameDateTimeEst="2026-12-05T19:30:00Z", gameStatus=3, gameStatusText="Final", score=(99, 98))
    assert schedule.by_id(games(new, over, old))["0022600001"].day == date(2026, 12, 5)


WORDS = """
    Final|F|Final/OT|Final/OT2|F/2OT|STATUS_FINAL|Closed|Postponed|PPD|Postponed (COVID-19)|Postponed - TBD|STATUS_POSTPONED
    |Postponed from Jan 3|Canceled|Cancelled due to weather|Suspended|NotNecessary|unnecessary|if-necessary|time-tbd|Delayed
    |InProgress|STATUS_IN_PROGRESS|Halftime|End of Q1|7:30 pm ET|Moved|3|7| ||Forfeit
"""


def test_a_column_of_words_is_read_as_single_words_are() -> None:
    words = [w.strip("\n") for w in WORDS.replace("\n    ", "").split("|")]
    with duck.connect() as db:
        db.register("w", pa.table({"words": words}))
        column = ibis.table({"words": "string"}, name="w")
        expression = column.select("words", state=state_expression(column["words"]))
        read = dict(db.execute(ibis.to_sql(expression, dialect="duckdb")).fetchall())
    assert read == {w: state_of(w) for w in words}
    assert (read["Postponed (COVID-19)"], read["Postponed from Jan 3"], read["Final/OT2"], read["F/2OT"]) == (
        *("postponed", "unknown"),
        *("final", "final"),
    )
