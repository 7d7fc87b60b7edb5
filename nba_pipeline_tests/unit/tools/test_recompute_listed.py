"""Who is listed, computed a second time: by appearances, statements, rosters and quotes known before the cut-off."""

from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from nba_pipeline_tests.support import day
from tools.recompute import listed
from tools.recompute.league import League

TODAY, GAME = day("2024-01-20"), "0022300600"
CUTOFF = pd.Timestamp("2024-01-21 00:29", tz="UTC")
STATED = ("report_date", "record_type", "player_id", "player_name", "player_lookup", "team", "status")
ROSTERED = ("roster_date", "captured_at", "team", "player_id", "player_name", "player_lookup")
QUOTED = ("game_date", "game_id", "player_id", "player_name", "player_lookup", "book_kind", "captured_at")


def appearance(when: str, team: str, player: int) -> dict[str, Any]:
    return {"game_date": day(when), "team": team} | named(player)


def named(player: int) -> dict[str, Any]:
    return {"player_id": player, "player_name": f"Player {player}", "player_lookup": f"player{player}"}


def said(when: str, team: str, kind: str = "boxscore_dnp", status: str = "did_not_play") -> dict[str, Any]:
    return {"report_date": day(when), "record_type": kind, "team": team, "status": status} | named(1)


def on_roster(team: str, player: int, at: str) -> dict[str, Any]:
    return {"roster_date": TODAY, "captured_at": pd.Timestamp(at, tz="UTC"), "team": team} | named(player)


def quote(game_id: str, player: int, at: str = "2024-01-20 15:00") -> dict[str, Any]:
    known = {"game_date": TODAY, "game_id": game_id, "book_kind": "sportsbook", "documented_pre_game": False}
    return known | {"captured_at": pd.Timestamp(at, tz="UTC")} | named(player)


def places(played: list[dict[str, Any]], **evidence: list[dict[str, Any]]) -> set[tuple[str, int]]:
    """Who is listed for Boston's game with Denver; Miami plays the Lakers, and player 9 of Boston appeared on the 18th."""
    sides = [("BOS", GAME), ("DEN", GAME), ("MIA", "0022300601"), ("LAL", "0022300601")]
    slate = pd.DataFrame([{"game_date": TODAY, "team": t, "game_id": g, "cutoff_at": CUTOFF} for t, g in sides])
    tables = {
        listed.STATEMENTS: pd.DataFrame(evidence.get("statements", []), columns=STATED),
        listed.ROSTERS: pd.DataFrame(evidence.get("rosters", []), columns=ROSTERED).astype(
            {"captured_at": "datetime64[us, UTC]"}
        ),
        listed.QUOTES: pd.DataFrame(evidence.get("quotes", []), columns=[*QUOTED, "documented_pre_game"]).astype(
            {"captured_at": "datetime64[us, UTC]"}
        ),
    }
    league = SimpleNamespace(home=lambda table, **_: tables[table], within=lambda rows: rows, teams_of_games=slate)
    appearances = pd.DataFrame([appearance("2024-01-18", "BOS", 9), *played])
    found = listed.players(cast(League, league), appearances)
    return set(zip(found.team, found.player_id, strict=True)) - {("BOS", 9)}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (said("2024-01-18", "BOS"), {("BOS", 1)}),
        (said("2024-01-19", "BOS", "transaction", "activated"), {("BOS", 1)}),
        (said("2024-01-19", "BOS", "transaction", "placed_out"), set()),
        (said("2024-01-19", "BOS", "status_snapshot"), set()),
        (said("2024-01-17", "BOS"), set()),
        (said("2024-01-20", "BOS"), set()),
    ],
)
def test_without_an_appearance_a_statement_since_the_latest_game_lists(
    statement: dict[str, Any], expected: set[tuple[str, int]]
) -> None:
    assert places([], statements=[statement]) == expected
    assert places([appearance("2023-05-24", "MIA", 1)], statements=[statement]) == expected


def test_after_an_appearance_for_another_team_any_statement_since_the_last_ten_games_lists() -> None:
    played = [appearance("2024-01-10", "MIA", 1)]
    assert places(played) == {("MIA", 1)}
    assert places(played, statements=[said("2024-01-12", "BOS", "transaction", "placed_out")]) == {("BOS", 1)}
    assert places([appearance("2024-01-10", "BOS", 1)], statements=[said("2024-01-12", "DEN")]) == {("DEN", 1)}


def test_a_roster_in_time_moves_a_player_and_a_newer_one_without_him_takes_him_off() -> None:
    played = [appearance("2024-01-10", "MIA", 1)]
    assert places(
        played, rosters=[on_roster("BOS", 1, "2024-01-20 12:00"), on_roster("BOS", 9, "2024-01-20 12:00")]
    ) == {("BOS", 1)}
    assert places(played, rosters=[on_roster("BOS", 1, "2024-01-21 00:30")]) == {("MIA", 1)}
    assert places(played, rosters=[on_roster("MIA", 2, "2024-01-20 12:00")]) == {("MIA", 2)}


def test_a_quote_in_time_lists_for_a_team_of_its_game_only() -> None:
    played = [appearance("2024-01-10", "MIA", 1)]
    assert places(played, quotes=[quote(GAME, 1)]) == set()
    assert places(played, quotes=[quote(GAME, 1, "2024-01-21 00:30")]) == {("MIA", 1)}
    assert places(played, quotes=[quote(GAME, 1), quote("0022300601", 1)]) == {("MIA", 1)}
