"""Parse the daily line-ups of the league: who is to start, who starts, and who is inactive, by game."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from nba_pipeline.domain.lineups import CONFIRMED, EXPECTED, INACTIVE
from nba_pipeline.domain.teams import tricode
from nba_pipeline.sources.parsing.acceptance import SetAside, Sieve
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import PayloadError, Row, integer, part, required, shown, text

SOURCE = "NBA daily line-ups"
# The service's words for a starter, in lower case.
WORDS = {"confirmed": CONFIRMED, "expected": EXPECTED, "projected": EXPECTED}
SIDES = {"homeTeam": "home", "awayTeam": "away"}
FLOOR = 0.5


def lineups(payload: Any, games: Mapping[str, Game], set_aside: list[SetAside] | None = None) -> list[Row]:
    """Read rows of the feed `lineups`, without the time of capture.

    Players who are neither listed to start nor inactive are left out.

    Args:
        payload: the answer.
        games: the season's schedule by game id.
        set_aside: receives the games, teams and players that cannot be read.

    Raises:
        PayloadError: the answer has another form, or less than half of it can be read.
    """
    sieve = Sieve()
    rows: list[Row] = []
    for g in part(payload, "games", list):
        name = f"game {shown(g.get('gameId') if isinstance(g, dict) else g)}"
        game = sieve.read(name, partial(_game, g, games))
        for side in SIDES if game else ():
            assert game is not None
            players = sieve.read(f"{name}, {side}", partial(_players, g, side, game))
            rows += _team(f"{name}, {side}", players, sieve) if players else []
    sieve.require(FLOOR, "games, teams and players")
    sieve.into(set_aside)
    return rows


def _team(name: str, players: list[tuple[Any, Row]], sieve: Sieve) -> Iterator[Row]:
    """Read the starters and inactive players of a team."""
    read = (sieve.read(f"{name}, {shown(p)}", partial(_player, p, of)) for p, of in players)
    return (r for r in read if r is not None and r["status"])


def _game(g: Any, games: Mapping[str, Game]) -> Game:
    game_id = required(g, "gameId")
    if game_id not in games:
        raise PayloadError("the game is not in the schedule of the season")
    return games[game_id]


def _players(g: Row, side: str, game: Game) -> list[tuple[Any, Row]]:
    """Return the players of a side, each with what they share."""
    team = part(g, side, dict)
    code, scheduled = tricode(required(team, "teamAbbreviation")), getattr(game, SIDES[side])
    if code != scheduled:
        raise PayloadError(f"the team is {code}, and {scheduled} by the schedule")
    of = {"game_id": game.game_id, "game_date": game.day, "team": code, "source": SOURCE}
    return [(p, of) for p in part(team, "players", list)]


def _player(p: Any, of: Row) -> Row:
    player_id = integer(p, "personId")
    if not player_id or player_id < 0:
        raise PayloadError("the player has no id")
    names = text(p, "playerName"), " ".join(n for n in (text(p, "firstName"), text(p, "lastName")) if n)
    name = next((n for n in names if n), None)
    if name is None:
        raise PayloadError("the player has no name")
    position = text(p, "position")
    return of | {"player_id": player_id, "player_name": name, "status": _status(p, position), "position": position}


def _status(p: Row, position: str | None) -> str | None:
    """Return what the file says of a player: starters have a position; None for one who is active and not listed to start."""
    if (text(p, "rosterStatus") or "").lower() == INACTIVE:
        return INACTIVE
    if position is None:
        return None
    word = (text(p, "lineupStatus") or "").lower()
    if word not in WORDS:
        raise PayloadError(f"lineupStatus is {shown(p.get('lineupStatus'))}, not one of {', '.join(WORDS)}")
    return WORDS[word]
