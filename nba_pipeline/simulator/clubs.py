"""Declare the thirty clubs: league ids, conferences, divisions, arenas by season."""

from typing import NamedTuple

import numpy as np

from nba_pipeline.domain.teams import TEAMS


class Club(NamedTuple):
    """A club of the league."""

    tricode: str
    team_id: int
    division: int  # 0-2 East (Atlantic, Central, Southeast), 3-5 West (Northwest, Pacific, Southwest)
    arenas: tuple[tuple[int, str], ...]  # (first opening year, name), oldest first


_ROWS = (
    ("BOS", 1610612738, 0, ((0, "TD Garden"),)),
    ("BKN", 1610612751, 0, ((0, "Barclays Center"),)),
    ("NYK", 1610612752, 0, ((0, "Madison Square Garden"),)),
    ("PHI", 1610612755, 0, ((0, "Wells Fargo Center"), (2025, "Xfinity Mobile Arena"))),
    ("TOR", 1610612761, 0, ((0, "Scotiabank Arena"),)),
    ("CHI", 1610612741, 1, ((0, "United Center"),)),
    ("CLE", 1610612739, 1, ((0, "Rocket Mortgage FieldHouse"), (2025, "Rocket Arena"))),
    ("DET", 1610612765, 1, ((0, "Little Caesars Arena"),)),
    ("IND", 1610612754, 1, ((0, "Gainbridge Fieldhouse"),)),
    ("MIL", 1610612749, 1, ((0, "Fiserv Forum"),)),
    ("ATL", 1610612737, 2, ((0, "State Farm Arena"),)),
    ("CHA", 1610612766, 2, ((0, "Spectrum Center"),)),
    ("MIA", 1610612748, 2, ((0, "FTX Arena"), (2023, "Kaseya Center"))),
    ("ORL", 1610612753, 2, ((0, "Amway Center"), (2024, "Kia Center"))),
    ("WAS", 1610612764, 2, ((0, "Capital One Arena"),)),
    ("DEN", 1610612743, 3, ((0, "Ball Arena"),)),
    ("MIN", 1610612750, 3, ((0, "Target Center"),)),
    ("OKC", 1610612760, 3, ((0, "Paycom Center"),)),
    ("POR", 1610612757, 3, ((0, "Moda Center"),)),
    ("UTA", 1610612762, 3, ((0, "Vivint Arena"), (2023, "Delta Center"))),
    ("GSW", 1610612744, 4, ((0, "Chase Center"),)),
    ("LAC", 1610612746, 4, ((0, "Crypto.com Arena"), (2024, "Intuit Dome"))),
    ("LAL", 1610612747, 4, ((0, "Crypto.com Arena"),)),
    ("PHX", 1610612756, 4, ((0, "Footprint Center"), (2025, "Mortgage Matchup Center"))),
    ("SAC", 1610612758, 4, ((0, "Golden 1 Center"),)),
    ("DAL", 1610612742, 5, ((0, "American Airlines Center"),)),
    ("HOU", 1610612745, 5, ((0, "Toyota Center"),)),
    ("MEM", 1610612763, 5, ((0, "FedExForum"),)),
    ("NOP", 1610612740, 5, ((0, "Smoothie King Center"),)),
    ("SAS", 1610612759, 5, ((0, "AT&T Center"), (2023, "Frost Bank Center"))),
)
CLUBS = tuple(Club(*row) for row in _ROWS)
TEAM_COUNT = len(CLUBS)
TRICODE = np.array([club.tricode for club in CLUBS])
TEAM_ID = np.array([club.team_id for club in CLUBS], dtype=np.int64)
DIVISION = np.array([club.division for club in CLUBS])
CONFERENCE = DIVISION // 3  # 0 East, 1 West
ZONE_NAME = [TEAMS[club.tricode].zone for club in CLUBS]

# The two all-star sides have their own ids and tricodes.
ALL_STAR_IDS = (1610616833, 1610616834)
ALL_STAR_TRICODES = ("EST", "WST")


def arena(club: int, opening_year: int) -> str:
    """Return the name of the home arena in the season that opens in `opening_year`."""
    return [name for first, name in CLUBS[club].arenas if first <= opening_year][-1]
