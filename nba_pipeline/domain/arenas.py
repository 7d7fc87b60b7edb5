"""Home courts: where each team plays at home, from and to which day; and the courts of games away from both teams' homes.
What an earlier court was does not change a later trip."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Protocol

import ibis

from nba_pipeline.common import ibis_types as ir

EARTH_RADIUS_MILES = 3958.7613


class Position(Protocol):
    """Something with a place on the globe, degrees north and east."""

    @property
    def latitude(self) -> float: ...

    @property
    def longitude(self) -> float: ...


@dataclass(frozen=True)
class Court:
    """A home arena of a team. `first` and `last` are the days between which it is home; None: no bound matters here."""

    team: str
    name: str
    latitude: float
    longitude: float
    first: date | None = None
    last: date | None = None

    @property
    def key(self) -> str:
        """The tricode for the court of today, with its last day for an earlier one."""
        return self.team if self.last is None else f"{self.team} to {self.last}"

    def holds(self, day: date) -> bool:
        """Whether the team is at home here on a day."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


COURTS: tuple[Court, ...] = (
    Court("ATL", "State Farm Arena", 33.7573, -84.3963),
    Court("BOS", "TD Garden", 42.3662, -71.0621),
    Court("BKN", "Barclays Center", 40.6826, -73.9754),
    Court("CHA", "Spectrum Center", 35.2251, -80.8392),
    Court("CHI", "United Center", 41.8807, -87.6742),
    Court("CLE", "Rocket Arena", 41.4965, -81.6882),
    Court("DAL", "American Airlines Center", 32.7906, -96.8103),
    Court("DEN", "Ball Arena", 39.7487, -105.0077),
    Court("DET", "Little Caesars Arena", 42.3411, -83.0553),
    Court("GSW", "Oracle Arena", 37.7503, -122.2030, last=date(2019, 6, 30)),
    Court("GSW", "Chase Center", 37.7679, -122.3873, first=date(2019, 7, 1)),
    Court("HOU", "Toyota Center", 29.7508, -95.3621),
    Court("IND", "Gainbridge Fieldhouse", 39.7640, -86.1555),
    Court("LAC", "Crypto.com Arena", 34.0430, -118.2673, last=date(2024, 6, 30)),
    Court("LAC", "Intuit Dome", 33.9453, -118.3417, first=date(2024, 7, 1)),
    Court("LAL", "Crypto.com Arena", 34.0430, -118.2673),
    Court("MEM", "FedExForum", 35.1382, -90.0505),
    Court("MIA", "Kaseya Center", 25.7814, -80.1870),
    Court("MIL", "Fiserv Forum", 43.0435, -87.9167),
    Court("MIN", "Target Center", 44.9795, -93.2760),
    Court("NOP", "Smoothie King Center", 29.9490, -90.0821),
    Court("NYK", "Madison Square Garden", 40.7505, -73.9934),
    Court("OKC", "Paycom Center", 35.4634, -97.5151),
    Court("ORL", "Kia Center", 28.5392, -81.3839),
    Court("PHI", "Xfinity Mobile Arena", 39.9012, -75.1720),
    Court("PHX", "Mortgage Matchup Center", 33.4457, -112.0712),
    Court("POR", "Moda Center", 45.5316, -122.6668),
    Court("SAC", "Golden 1 Center", 38.5816, -121.4999),
    Court("SAS", "Frost Bank Center", 29.4270, -98.4375),
    Court("TOR", "Scotiabank Arena", 43.6434, -79.3791, last=date(2020, 9, 30)),
    Court("TOR", "Amalie Arena, Tampa", 27.9427, -82.4519, first=date(2020, 10, 1), last=date(2021, 6, 30)),
    Court("TOR", "Scotiabank Arena", 43.6434, -79.3791, first=date(2021, 7, 1)),
    Court("UTA", "Delta Center", 40.7683, -111.9011),
    Court("WAS", "Capital One Arena", 38.8981, -77.0209),
)


@dataclass(frozen=True)
class NeutralCourt:
    """An arena that is no team's own: a game in it is away from home for both. `names` are the words of sources for it."""

    key: str
    names: tuple[str, ...]
    latitude: float
    longitude: float
    zone: str


NEUTRAL_COURTS: tuple[NeutralCourt, ...] = (
    NeutralCourt("Austin", ("Moody Center",), 30.2820, -97.7325, "America/Chicago"),
    NeutralCourt("Berlin", ("Uber Arena",), 52.5053, 13.4436, "Europe/Berlin"),
    NeutralCourt("Las Vegas", ("T-Mobile Arena",), 36.1028, -115.1784, "America/Los_Angeles"),
    NeutralCourt("London", ("The O2 Arena", "The O2", "O2 Arena"), 51.5030, 0.0032, "Europe/London"),
    NeutralCourt("Manchester", ("Co-op Live",), 53.4853, -2.2003, "Europe/London"),
    NeutralCourt(
        "Mexico City",
        ("Arena CDMX", "Arena Ciudad de Mexico", "Arena Ciudad de México", "Mexico City Arena"),
        19.4964,
        -99.1756,
        "America/Mexico_City",
    ),
    NeutralCourt(
        "Orlando bubble",
        ("AdventHealth Arena", "The Field House", "HP Field House", "VISA Athletic Center"),
        28.3370,
        -81.5560,
        "America/New_York",
    ),
    NeutralCourt("Paris", ("Accor Arena", "AccorHotels Arena"), 48.8386, 2.3785, "Europe/Paris"),
    NeutralCourt("San Antonio, Alamodome", ("Alamodome",), 29.4170, -98.4788, "America/Chicago"),
)


@cache
def courts_of() -> Mapping[str, tuple[Court, ...]]:
    """The courts of every team, earliest first."""
    found: dict[str, tuple[Court, ...]] = {}
    for court in COURTS:
        found[court.team] = (*found.get(court.team, ()), court)
    return found


def court_of(team: str, day: date | None = None) -> Court:
    """Find the home court of a team.

    Args:
        team: tricode.
        day: the day of the game; None: the court of today.

    Raises:
        KeyError: for a tricode that is no team's.
    """
    courts = courts_of()[team]
    return courts[-1] if day is None else next(c for c in courts if c.holds(day))


def miles(a: Position, b: Position) -> float:
    """Great-circle distance between two places, statute miles (haversine)."""
    lat1, lat2 = math.radians(a.latitude), math.radians(b.latitude)
    half_lat = (lat2 - lat1) / 2
    half_lon = math.radians(b.longitude - a.longitude) / 2
    h = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_MILES * math.asin(math.sqrt(h))


def is_neutral(arena: ir.StringValue, flag: ir.BooleanValue) -> ir.BooleanValue:
    """Return whether a game is away from both teams' homes.

    Args:
        arena: the source's name of the arena.
        flag: what the source says.

    Returns:
        True for a neutral court of this registry, else the flag.
    """
    return (neutral_place(arena).notnull()).ifelse(True, flag)


def neutral_place(arena: ir.StringValue) -> ir.StringValue:
    """Return the key of the neutral court of this name; NULL for any other name."""
    names = [(name.lower(), court.key) for court in NEUTRAL_COURTS for name in court.names]
    return arena.strip().lower().cases(*names, else_=ibis.null("string"))
