"""An invented league, offline and deterministic: the default source of raw data.

`simulate_season(season, seed)` returns the feeds of one season in the landing layout, the same that recorded files
have. Clubs, arenas and the calendar are the real ones; people, games and prices are invented. The result is a pure
function of its arguments. Seasons agree with each other: careers, rosters and trades come from one league history per
seed.
"""

import pyarrow as pa

from nba_pipeline.simulator.landing import landing_tables
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
    """The feeds of one season, e.g. `simulate_season("2024-25", 7)["player_boxscores"]`."""
    tables = landing_tables(play_season(season, seed))
    return {feed: tables[feed] for feed in FEEDS}
