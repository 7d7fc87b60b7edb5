"""Who is listed for a day."""

import pytest

from nba_pipeline.tables.analytics import upcoming_player_game_context as context
from nba_pipeline_tests.support import run
from nba_pipeline_tests.support.games import Row, game, line_of, opening, team_rows

TODAY = "2024-01-20"
TONIGHT = game(TODAY, "BOS", "DEN")
REGULAR = 9


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
