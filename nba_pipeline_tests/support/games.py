"""Rows of games made by hand, in the shapes that the context tables read."""

from datetime import date, timedelta
from typing import Any

from nba_pipeline.domain.teams import TRICODES
from nba_pipeline_tests.support import day, moment

Row = dict[str, Any]
FIRST_DAY = date(2021, 10, 1)


def game(on: str, home: str, away: str, **more: Any) -> Row:
    """A row of the schedule; tip-off at midnight UTC, so the cut-off is 23:59 of the day."""
    when = day(on)
    game_id = f"00223{(when - FIRST_DAY).days % 1000:03d}{TRICODES.index(home):02d}"
    return {
        "game_id": game_id,
        "game_date": when,
        "season": "2023-24",
        "season_type": "Regular Season",
        "countable": True,
        "home_team": home,
        "away_team": away,
        "tip_off": moment(f"{when + timedelta(days=1)} 00:00"),
        "cutoff_at": moment(f"{on} 23:59"),
        "neutral_site": False,
    } | more


def opening() -> Row:
    """The first game of the season, of two teams that play no part in the tests."""
    return game("2023-10-24", "UTA", "SAC")


def team_rows(played: Row, home_margin: int = 5, pace: tuple[float, float] = (100.0, 100.0)) -> list[Row]:
    """The two team facts of a finished game."""
    sides = (
        (played["home_team"], played["away_team"], True, home_margin, pace[0]),
        (played["away_team"], played["home_team"], False, -home_margin, pace[1]),
    )
    return [
        {
            **{c: played[c] for c in ("game_id", "game_date", "season")},
            "team": team,
            "opponent": opponent,
            "home_game": at_home,
            "win_flag": margin > 0,
            "margin_of_victory": margin,
            "pace": speed,
            "possessions": speed,
            "overtime_periods": 0,
        }
        for team, opponent, at_home, margin, speed in sides
    ]


def line_of(played: Row, player_id: int, team: str, *, points: int = 10, minutes: float = 30.0, **more: Any) -> Row:
    """A player's fact of a finished game."""
    return {
        **{c: played[c] for c in ("game_id", "game_date", "season")},
        "player_id": player_id,
        "player_name": f"Player {player_id}",
        "player_lookup": f"player{player_id}",
        "team": team,
        "points": points,
        "minutes_played": minutes,
        "usage_rate": 20.0,
    } | more
