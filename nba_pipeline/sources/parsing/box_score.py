"""Parse traditional box scores of a game (`boxscoretraditionalv3`, and `...v2`, which ended with 2024-25).

They have starters, exact minutes, and the players who did not play, with the stated reason.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from nba_pipeline.domain.report_types import AFTER_GAME
from nba_pipeline.sources.parsing.acceptance import SetAside, Sieve
from nba_pipeline.sources.parsing.result_sets import result_set
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import PayloadError, Row, integer, part, shown, text

V3 = {
    "pts": "points",
    "fgm": "fieldGoalsMade",
    "fga": "fieldGoalsAttempted",
    "fg3m": "threePointersMade",
    "fg3a": "threePointersAttempted",
    "ftm": "freeThrowsMade",
    "fta": "freeThrowsAttempted",
    "oreb": "reboundsOffensive",
    "dreb": "reboundsDefensive",
    "reb": "reboundsTotal",
    "ast": "assists",
    "stl": "steals",
    "blk": "blocks",
    "tov": "turnovers",
    "pf": "foulsPersonal",
}
V2 = {name: name.upper() for name in V3} | {"tov": "TO"}
V2_TEAM = ("TEAM_ABBREVIATION", "MIN", *V2.values())
V2_PLAYER = (*V2_TEAM, "GAME_ID", "PLAYER_ID", "PLAYER_NAME", "START_POSITION", "COMMENT", "PLUS_MINUS")
MINUTES = re.compile(r"(\d{1,3})(?:\.0*)?:([0-5]\d)")
DID_NOT_PLAY = "did_not_play"
# The fraction of a box score's lines that must be readable: of some thirty, three may be unreadable.
LINE_FLOOR = 0.9


@dataclass(frozen=True)
class BoxScore:
    """Rows of the feeds player_boxscores, team_boxscores and injuries (players who did not play).

    `is_whole`: every line could be read; otherwise missing lines are taken from the log.
    """

    players: list[Row]
    teams: list[Row]
    absent: list[Row]
    is_whole: bool = True


@dataclass(frozen=True)
class _Line:
    """A line of either version: values under landing names; `person` is empty for a team."""

    team: str | None
    minutes: str | None
    counts: Row
    person: Row


_Named = tuple[str, Callable[[], _Line]]


def box_score(payload: Any, game: Game, source: str, set_aside: list[SetAside] | None = None) -> BoxScore:
    """Read the box score of a game.

    Args:
        payload: the answer.
        game: the requested game.
        source: source of the rows of players who did not play.
        set_aside: receives the lines that cannot be read.

    Raises:
        PayloadError: it belongs to another game, has no players, or has too many lines that cannot be read.
    """
    sieve = Sieve()
    new = isinstance(payload, dict) and "boxScoreTraditional" in payload
    elements = list(_version_3(payload, game) if new else _version_2(payload, game, sieve))
    read = [sieve.read(name, partial(_rows, parse, game, source)) for name, parse in elements]
    pairs = [pair for pair in read if pair is not None]
    players, teams, absent = ([row for kind, row in pairs if kind == k] for k in ("player", "team", "absent"))
    if not players:
        raise PayloadError(
            f"game {game.game_id}: the box score has no player who played"
            + (f"; {sieve.set_aside[0]}" if sieve.set_aside else "")
        )
    sieve.require(LINE_FLOOR, "lines of the box score")
    sieve.into(set_aside)
    return BoxScore(players, teams, absent, is_whole=not sieve.set_aside)


def _rows(parse: Callable[[], _Line], game: Game, source: str) -> tuple[str, Row]:
    """Convert a line to (kind of row, row)."""
    line = parse()
    if not line.person:
        return "team", _row(line, game) | {"min": round(_minutes(line.minutes))}
    return ("player", _player(line, game)) if line.minutes else ("absent", _absent(line, game, source))


def _version_3(payload: Any, game: Game) -> Iterator[_Named]:
    box = part(payload, "boxScoreTraditional", dict)
    _same_game(part(box, "gameId", str), game)
    for side in ("homeTeam", "awayTeam"):
        club = part(box, side, dict)
        team = text(club, "teamTricode")
        yield (
            f"team {team}",
            lambda club=club, team=team: _line(team, part(club, "statistics", dict), V3, "minutes", {}),
        )
        for p in part(club, "players", list):
            yield f"{team} player {shown(p.get('personId') if isinstance(p, dict) else p)}", partial(_person_3, p, team)


def _person_3(p: Any, team: str | None) -> _Line:
    statistics = part(p, "statistics", dict)
    person = {
        "player_id": integer(p, "personId"),
        "player_name": " ".join(n for n in (text(p, "firstName"), text(p, "familyName")) if n),
        "starter": bool(text(p, "position")),
        "plus_minus": integer(statistics, "plusMinusPoints"),
        "comment": text(p, "comment"),
    }
    return _line(team, statistics, V3, "minutes", person)


def _version_2(payload: Any, game: Game, sieve: Sieve) -> Iterator[_Named]:
    for r in result_set(payload, "TeamStats", V2_TEAM, sieve.set_aside):
        yield (
            f"team {shown(r['TEAM_ABBREVIATION'])}",
            lambda r=r: _line(text(r, "TEAM_ABBREVIATION"), r, V2, "MIN", {}),
        )
    for r in result_set(payload, "PlayerStats", V2_PLAYER, sieve.set_aside):
        yield f"player {shown(r['PLAYER_ID'])}", partial(_person_2, r, game)


def _person_2(r: Row, game: Game) -> _Line:
    _same_game(str(r["GAME_ID"]), game)
    person = {
        "player_id": integer(r, "PLAYER_ID"),
        "player_name": text(r, "PLAYER_NAME"),
        "starter": bool(text(r, "START_POSITION")),
        "plus_minus": integer(r, "PLUS_MINUS"),
        "comment": text(r, "COMMENT"),
    }
    return _line(text(r, "TEAM_ABBREVIATION"), r, V2, "MIN", person)


def _line(team: str | None, values: Row, names: dict[str, str], minutes: str, person: Row) -> _Line:
    missing = [c for c in (minutes, *names.values()) if c not in values]
    if missing:
        raise PayloadError(f"statistics are missing: {', '.join(missing)} (there are: {', '.join(values)})")
    counts = {name: integer(values, column) for name, column in names.items()}
    return _Line(team, text(values, minutes), counts, person)


def _same_game(game_id: str, game: Game) -> None:
    if game_id != game.game_id:
        raise PayloadError(f"the box score is of game {game_id}, not of {game.game_id}")


def _row(x: _Line, game: Game) -> Row:
    return {
        "game_id": game.game_id,
        "game_date": game.day,
        "team": x.team,
        "opponent": game.opponent(x.team),
        "is_home": x.team == game.home,
        **x.counts,
    }


def _player(x: _Line, game: Game) -> Row:
    minutes = _minutes(x.minutes)
    exact = {"min": int(minutes + 0.5), "min_exact": round(minutes, 3)}
    return _row(x, game) | {k: v for k, v in x.person.items() if k != "comment"} | exact


def _absent(x: _Line, game: Game, source: str) -> Row:
    """Convert the line of a player who did not play; it is published after the game, so it has no time."""
    return {
        "report_date": game.day,
        "record_type": AFTER_GAME,
        "report_utc": None,
        "game_id": game.game_id,
        "team": x.team,
        "player_id": x.person["player_id"],
        "player_name": x.person["player_name"],
        "player_name_source": x.person["player_name"],
        "status": DID_NOT_PLAY,
        "reason": x.person["comment"],
        "source": source,
    }


def _minutes(text: str | None) -> float:
    """Parse minutes, `44:30` -> 44.5; version 2 also writes `44.000000:30`."""
    match = MINUTES.fullmatch(text or "")
    if not match:
        raise PayloadError(f"minutes are {text!r}, not minutes:seconds")
    return int(match[1]) + int(match[2]) / 60
