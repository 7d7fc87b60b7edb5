"""The thirty teams: tricode, the tricodes that other sources use, city and time zone. Time-zone differences come from zone
names, never from constants; where a team plays at home is in `arenas`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.domain import arenas


@dataclass(frozen=True)
class Team:
    tricode: str
    city: str
    zone: str

    @property
    def latitude(self) -> float:
        """Of the home court of today, degrees north."""
        return arenas.court_of(self.tricode).latitude

    @property
    def longitude(self) -> float:
        """Of the home court of today, degrees east."""
        return arenas.court_of(self.tricode).longitude


_EASTERN, _CENTRAL, _MOUNTAIN, _PACIFIC = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"

TEAMS: dict[str, Team] = {
    t.tricode: t
    for t in (
        Team("ATL", "Atlanta", _EASTERN),
        Team("BOS", "Boston", _EASTERN),
        Team("BKN", "Brooklyn", _EASTERN),
        Team("CHA", "Charlotte", _EASTERN),
        Team("CHI", "Chicago", _CENTRAL),
        Team("CLE", "Cleveland", _EASTERN),
        Team("DAL", "Dallas", _CENTRAL),
        Team("DEN", "Denver", _MOUNTAIN),
        Team("DET", "Detroit", "America/Detroit"),
        Team("GSW", "San Francisco", _PACIFIC),
        Team("HOU", "Houston", _CENTRAL),
        Team("IND", "Indianapolis", "America/Indiana/Indianapolis"),
        Team("LAC", "Los Angeles", _PACIFIC),
        Team("LAL", "Los Angeles", _PACIFIC),
        Team("MEM", "Memphis", _CENTRAL),
        Team("MIA", "Miami", _EASTERN),
        Team("MIL", "Milwaukee", _CENTRAL),
        Team("MIN", "Minneapolis", _CENTRAL),
        Team("NOP", "New Orleans", _CENTRAL),
        Team("NYK", "New York", _EASTERN),
        Team("OKC", "Oklahoma City", _CENTRAL),
        Team("ORL", "Orlando", _EASTERN),
        Team("PHI", "Philadelphia", _EASTERN),
        Team("PHX", "Phoenix", "America/Phoenix"),
        Team("POR", "Portland", _PACIFIC),
        Team("SAC", "Sacramento", _PACIFIC),
        Team("SAS", "San Antonio", _CENTRAL),
        Team("TOR", "Toronto", "America/Toronto"),
        Team("UTA", "Salt Lake City", _MOUNTAIN),
        Team("WAS", "Washington", _EASTERN),
    )
}
TRICODES = tuple(sorted(TEAMS))


# What other sources write for a tricode. Anything else that is no tricode stays as it is, and the contracts refuse it by name.
ALIASES: Mapping[str, str] = {
    "BRK": "BKN",
    "BK": "BKN",
    "CHO": "CHA",
    "CHR": "CHA",
    "GS": "GSW",
    "NO": "NOP",
    "NOR": "NOP",
    "NY": "NYK",
    "OKL": "OKC",
    "PHL": "PHI",
    "PHO": "PHX",
    "SA": "SAS",
    "SAN": "SAS",
    "UTAH": "UTA",
    "UTH": "UTA",
    "WSH": "WAS",
}


def tricode(written: str) -> str:
    """The tricode for what a source writes; what is no alias comes back as it is."""
    plain = written.strip().upper()
    return ALIASES.get(plain, plain) if plain in ALIASES or plain in TEAMS else written


def tricode_expression(written: ir.StringValue) -> ir.StringValue:
    """`tricode` for a column."""
    plain = written.strip().upper()
    return plain.cases(*ALIASES.items(), *((t, t) for t in TRICODES), else_=written)


def miles_between(a: str, b: str, day: date | None = None) -> float:
    """Measure the way between the home courts of two teams.

    Args:
        a: tricode of one team.
        b: tricode of the other.
        day: the day whose courts count; None: today's.

    Returns:
        Great-circle distance in statute miles.
    """
    return arenas.miles(arenas.court_of(a, day), arenas.court_of(b, day))
