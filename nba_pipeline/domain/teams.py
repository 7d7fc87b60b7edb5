"""The thirty teams: tricode, arena position and time zone. Time-zone differences come from zone names, never from constants."""

import math
from dataclasses import dataclass

EARTH_RADIUS_MILES = 3958.7613


@dataclass(frozen=True)
class Team:
    tricode: str
    city: str
    latitude: float
    longitude: float
    zone: str


_EASTERN, _CENTRAL, _MOUNTAIN, _PACIFIC = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"

TEAMS: dict[str, Team] = {
    t.tricode: t
    for t in (
        Team("ATL", "Atlanta", 33.7573, -84.3963, _EASTERN),
        Team("BOS", "Boston", 42.3662, -71.0621, _EASTERN),
        Team("BKN", "Brooklyn", 40.6826, -73.9754, _EASTERN),
        Team("CHA", "Charlotte", 35.2251, -80.8392, _EASTERN),
        Team("CHI", "Chicago", 41.8807, -87.6742, _CENTRAL),
        Team("CLE", "Cleveland", 41.4965, -81.6882, _EASTERN),
        Team("DAL", "Dallas", 32.7906, -96.8103, _CENTRAL),
        Team("DEN", "Denver", 39.7487, -105.0077, _MOUNTAIN),
        Team("DET", "Detroit", 42.3411, -83.0553, "America/Detroit"),
        Team("GSW", "San Francisco", 37.7679, -122.3873, _PACIFIC),
        Team("HOU", "Houston", 29.6807, -95.3615, _CENTRAL),
        Team("IND", "Indianapolis", 39.7640, -86.1555, "America/Indiana/Indianapolis"),
        Team("LAC", "Los Angeles", 34.0430, -118.2673, _PACIFIC),
        Team("LAL", "Los Angeles", 34.0430, -118.2673, _PACIFIC),
        Team("MEM", "Memphis", 35.1382, -90.0505, _CENTRAL),
        Team("MIA", "Miami", 25.7814, -80.1870, _EASTERN),
        Team("MIL", "Milwaukee", 43.0435, -87.9167, _CENTRAL),
        Team("MIN", "Minneapolis", 44.9795, -93.2760, _CENTRAL),
        Team("NOP", "New Orleans", 29.9490, -90.0821, _CENTRAL),
        Team("NYK", "New York", 40.7505, -73.9934, _EASTERN),
        Team("OKC", "Oklahoma City", 35.4634, -97.5151, _CENTRAL),
        Team("ORL", "Orlando", 28.5392, -81.3839, _EASTERN),
        Team("PHI", "Philadelphia", 39.9012, -75.1720, _EASTERN),
        Team("PHX", "Phoenix", 33.4457, -112.0712, "America/Phoenix"),
        Team("POR", "Portland", 45.5316, -122.6668, _PACIFIC),
        Team("SAC", "Sacramento", 38.5816, -121.4999, _PACIFIC),
        Team("SAS", "San Antonio", 29.4270, -98.4375, _CENTRAL),
        Team("TOR", "Toronto", 43.6434, -79.3791, "America/Toronto"),
        Team("UTA", "Salt Lake City", 40.7683, -111.9011, _MOUNTAIN),
        Team("WAS", "Washington", 38.8981, -77.0209, _EASTERN),
    )
}
TRICODES = tuple(sorted(TEAMS))


def miles_between(a: str, b: str) -> float:
    """Return the great-circle distance between two home arenas, statute miles (haversine)."""
    p, q = TEAMS[a], TEAMS[b]
    lat1, lat2 = math.radians(p.latitude), math.radians(q.latitude)
    half_lat = (lat2 - lat1) / 2
    half_lon = math.radians(q.longitude - p.longitude) / 2
    h = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_MILES * math.asin(math.sqrt(h))
