"""Parse box scores of the league's live data (`liveData/boxscore`), another form than that of the statistics service.

Minutes are `PT32M03.80S`, starters and players who played are marked "1", inactive players are listed too.
"""

import re
from functools import partial
from typing import Any

from nba_pipeline.domain.report_types import AFTER_GAME
from nba_pipeline.sources.parsing.acceptance import SetAside, Sieve
from nba_pipeline.sources.parsing.box_score import DID_NOT_PLAY, LINE_FLOOR, V3, BoxScore
from nba_pipeline.sources.parsing.schedule import OVER, Game
from nba_pipeline.sources.parsing.values import PayloadError, Row, integer, number, part, required, shown, text

SOURCE = "NBA live data"
COUNTS = V3
MINUTES = re.compile(r"PT(\d{1,3})M(\d{1,2}(?:\.\d+)?)S")
YES = "1"


def box_score(payload: Any, game: Game, set_aside: list[SetAside] | None = None) -> BoxScore:
    """Read the box score of a finished game.

    Args:
        payload: the answer.
        game: the requested game.
        set_aside: receives the lines that cannot be read.

    Raises:
        PayloadError: it belongs to another game, is not final, has no players, or has too many lines that cannot be read.
    """
    box = part(payload, "game", dict)
    if part(box, "gameId", str) != game.game_id:
        raise PayloadError(f"the box score is of game {box['gameId']}, not of {game.game_id}")
    if part(box, "gameStatus", int) != OVER:
        raise PayloadError(f"game {game.game_id} is not final there (gameStatus {box['gameStatus']})")
    sieve = Sieve()
    players: list[Row] = []
    teams: list[Row] = []
    absent: list[Row] = []
    for side in ("homeTeam", "awayTeam"):
        club = part(box, side, dict)
        team = text(club, "teamTricode")
        total = sieve.read(f"team {team}", partial(_team, club, team, game))
        teams += [total] if total else []
        for p in part(club, "players", list):
            name = f"{team} player {shown(p.get('personId') if isinstance(p, dict) else p)}"
            row = sieve.read(name, partial(_person, p, team, game))
            if row is not None:
                (players if "pts" in row else absent).append(row)
    if not players:
        raise PayloadError(f"game {game.game_id}: the box score has no player who played")
    sieve.require(LINE_FLOOR, "lines of the box score")
    sieve.into(set_aside)
    return BoxScore(players, teams, absent, is_whole=not sieve.set_aside)


def _counts(values: Row, team: str | None, game: Game) -> Row:
    missing = [c for c in COUNTS.values() if c not in values]
    if missing:
        raise PayloadError(f"statistics are missing: {', '.join(missing)} (there are: {', '.join(values)})")
    return {
        "game_id": game.game_id,
        "game_date": game.day,
        "team": team,
        "opponent": game.opponent(team),
        "is_home": team == game.home,
        **{name: integer(values, column) for name, column in COUNTS.items()},
        "source": SOURCE,
    }


def _team(club: Row, team: str | None, game: Game) -> Row:
    statistics = part(club, "statistics", dict)
    return _counts(statistics, team, game) | {"min": round(_minutes(text(statistics, "minutes")))}


def _person(p: Any, team: str | None, game: Game) -> Row:
    name = " ".join(n for n in (text(p, "firstName"), text(p, "familyName")) if n) or required(p, "name")
    if text(p, "played") != YES:
        return _absence(p, name, team, game)
    statistics = part(p, "statistics", dict)
    minutes = _minutes(text(statistics, "minutes"))
    difference = number(statistics, "plusMinusPoints")
    return _counts(statistics, team, game) | {
        "player_id": integer(p, "personId"),
        "player_name": name,
        "starter": text(p, "starter") == YES,
        "plus_minus": None if difference is None else int(difference),
        "min": int(minutes + 0.5),
        "min_exact": round(minutes, 3),
    }


def _absence(p: Row, name: str, team: str | None, game: Game) -> Row:
    reason = text(p, "notPlayingReason")
    return {
        "report_date": game.day,
        "record_type": AFTER_GAME,
        "report_utc": None,
        "game_id": game.game_id,
        "team": team,
        "player_id": integer(p, "personId"),
        "player_name": name,
        "player_name_source": name,
        "status": DID_NOT_PLAY,
        "reason": text(p, "notPlayingDescription") or reason,
        "source": SOURCE,
    }


def _minutes(value: str | None) -> float:
    match = MINUTES.fullmatch(value or "")
    if not match:
        raise PayloadError(f"minutes are {value!r}, not of the form PT32M03.80S")
    return int(match[1]) + float(match[2]) / 60
