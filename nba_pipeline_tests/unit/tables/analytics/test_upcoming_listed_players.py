"""Who is listed for a day."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from nba_pipeline.tables.analytics import upcoming_player_game_context as context
from nba_pipeline_tests.support import run
from nba_pipeline_tests.support.games import Row, game, line_of, opening, team_rows

TODAY = "2024-01-20"
TONIGHT = game(TODAY, "BOS", "DEN")
REGULAR = 9


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    run(context.TRANSFORM, [])


def listed(lines: list[Row], games: list[Row], slate: list[Row] | None = None, on: str = TODAY) -> set[tuple[str, int]]:
    teams = [r for g in games for r in team_rows(g)]
    inputs = {"recent": lines, "recent_team_games": teams, "season": lines, "season_team_games": teams}
    found = run(context.TRANSFORM, [on], slate=slate or [TONIGHT], season_games=[opening(), *games], **inputs)
    return set(zip(found.team, found.player_id, strict=True))


def boston(n: int) -> list[Row]:
    """The team's latest n games, newest first."""
    return [game(f"2024-01-{19 - i:02d}", "BOS", "NYK") for i in range(n)]


def test_who_appeared_in_one_of_the_teams_last_ten_games_is_listed():
    games = boston(12)
    assert listed([line_of(games[9], 1, "BOS")], games) == {("BOS", 1)}
    assert listed([line_of(games[10], 1, "BOS")], games) == set()


def test_whoever_has_a_fact_took_part_though_his_minutes_were_rounded_to_none():
    games = boston(3)
    assert listed([line_of(games[0], 1, "BOS", minutes=0.0)], games) == {("BOS", 1)}


def test_games_of_last_season_list_him_at_most_240_days_back():
    for when, expected in (("2023-05-25", {("BOS", 1)}), ("2023-05-24", set())):
        old = game(when, "BOS", "NYK", season="2022-23")
        assert listed([line_of(old, 1, "BOS")], [old]) == expected


def test_a_traded_player_is_listed_for_the_team_of_his_latest_game_only():
    bos, den = game("2024-01-16", "BOS", "NYK"), game("2024-01-18", "DEN", "NYK")
    lines = [line_of(bos, 1, "BOS"), line_of(den, 1, "DEN")]
    assert listed(lines, [bos, den]) == {("DEN", 1)}


def test_a_player_who_left_for_a_team_without_a_game_today_is_not_listed():
    bos, mia = game("2024-01-16", "BOS", "NYK"), game("2024-01-18", "MIA", "NYK")
    assert listed([line_of(bos, 1, "BOS"), line_of(mia, 1, "MIA")], [bos, mia]) == set()


def test_a_player_who_came_back_is_listed_again():
    games = [game("2024-01-12", "BOS", "NYK"), game("2024-01-14", "DEN", "NYK"), game("2024-01-16", "BOS", "NYK")]
    lines = [line_of(g, 1, team) for g, team in zip(games, ("BOS", "DEN", "BOS"), strict=True)]
    assert listed(lines, games) == {("BOS", 1)}


def test_who_turns_out_to_play_is_not_looked_at():
    games = boston(3)
    lines = [line_of(games[0], REGULAR, "BOS")]
    tonight = [line_of(TONIGHT, 5, "BOS"), line_of(TONIGHT, 6, "DEN")]
    assert listed([*lines, *tonight], [*games, TONIGHT]) == {("BOS", REGULAR)}


def test_his_name_is_that_of_his_latest_game():
    games = boston(2)
    lines = [line_of(games[1], 1, "BOS", player_name="Old Name"), line_of(games[0], 1, "BOS", player_name="New Name")]
    teams = [r for g in games for r in team_rows(g)]
    found = run(
        context.TRANSFORM, [TODAY], slate=[TONIGHT], season_games=[opening()], recent=lines, recent_team_games=teams
    )
    assert found.player_name.tolist() == ["New Name"]


@pytest.mark.parametrize("on", ["2024-01-16", "2024-01-18", TODAY])
def test_a_range_lists_each_day_whom_the_day_alone_lists(on: str):
    games = [game(f"2024-01-{d}", "BOS", "NYK") for d in (12, 14, 16, 18)]
    lines = [line_of(g, p, "BOS") for i, g in enumerate(games) for p in (i, i + 1)]
    days = ["2024-01-16", "2024-01-18", TODAY]
    slate = [game(d, "BOS", "NYK") for d in days]
    teams = [r for g in games for r in team_rows(g)]
    inputs = {"recent": lines, "recent_team_games": teams, "season_games": [opening()]}
    together = run(context.TRANSFORM, days, slate=slate, **inputs)
    alone = run(context.TRANSFORM, [on], slate=[s for s in slate if str(s["game_date"]) == on], **inputs)
    same_day = together[together.game_date.astype(str) == on].reset_index(drop=True)
    assert same_day.equals(alone)


def placed(
    report_date: str,
    team: str,
    record_type: str = "boxscore_dnp",
    player: int = 1,
    lookup: str = "player1",
    status: str = "did_not_play",
) -> Row:
    """A statement that names the team of a player."""
    names = {"player_id": player, "player_name": "Player One", "player_lookup": lookup}
    return {"report_date": report_date, "record_type": record_type, "team": team, "status": status, **names}


def on_roster(team: str, player: int = 1, captured_at: str = "2024-01-20 12:00", on: str = TODAY) -> Row:
    names = {"player_name": f"Rostered {player}", "player_lookup": f"rostered{player}"}
    return {"roster_date": on, "captured_at": captured_at, "team": team, "player_id": player, **names}


def quoted(game_id: str, player: int = 1, captured_at: str | None = "2024-01-20 15:00", **more: Any) -> Row:
    names = {"player_name": f"Quoted {player}", "player_lookup": f"quoted{player}"}
    known = {"market": "assists", "bookmaker": "dk", "book_kind": "sportsbook", "line": 4.5, "line_kind": "main"}
    known |= {"documented_pre_game": False, "contradicted": False}
    return (
        {"game_date": TODAY, "game_id": game_id, "player_id": player, "captured_at": captured_at} | names | known | more
    )


def listed_with(lines: list[Row], games: list[Row], slate: list[Row] | None = None, **evidence: Any) -> pd.DataFrame:
    teams = [r for g in games for r in team_rows(g)]
    inputs = {"recent": lines, "recent_team_games": teams, "season": lines, "season_team_games": teams} | evidence
    return run(context.TRANSFORM, [TODAY], slate=slate or [TONIGHT], season_games=[opening(), *games], **inputs)


def places(found: pd.DataFrame) -> set[tuple[str, int]]:
    return set(zip(found.team, found.player_id, strict=True))


DENVER = game("2024-01-18", "DEN", "MIA")
MIAMI = game("2024-01-16", "MIA", "NYK")
TRADED = ([line_of(MIAMI, 1, "MIA"), line_of(DENVER, 2, "DEN")], [MIAMI, DENVER])
ELSEWHERE = game(TODAY, "LAL", "MIA")


@pytest.mark.parametrize("record_type", ["boxscore_dnp", "transaction", "official_report"])
def test_a_statement_that_names_another_team_moves_the_player_to_it(record_type: str) -> None:
    assert places(listed_with(*TRADED)) == {("DEN", 2)}
    found = listed_with(*TRADED, earlier_reports=[placed("2024-01-18", "DEN", record_type)])
    assert places(found) == {("DEN", 1), ("DEN", 2)}


def test_a_status_board_does_not_move_a_player() -> None:
    assert places(listed_with(*TRADED, earlier_reports=[placed("2024-01-18", "DEN", "status_snapshot")])) == {
        ("DEN", 2)
    }


@pytest.mark.parametrize("stated_on", ["2024-01-15", "2024-01-16", TODAY])
def test_a_statement_before_the_latest_appearance_or_of_the_day_itself_moves_nobody(stated_on: str) -> None:
    found = listed_with(*TRADED, earlier_reports=[placed(stated_on, "DEN")])
    assert places(found) == {("DEN", 2)}


@pytest.mark.parametrize("record_type", ["boxscore_dnp", "transaction", "official_report"])
def test_a_statement_since_the_teams_latest_game_lists_who_has_not_appeared_for_240_days(record_type: str) -> None:
    lines, games = [line_of(DENVER, 2, "DEN")], [DENVER]
    statement = [placed("2024-01-18", "DEN", record_type)]
    for earlier in ([], [LONG_AGO]):
        found = listed_with([*earlier, *lines], games, earlier_reports=statement)
        assert places(found) == {("DEN", 1), ("DEN", 2)}
        assert dict(zip(found.player_id, found.player_name, strict=True))[1] == "Player One"
    near = line_of(game("2023-05-25", "DEN", "NYK", season="2022-23"), 1, "DEN")
    assert places(listed_with([near, *lines], games, earlier_reports=statement)) == {("DEN", 2)}


def test_statements_from_before_the_teams_latest_game_and_of_the_day_list_nobody_who_has_not_appeared() -> None:
    statements = [placed("2024-01-17", "DEN"), placed(TODAY, "DEN")]
    found = listed_with([line_of(DENVER, 2, "DEN")], [DENVER], earlier_reports=statements)
    assert places(found) == {("DEN", 2)}


def test_a_statement_that_he_is_out_lists_nobody_who_has_not_appeared() -> None:
    lines, games = [line_of(DENVER, 2, "DEN")], [DENVER]
    for words, expected in (("placed_out", {("DEN", 2)}), ("activated", {("DEN", 1), ("DEN", 2)})):
        statement = [placed("2024-01-18", "DEN", "transaction", status=words)]
        assert places(listed_with(lines, games, earlier_reports=statement)) == expected


def test_of_statements_for_two_teams_the_later_places_who_has_not_appeared() -> None:
    lines, games = [line_of(DENVER, 2, "DEN")], [DENVER]
    statements = [placed("2024-01-18", "DEN"), placed("2024-01-19", "MIA")]
    assert places(listed_with(lines, games, earlier_reports=statements)) == {("DEN", 2)}


def test_who_is_placed_in_a_team_without_a_game_today_is_not_listed_for_the_team_he_left() -> None:
    boston = game("2024-01-16", "BOS", "NYK")
    found = listed_with([line_of(boston, 1, "BOS")], [boston], earlier_reports=[placed("2024-01-18", "MIA")])
    assert places(found) == set()


def test_a_roster_lists_a_player_for_his_team_from_its_capture_on() -> None:
    found = listed_with(*TRADED, rosters=[on_roster("DEN", 1), on_roster("DEN", 2), on_roster("DEN", 3)])
    assert places(found) == {("DEN", 1), ("DEN", 2), ("DEN", 3)}
    assert dict(zip(found.player_id, found.player_name, strict=True))[3] == "Rostered 3"
    late = TONIGHT["cutoff_at"] + timedelta(seconds=1)
    assert places(listed_with(*TRADED, rosters=[on_roster("DEN", 1, str(late)[:19])])) == {("DEN", 2)}


def test_who_is_missing_from_a_roster_that_is_newer_than_his_latest_game_is_not_listed() -> None:
    newer, older = "2024-01-19 12:00", "2024-01-17 12:00"
    assert places(listed_with(*TRADED, rosters=[on_roster("DEN", 3, newer)])) == {("DEN", 3)}
    assert places(listed_with(*TRADED, rosters=[on_roster("DEN", 3, older)])) == {("DEN", 2), ("DEN", 3)}


def test_who_is_quoted_in_another_game_only_is_not_listed_for_his_old_team() -> None:
    slate = [TONIGHT, ELSEWHERE]
    assert places(listed_with(*TRADED, slate=slate, quotes=[quoted(ELSEWHERE["game_id"], 2)])) == {("MIA", 1)}
    both = [quoted(ELSEWHERE["game_id"], 2), quoted(TONIGHT["game_id"], 2)]
    assert places(listed_with(*TRADED, slate=slate, quotes=both)) == {("MIA", 1), ("DEN", 2)}


def test_a_quote_and_a_roster_together_list_him_for_the_new_team() -> None:
    slate = [TONIGHT, ELSEWHERE]
    found = listed_with(
        *TRADED,
        slate=slate,
        quotes=[quoted(ELSEWHERE["game_id"], 2)],
        rosters=[on_roster("LAL", 2), on_roster("MIA", 1)],
    )
    assert places(found) == {("MIA", 1), ("LAL", 2)}


def test_who_is_quoted_in_his_teams_game_is_listed_however_long_he_was_out() -> None:
    games = [game(f"2024-01-{d:02d}", "DEN", "NYK") for d in range(5, 18)]
    lines = [line_of(games[0], 1, "DEN"), line_of(games[-1], 2, "DEN")]
    assert places(listed_with(lines, games)) == {("DEN", 2)}
    assert places(listed_with(lines, games, quotes=[quoted(TONIGHT["game_id"], 1)])) == {("DEN", 1), ("DEN", 2)}
    late = quoted(TONIGHT["game_id"], 1, str(TONIGHT["cutoff_at"] + timedelta(seconds=1))[:19])
    assert places(listed_with(lines, games, quotes=[late])) == {("DEN", 2)}


LONG_AGO = line_of(game("2022-12-01", "MIA", "NYK", season="2022-23"), 1, "MIA")


@pytest.mark.guard
def test_what_only_a_longer_range_reads_lists_nobody() -> None:
    statement = [placed("2024-01-10", "DEN")]
    here = [line_of(DENVER, 2, "DEN")]
    assert places(listed_with(here, [DENVER], earlier_reports=statement)) == {("DEN", 2)}
    assert places(listed_with([LONG_AGO, *here], [DENVER], earlier_reports=statement)) == {("DEN", 2)}
    old = [placed("2023-07-01", "DEN")]
    near = line_of(game("2023-06-01", "MIA", "NYK", season="2022-23"), 1, "MIA")
    assert places(listed_with([near, *here], [DENVER], earlier_reports=old)) == {("DEN", 2)}


def test_an_appearance_more_than_240_days_ago_tells_no_team() -> None:
    here = [line_of(DENVER, 2, "DEN")]
    quotes = [quoted(TONIGHT["game_id"], 1)]
    assert places(listed_with(here, [DENVER], quotes=quotes)) == places(
        listed_with([LONG_AGO, *here], [DENVER], quotes=quotes)
    )
