"""The way to a game: miles along the great circle and hours that the clock is put forward.

Places are the registry of courts (`nba_pipeline/domain/arenas.py`), which is data; what is computed from them is not shared.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from math import asin, cos, radians, sin, sqrt
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from nba_pipeline.domain.arenas import COURTS, NEUTRAL_COURTS
from nba_pipeline.domain.teams import TEAMS

EARTH_RADIUS_MILES = 3958.7613
Place = tuple[float, float, str]


def place_of(game: Mapping[Any, Any], host: str) -> Place | None:
    """Find where a game is played: a neutral court by the arena's name, else the host's court; unknown on other neutral sites."""
    for court in NEUTRAL_COURTS:
        if game["arena"] in court.names:
            return court.latitude, court.longitude, court.zone
    return None if game["neutral_site"] is True else home_of(host, game["game_date"])


def home_of(team: str, day: date) -> Place:
    """Find the home court of a team on a day."""
    courts = [c for c in COURTS if c.team == team]
    own = next(c for c in courts if (c.first or day) <= day <= (c.last or day))
    return own.latitude, own.longitude, TEAMS[team].zone


def miles(one: Place, other: Place) -> float:
    """Return the length of the great circle between two places."""
    (lat1, lon1), (lat2, lon2) = ((radians(p[0]), radians(p[1])) for p in (one, other))
    h = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_MILES * asin(sqrt(h))


def hours_ahead(one: Place, other: Place, day: date) -> float:
    """Return by how many hours the clock of `other` is ahead of that of `one` on a day, at noon."""
    noon = datetime.combine(day, time(12))
    offsets = [noon.replace(tzinfo=ZoneInfo(p[2])).utcoffset() for p in (one, other)]
    assert offsets[0] is not None and offsets[1] is not None
    return (offsets[1] - offsets[0]).total_seconds() / 3600


def ways(sides: pd.DataFrame) -> pd.DataFrame:
    """Measure the way of each team from its previous finished game of the season, or from home, to each game.

    Args:
        sides: One row per game and team, with `margin`, which only finished games have.

    Returns:
        game_id, team, travel_miles and time_zones_crossed.
    """
    found: list[dict[str, Any]] = []
    for _, games in sides.sort_values("game_date").groupby(["team", "season"]):
        previous: Place | None = None
        first = True
        for game in games.to_dict("records"):
            team, day = game["team"], game["game_date"]
            here = place_of(game, team if game["home_game"] else game["opponent"])
            origin = home_of(team, day) if first else previous
            way = {"travel_miles": None, "time_zones_crossed": None}
            if origin and here:
                way = {"travel_miles": miles(origin, here), "time_zones_crossed": hours_ahead(origin, here, day)}
            found.append({"game_id": game["game_id"], "team": team, **way})
            if not pd.isna(game["margin"]):
                previous, first = here, False
    return pd.DataFrame(found)
