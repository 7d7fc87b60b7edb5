"""Build the tables of a season in the landing layout: column names, types and NULLs of the real files."""

import numpy as np
import pyarrow as pa

from nba_pipeline.simulator.box_tables import player_boxscores, team_boxscores
from nba_pipeline.simulator.clubs import TEAM_ID
from nba_pipeline.simulator.columns import (  # fmt: skip
    DATE,
    FLAG,
    INT16,
    INT32,
    SMALL,
    SOURCE,
    TEXT,
    constant,
    game_dates,
    table,
    text,
)
from nba_pipeline.simulator.league import PERSON_ID_BASE
from nba_pipeline.simulator.market import outlooks
from nba_pipeline.simulator.market_tables import game_lines_table, prop_lines_table
from nba_pipeline.simulator.people_tables import injuries_table, players_table
from nba_pipeline.simulator.schedule_table import schedule_table
from nba_pipeline.simulator.season import Season
from nba_pipeline.simulator.seeds import stream
from nba_pipeline.simulator.shots import ACTIONS, AREAS, BASIC, RANGES, ZONES_PMT, shot_columns


def shots_table(season: Season) -> pa.Table:
    """Build the shots of every countable game in order of time. One row per field-goal attempt."""
    s = shot_columns(stream(season.world.seed, season.calendar.season, "shots"), season.games)
    game = s["row"] // 2
    n = len(game)
    return table(
        {
            "season": (TEXT, constant(season.calendar.season, n)),
            "game_id": (TEXT, text(season.games.game_id, game)),
            "game_date": (DATE, game_dates(season, season.games.slate.day[game])),
            "team_id": (INT32, TEAM_ID[season.games.slate.club[s["row"]]]),
            "player_id": (INT32, PERSON_ID_BASE + s["person"]),
            "player_name": (TEXT, text(season.world.history.names, s["person"])),
            "period": (SMALL, s["period"]),
            "mins_left": (SMALL, s["mins_left"]),
            "secs_left": (SMALL, s["secs_left"]),
            "shot_made": (FLAG, s["shot_made"]),
            "shot_value": (SMALL, s["shot_value"]),
            "action_type": (TEXT, text(ACTIONS, s["action_code"])),
            "zone_basic": (TEXT, text(BASIC, s["basic_code"])),
            "zone_area": (TEXT, text(AREAS, s["area_code"])),
            "zone_range": (TEXT, text(RANGES, s["range_code"])),
            "shot_distance": (INT16, s["shot_distance"]),
            "loc_x": (INT16, s["loc_x"]),
            "loc_y": (INT16, s["loc_y"]),
            "source": (TEXT, constant(SOURCE, n)),
            "zone_basic_derived": (FLAG, np.zeros(n, dtype=bool)),
            "zone_pmt": (TEXT, text(ZONES_PMT, s["pmt_code"])),
            "game_complete": (FLAG, np.ones(n, dtype=bool)),
        }
    )


def landing_tables(season: Season) -> dict[str, pa.Table]:
    """Build the feeds that follow from a season alone, by feed name."""
    states = outlooks(season.world, season.games.slate, season.games.status)
    return {
        "schedule": schedule_table(season),
        "player_boxscores": player_boxscores(season),
        "team_boxscores": team_boxscores(season),
        "shots": shots_table(season),
        "prop_lines": prop_lines_table(season, states),
        "game_lines": game_lines_table(season, states),
        "injuries": injuries_table(season),
        "players": players_table(season),
    }
