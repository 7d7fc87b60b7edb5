"""Who plays in a season: the player index (`playerindex`) and ages (`leaguedashplayerbiostats`)."""

from typing import Any

from nba_pipeline.sources.parsing.values import Row, integer, number, result_set, text

INDEX = ("PERSON_ID", "PLAYER_FIRST_NAME", "PLAYER_LAST_NAME")


def index(payload: Any) -> list[Row]:
    """Rows of the feed `players`."""
    return [
        {
            "player_id": integer(r, "PERSON_ID"),
            "player_name": " ".join(n for n in (text(r, "PLAYER_FIRST_NAME"), text(r, "PLAYER_LAST_NAME")) if n),
        }
        for r in result_set(payload, "PlayerIndex", INDEX)
    ]


def ages(payload: Any, season: str) -> list[Row]:
    """Rows of the feed `player_ages`; players whose age the service does not know are left out."""
    rows = result_set(payload, "LeagueDashPlayerBioStats", ("PLAYER_ID", "AGE"))
    known = [(integer(r, "PLAYER_ID"), number(r, "AGE")) for r in rows]
    return [{"season": season, "player_id": who, "age": age} for who, age in known if age is not None]
