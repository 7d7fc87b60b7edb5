"""League game logs (`leaguegamelog`): a line per player, or per team, of every game of a season or of a day."""

from collections.abc import Mapping
from typing import Any

from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import PayloadError, Row, day, integer, required, result_set

COUNTS = {
    "pts": "PTS",
    "fgm": "FGM",
    "fga": "FGA",
    "fg3m": "FG3M",
    "fg3a": "FG3A",
    "ftm": "FTM",
    "fta": "FTA",
    "oreb": "OREB",
    "dreb": "DREB",
    "reb": "REB",
    "ast": "AST",
    "stl": "STL",
    "blk": "BLK",
    "tov": "TOV",
    "pf": "PF",
}
TEAM_COLUMNS = ("TEAM_ABBREVIATION", "GAME_ID", "GAME_DATE", "MATCHUP", "MIN", *COUNTS.values())
PLAYER_COLUMNS = (*TEAM_COLUMNS, "PLAYER_ID", "PLAYER_NAME", "PLUS_MINUS")
HOME_MARK, ROAD_MARK = " vs. ", " @ "


def players(payload: Any, games: Mapping[str, Game]) -> list[Row]:
    """Rows of the feed `player_boxscores`; starters and exact minutes are not in a game log and stay unknown."""
    rows = result_set(payload, "LeagueGameLog", PLAYER_COLUMNS)
    return [
        _line(r, games)
        | {
            "player_id": integer(r, "PLAYER_ID"),
            "player_name": required(r, "PLAYER_NAME"),
            "starter": None,
            "min_exact": None,
            "plus_minus": integer(r, "PLUS_MINUS"),
        }
        for r in rows
    ]


def teams(payload: Any, games: Mapping[str, Game]) -> list[Row]:
    """Rows of the feed `team_boxscores`."""
    return [_line(r, games) for r in result_set(payload, "LeagueGameLog", TEAM_COLUMNS)]


def _line(r: Row, games: Mapping[str, Game]) -> Row:
    """Home and opponent are the schedule's where it has the game: at neutral sites both matchups read as visitors."""
    game_id, team = required(r, "GAME_ID"), required(r, "TEAM_ABBREVIATION")
    game = games.get(game_id)
    other = game.opponent(team) if game else None
    if game and other:
        at_home, opponent = team == game.home, other
    else:
        at_home, opponent = _matchup(required(r, "MATCHUP"))
    return {
        "game_id": game_id,
        "game_date": day(required(r, "GAME_DATE")),
        "team": team,
        "opponent": opponent,
        "is_home": at_home,
        "min": integer(r, "MIN"),
        **{name: integer(r, column) for name, column in COUNTS.items()},
    }


def _matchup(said: str) -> tuple[bool, str]:
    """`GSW vs. NYK` -> (True, NYK), `IND @ MIL` -> (False, MIL)."""
    for mark, at_home in ((HOME_MARK, True), (ROAD_MARK, False)):
        if mark in said:
            return at_home, said.split(mark)[1].strip()
    raise PayloadError(f"MATCHUP is {said!r}, neither 'AAA vs. BBB' nor 'AAA @ BBB'")
