"""Daily line-ups of the league: starters and inactive players by game; what is odd is named, and nothing is guessed."""

from copy import deepcopy
from typing import Any

import pytest

from nba_pipeline.sources.parsing.acceptance import SetAside
from nba_pipeline.sources.parsing.lineups import lineups
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import PayloadError
from nba_pipeline_tests.support import day

GAMES = {
    f"002230000{n}": Game(f"002230000{n}", day("2024-01-20"), None, home, away, None, None, None, None)
    for n, home, away in ((1, "BOS", "PHX"), (2, "DEN", "LAL"))
}


def player(n: int, word: str = "Confirmed", position: str = "C", roster: str = "Active") -> dict[str, Any]:
    name = {"firstName": "A", "lastName": f"B{n}", "playerName": f"A B{n}"}
    return {"personId": n, "lineupStatus": word, "position": position, "rosterStatus": roster, **name}


def answer() -> dict[str, Any]:
    def team(code: str, first: int) -> dict[str, Any]:
        starters = [player(n, "Expected" if code == "PHX" else "Confirmed") for n in range(first, first + 5)]
        rest = [player(first + 5, "", ""), player(first + 6, "", "", "Inactive")]
        return {"teamAbbreviation": code, "players": [*starters, *rest]}

    return {
        "games": [
            {"gameId": g.game_id, "homeTeam": team(g.home or "", 10 * n), "awayTeam": team(g.away or "", 10 * n + 100)}
            for n, g in enumerate(GAMES.values(), 1)
        ]
    }


def read(payload: Any) -> tuple[list[dict[str, Any]], list[str]]:
    aside: list[SetAside] = []
    return lineups(payload, GAMES, aside), [str(a) for a in aside]


def test_starters_and_inactive_players_are_read_and_others_are_left_out() -> None:
    rows, aside = read(answer())
    assert aside == [] and len(rows) == 4 * 6
    of_phoenix = {r["player_id"]: r["status"] for r in rows if r["team"] == "PHX"}
    assert of_phoenix == dict.fromkeys(range(110, 115), "expected") | {116: "inactive"}
    assert rows[0] == {
        "game_id": "0022300001",
        "game_date": day("2024-01-20"),
        "team": "BOS",
        "source": "NBA daily line-ups",
        "player_id": 10,
        "player_name": "A B10",
        "status": "confirmed",
        "position": "C",
    }


def changed(change: Any) -> Any:
    payload = answer()
    change(payload["games"][0])
    return payload


@pytest.mark.parametrize(
    ("change", "lost", "said"),
    [
        (lambda g: g.update(gameId="0022300099"), 12, "the game is not in the schedule of the season"),
        (lambda g: g["homeTeam"].update(teamAbbreviation="LAL"), 6, "the team is LAL, and BOS by the schedule"),
        (lambda g: g["homeTeam"].update(players=None), 6, "the part 'players' is null"),
        (lambda g: g["homeTeam"]["players"][0].update(lineupStatus="Doubtful"), 1, "lineupStatus is"),
        (lambda g: g["homeTeam"]["players"][0].update(personId=0), 1, "the player has no id"),
        (lambda g: g["homeTeam"]["players"][0].update(playerName="", firstName="", lastName=""), 1, "has no name"),
        (lambda g: g["homeTeam"]["players"].append("x"), 0, "an object"),
    ],
)
def test_what_cannot_be_read_is_named_and_the_rest_is_used(change: Any, lost: int, said: str) -> None:
    rows, aside = read(changed(change))
    assert len(rows) == 24 - lost
    assert len(aside) == 1 and said in aside[0]


def test_a_sixth_starter_is_landed_for_the_table_to_judge() -> None:
    rows, aside = read(changed(lambda g: g["homeTeam"]["players"].append(player(19))))
    assert aside == [] and [r["status"] for r in rows if r["player_id"] == 19] == ["confirmed"]


@pytest.mark.parametrize("payload", [{}, {"games": None}, [], {"games": [{"gameId": "x"}, 7, None]}])
def test_an_answer_of_another_form_is_refused(payload: Any) -> None:
    with pytest.raises(PayloadError):
        read(deepcopy(payload))


def test_a_day_without_games_has_no_line_ups() -> None:
    assert read({"games": []}) == ([], [])
