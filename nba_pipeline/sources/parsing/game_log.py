"""Parse league game logs (`leaguegamelog`): a line per player, or per team, of every game of a season or a day."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from nba_pipeline.sources.parsing.acceptance import SetAside, Sieve
from nba_pipeline.sources.parsing.result_sets import ROW_FLOOR, result_set
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import PayloadError, Row, day, integer, required, shown

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


def players(payload: Any, games: Mapping[str, Game], set_aside: list[SetAside] | None = None) -> list[Row]:
    """Read rows of the feed `player_boxscores`; starters and exact minutes are not in a game log and stay unknown.

    Args:
        payload: the answer.
        games: the season's schedule by game id.
        set_aside: receives the games with a row that cannot be read; such a game is set aside as a whole.

    Raises:
        PayloadError: the answer has another form, or too many rows that cannot be read.
    """
    return _whole_games(payload, PLAYER_COLUMNS, lambda r: _player(r, games), set_aside)


def teams(payload: Any, games: Mapping[str, Game], set_aside: list[SetAside] | None = None) -> list[Row]:
    """Read rows of the feed `team_boxscores`; as `players`."""
    return _whole_games(payload, TEAM_COLUMNS, lambda r: _line(r, games), set_aside)


def _whole_games(
    payload: Any, columns: Sequence[str], parse: Callable[[Row], Row], set_aside: list[SetAside] | None
) -> list[Row]:
    """Read the games all of whose rows can be read; set the other games aside."""
    sieve = Sieve()
    rows = result_set(payload, "LeagueGameLog", columns, sieve.set_aside)
    spoiled: set[Any] = set()
    lines = []
    for number, r in enumerate(rows, 1):
        line = sieve.read(f"game {shown(r['GAME_ID'])}, row {number}", partial(parse, r))
        if line is None:
            spoiled.add(r["GAME_ID"] if isinstance(r["GAME_ID"], str) else None)
        else:
            lines.append(line)
    sieve.require(ROW_FLOOR, "rows of LeagueGameLog")
    sieve.into(set_aside)
    return [line for line in lines if line["game_id"] not in spoiled]


def _player(r: Row, games: Mapping[str, Game]) -> Row:
    return _line(r, games) | {
        "player_id": integer(r, "PLAYER_ID"),
        "player_name": required(r, "PLAYER_NAME"),
        "starter": None,
        "min_exact": None,
        "plus_minus": integer(r, "PLUS_MINUS"),
    }


def _line(r: Row, games: Mapping[str, Game]) -> Row:
    """Convert a row; home and opponent come from the schedule where it has the game.

    At neutral sites both matchups have the form of visitors.
    """
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


def _matchup(text: str) -> tuple[bool, str]:
    """Parse a matchup: `GSW vs. NYK` -> (True, NYK), `IND @ MIL` -> (False, MIL)."""
    for mark, at_home in ((HOME_MARK, True), (ROAD_MARK, False)):
        if mark in text:
            return at_home, text.split(mark)[1].strip()
    raise PayloadError(f"MATCHUP is {text!r}, neither 'AAA vs. BBB' nor 'AAA @ BBB'")
