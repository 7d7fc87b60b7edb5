"""A season has 1,230 games and 82 a team; what a schedule lacks is named."""

from dataclasses import replace
from datetime import date
from itertools import combinations, islice

from nba_pipeline.domain.season_frame import ListedGame, season_frames
from nba_pipeline.domain.teams import TRICODES


def whole_season() -> list[ListedGame]:
    """1,230 games in which each of 30 teams plays 82: all pairs twice, and pairs at the distances 1 to 12 a third time."""
    teams = list(TRICODES)
    pairs = [*combinations(teams, 2)] * 2
    third = [(teams[i], teams[(i + d) % 30]) for d in range(1, 13) for i in range(30)]
    every = [*pairs, *third]
    return [ListedGame(f"00223{n:05d}", home, away) for n, (home, away) in enumerate(every, 1)]


def test_a_whole_season_has_no_faults() -> None:
    games = whole_season()
    assert len(games) == 1230
    (frame,) = season_frames(games)
    assert (frame.is_whole, frame.faults) == (True, ())


def test_a_lost_game_is_named_with_its_teams() -> None:
    lost, *games = whole_season()
    (frame,) = season_frames(games)
    assert frame.faults[0] == "1,229 of 1,230 regular-season games"
    assert all(f"{team} 81" in frame.faults[1] for team in (lost.home, lost.away))


def test_a_game_listed_twice_counts_once() -> None:
    games = whole_season()
    (frame,) = season_frames([*games, games[7]])
    assert frame.faults == ()


def test_part_of_a_season_is_described_and_not_judged() -> None:
    (frame,) = season_frames(islice(whole_season(), 600))
    assert not frame.is_whole


def test_games_that_follow_from_the_cup_may_be_missing_until_the_last_day_is_reached() -> None:
    last = date(2024, 4, 14)
    games = [replace(g, day=last) for g in whole_season()]
    lost = [g for g in games if {g.home, g.away} != {"ATL", "BOS"}]
    (before,), (after,) = season_frames(games[1:], last), season_frames(games[1:], date(2024, 4, 15))
    assert (before.is_wrong, after.is_wrong) == (False, True)
    assert "still to be set" in str(before)
    (frame,) = season_frames(lost, last)
    assert frame.is_wrong
