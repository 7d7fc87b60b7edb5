"""Parse the players of a season: the player index (`playerindex`) and ages (`leaguedashplayerbiostats`)."""

from datetime import datetime
from functools import partial
from typing import Any

from nba_pipeline.sources.parsing.acceptance import SetAside, Sieve
from nba_pipeline.sources.parsing.result_sets import ROW_FLOOR, result_set
from nba_pipeline.sources.parsing.values import Row, integer, number, shown, text

INDEX = ("PERSON_ID", "PLAYER_FIRST_NAME", "PLAYER_LAST_NAME", "TEAM_ABBREVIATION")
TEAM = INDEX[-1]
BIO = ("PLAYER_ID", "AGE")
INDEX_SOURCE = "NBA player index"


def index(payload: Any, set_aside: list[SetAside] | None = None) -> list[Row]:
    """Read rows of the feed `players`.

    Args:
        payload: the answer.
        set_aside: receives the players that cannot be read.
    """
    sieve = Sieve()
    rows = result_set(payload, "PlayerIndex", INDEX, sieve.set_aside)
    read = [sieve.read(f"player {shown(r['PERSON_ID'])}", partial(_player, r)) for r in rows]
    sieve.require(ROW_FLOOR, "rows of PlayerIndex")
    sieve.into(set_aside)
    return [player for player in read if player is not None]


def rosters(payload: Any, captured_at: datetime) -> list[Row]:
    """Read rows of the feed `rosters`; players without a team are left out, and those that `index` sets aside.

    Args:
        payload: the answer.
        captured_at: when it was fetched (UTC): the index names the team of the moment.
    """
    sieve = Sieve()
    rows = [r for r in result_set(payload, "PlayerIndex", INDEX, sieve.set_aside) if r[TEAM]]
    read = [sieve.read(f"player {shown(r['PERSON_ID'])}", partial(_member, r, captured_at)) for r in rows]
    sieve.require(ROW_FLOOR, "rows of PlayerIndex")
    return [member for member in read if member is not None]


def ages(payload: Any, season: str, set_aside: list[SetAside] | None = None) -> list[Row]:
    """Read rows of the feed `player_ages`; players without an age are left out.

    Args:
        payload: the answer.
        season: the requested season, such as 2024-25.
        set_aside: receives the players that cannot be read.
    """
    sieve = Sieve()
    rows = result_set(payload, "LeagueDashPlayerBioStats", BIO, sieve.set_aside)
    read = [sieve.read(f"player {shown(r['PLAYER_ID'])}", partial(_age, r, season)) for r in rows]
    sieve.require(ROW_FLOOR, "rows of LeagueDashPlayerBioStats")
    sieve.into(set_aside)
    return [row for row in read if row is not None and row["age"] is not None]


def _player(r: Row) -> Row:
    return {
        "player_id": integer(r, "PERSON_ID"),
        "player_name": " ".join(n for n in (text(r, "PLAYER_FIRST_NAME"), text(r, "PLAYER_LAST_NAME")) if n),
    }


def _member(r: Row, captured_at: datetime) -> Row:
    return _player(r) | {"captured_at": captured_at, "team": text(r, TEAM), "source": INDEX_SOURCE}


def _age(r: Row, season: str) -> Row:
    return {"season": season, "player_id": integer(r, "PLAYER_ID"), "age": number(r, "AGE")}
