"""Build player and team box scores. Team rows are sums of player rows, so the identities hold by construction."""

import numpy as np
import pyarrow as pa

from nba_pipeline.simulator.clubs import TEAM_ID, TRICODE
from nba_pipeline.simulator.columns import (  # fmt: skip
    DATE,
    FLAG,
    INT16,
    INT32,
    INT64,
    NUMBER,
    SOURCE,
    TEXT,
    constant,
    game_dates,
    nulls,
    season_type,
    table,
    text,
)
from nba_pipeline.simulator.league import PERSON_ID_BASE
from nba_pipeline.simulator.season import Season
from nba_pipeline.simulator.slate import opponent

_STATS = ("fgm", "fga", "fg3m", "fg3a", "ftm", "fta", "oreb", "dreb", "reb", "ast", "stl", "blk", "tov", "pf")
_SPOTS = ("G", "F", "C")


def stat_matrices(season: Season) -> dict[str, np.ndarray]:
    """Return the counts, (rows, slots), by landing column name."""
    c = season.games.played.counts
    return {
        "pts": c.points,
        "fgm": c.makes.sum(axis=2),
        "fga": c.attempts.sum(axis=2),
        "fg3m": c.makes[:, :, 3:].sum(axis=2),
        "fg3a": c.attempts[:, :, 3:].sum(axis=2),
        "ftm": c.ftm,
        "fta": c.fta,
        "oreb": c.oreb,
        "dreb": c.dreb,
        "reb": c.oreb + c.dreb,
        **{name: getattr(c, name) for name in ("ast", "stl", "blk", "tov", "pf")},
    }


def whole_minutes(season: Season) -> np.ndarray:
    """Round minutes to whole numbers, as the league prints them."""
    return np.floor(season.games.played.seconds / 60 + 0.5).astype(np.int64)


def _sides(season: Season, row: np.ndarray) -> dict[str, tuple[pa.DataType, pa.Array | np.ndarray]]:
    """Return the columns that player and team rows share, for team-game rows `row`."""
    slate = season.games.slate
    club, other = slate.club[row], opponent(slate.club)[row]
    return {
        "season": (TEXT, constant(season.calendar.season, len(row))),
        "season_type": (TEXT, season_type(season, row // 2)),
        "game_id": (TEXT, text(season.games.game_id, row // 2)),
        "game_date": (DATE, game_dates(season, slate.row_day[row])),
        "team_id": (INT64, TEAM_ID[club]),
        "team": (TEXT, text(TRICODE, club)),
        "opponent_team_id": (INT64, TEAM_ID[other]),
        "opponent": (TEXT, text(TRICODE, other)),
        "is_home": (FLAG, row % 2 == 0),
    }


def player_boxscores(season: Season) -> pa.Table:
    """Build the player box scores. One row per player who appeared."""
    played = season.games.played
    row, slot = np.nonzero(played.seconds)
    person = season.games.slate.person[row, slot]
    points = played.points
    won = points > opponent(points)
    starts = played.starter[row, slot]
    stats = stat_matrices(season)
    return table(
        {
            **_sides(season, row),
            "player_id": (INT32, PERSON_ID_BASE + person),
            "player_name": (TEXT, text(season.world.history.names, person)),
            "starter": (FLAG, starts),
            "start_position": (TEXT, text(_SPOTS, season.world.history.position[person], ~starts)),
            "wl": (TEXT, text(("L", "W"), won[row].astype(np.int64))),
            "min": (INT16, whole_minutes(season)[row, slot]),
            "min_exact": (NUMBER, np.round(played.seconds[row, slot] / 60, 3)),
            **{name: (INT16, stats[name][row, slot]) for name in ("pts", *_STATS)},
            "plus_minus": (INT16, played.plus_minus[row, slot]),
            **{name: (NUMBER, nulls(NUMBER, len(row))) for name in ("bref_usg_pct", "bref_ortg", "bref_drtg")},
            "source": (TEXT, constant(SOURCE, len(row))),
        }
    )


def team_boxscores(season: Season) -> pa.Table:
    """Sum the player rows to team box scores. Two rows per game."""
    played = season.games.played
    row = np.arange(len(played.seconds))
    stats = {name: values.sum(axis=1) for name, values in stat_matrices(season).items()}
    against = opponent(stats["pts"])
    possessions = stats["fga"] + 0.44 * stats["fta"] - stats["oreb"] + stats["tov"]
    return table(
        {
            **_sides(season, row),
            "wl": (TEXT, text(("L", "W"), (stats["pts"] > against).astype(np.int64))),
            "min": (INT16, whole_minutes(season).sum(axis=1)),
            "pts": (INT16, stats["pts"]),
            "opponent_pts": (INT64, against),
            **{name: (INT16, stats[name]) for name in _STATS},
            "plus_minus": (INT16, stats["pts"] - against),
            "possessions_est": (NUMBER, np.round(possessions, 2)),
            "source": (TEXT, constant(SOURCE, len(row))),
        }
    )
