"""Parse shot charts (`shotchartdetail`): every field-goal attempt of a day, or of a team's season."""

from functools import partial
from typing import Any

from nba_pipeline.sources.parsing.acceptance import SetAside, Sieve
from nba_pipeline.sources.parsing.result_sets import ROW_FLOOR, result_set
from nba_pipeline.sources.parsing.values import PayloadError, Row, day, integer, required, shown, text

VALUES = {"2PT Field Goal": 2, "3PT Field Goal": 3}
COLUMNS = (
    *("GAME_ID", "GAME_DATE", "PLAYER_ID", "TEAM_ID", "PERIOD", "MINUTES_REMAINING", "SECONDS_REMAINING"),
    *("ACTION_TYPE", "SHOT_TYPE", "SHOT_ZONE_BASIC", "SHOT_DISTANCE", "LOC_X", "LOC_Y", "SHOT_MADE_FLAG"),
)


def shots(payload: Any, set_aside: list[SetAside] | None = None) -> list[tuple[int | None, Row]]:
    """Read every attempt.

    Args:
        payload: the answer.
        set_aside: receives the attempts that cannot be read. A player's zones are unknown where attempts are missing.

    Returns:
        (team id, row of the feed `shots`) of every attempt.

    Raises:
        PayloadError: the answer has another form, or too many attempts that cannot be read.
    """
    sieve = Sieve()
    rows = result_set(payload, "Shot_Chart_Detail", COLUMNS, sieve.set_aside)
    read = [sieve.read(f"game {shown(r['GAME_ID'])}, attempt {i}", partial(_attempt, r)) for i, r in enumerate(rows, 1)]
    sieve.require(ROW_FLOOR, "rows of Shot_Chart_Detail")
    sieve.into(set_aside)
    return [attempt for attempt in read if attempt is not None]


def _attempt(r: Row) -> tuple[int | None, Row]:
    return integer(r, "TEAM_ID"), _shot(r)


def _shot(r: Row) -> Row:
    kind, is_made = required(r, "SHOT_TYPE"), integer(r, "SHOT_MADE_FLAG")
    if kind not in VALUES:
        raise PayloadError(f"SHOT_TYPE is {kind!r}, not one of {', '.join(VALUES)}")
    if is_made not in (0, 1):
        raise PayloadError(f"SHOT_MADE_FLAG is {is_made!r}, not 0 or 1")
    return {
        "game_id": required(r, "GAME_ID"),
        "game_date": day(required(r, "GAME_DATE")),
        "player_id": integer(r, "PLAYER_ID"),
        "period": integer(r, "PERIOD"),
        "mins_left": integer(r, "MINUTES_REMAINING"),
        "secs_left": integer(r, "SECONDS_REMAINING"),
        "shot_made": is_made == 1,
        "shot_value": VALUES[kind],
        "shot_distance": integer(r, "SHOT_DISTANCE"),
        "loc_x": integer(r, "LOC_X"),
        "loc_y": integer(r, "LOC_Y"),
        "zone_basic": text(r, "SHOT_ZONE_BASIC"),
        "action_type": text(r, "ACTION_TYPE"),
    }
