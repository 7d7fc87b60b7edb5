"""Simulate a league, offline and deterministic: the default source of raw data.

`simulate_season(season, seed)` returns the feeds of one season in the landing layout, the layout of recorded files.
Clubs, arenas and the calendar are real; people, games and prices are invented. The result is a pure function of its
arguments. Seasons are consistent: careers, rosters and trades come from one league history per seed.
"""

import pyarrow as pa

from nba_pipeline.simulator.calendar import opening_year
from nba_pipeline.simulator.landing import landing_tables
from nba_pipeline.simulator.people_tables import player_ages_until
from nba_pipeline.simulator.season import play_season

FEEDS = (
    "schedule",
    "player_boxscores",
    "team_boxscores",
    "shots",
    "prop_lines",
    "game_lines",
    "injuries",
    "players",
    "player_ages",
)


def simulate_season(season: str, seed: int) -> dict[str, pa.Table]:
    """Simulate the feeds of one season in the landing layout.

    Args:
        season: such as `2024-25`, 2017-18 or later.
        seed: selects the league; equal seeds give equal tables.

    Returns:
        A table per feed name, such as `player_boxscores`.

    Raises:
        ValueError: where `season` is not two consecutive years or lies before 2017-18.
    """
    tables = landing_tables(play_season(season, seed))
    # A player's age is that of an earlier list, which no other file of the season has.
    tables["player_ages"] = player_ages_until(seed, opening_year(season))
    return {feed: tables[feed] for feed in FEEDS}
