"""Build Arrow columns from codes and NumPy arrays, with the types of the landing layout."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from nba_pipeline.domain.calendar import SEASON_TYPES
from nba_pipeline.simulator.season import Season

TEXT, NUMBER, FLAG, DATE = pa.large_string(), pa.float64(), pa.bool_(), pa.date32()
SMALL, INT16, INT32, INT64 = pa.int8(), pa.int16(), pa.int32(), pa.int64()
UTC = pa.timestamp("us", tz="UTC")
SOURCE = "simulator"


def text(values: Sequence[str] | np.ndarray, codes: np.ndarray, absent: np.ndarray | None = None) -> pa.Array:
    """Look up strings by code; NULL where `absent`."""
    return pa.array(list(values), type=TEXT).take(pa.array(codes, mask=absent))


def constant(value: str, rows: int) -> pa.Array:
    """Repeat a string."""
    return pa.repeat(pa.scalar(value, type=TEXT), rows)


def nulls(kind: pa.DataType, rows: int) -> pa.Array:
    """Repeat NULL of the given type."""
    return pa.nulls(rows, type=kind)


def moments(instants: np.ndarray) -> pa.Array:
    """Convert datetime64[us] to UTC timestamps; NaT becomes NULL."""
    return pa.array(instants.astype("datetime64[us]")).cast(UTC)


def game_dates(season: Season, day: np.ndarray) -> pa.Array:
    """Convert days since opening night to US-Eastern dates."""
    return pa.array(np.datetime64(season.calendar.opening, "D") + day.astype("timedelta64[D]"))


def season_type(season: Season, game: np.ndarray) -> pa.Array:
    """Look up the season type of each game by the prefix of its id."""
    kinds = [SEASON_TYPES[game_id[:3]] for game_id in season.games.game_id.tolist()]
    return text(kinds, game)


def table(columns: dict[str, tuple[pa.DataType, pa.Array | np.ndarray]]) -> pa.Table:
    """Build a table, casting each column to its given type."""
    arrays: dict[str, pa.Array] = {}
    for name, (kind, values) in columns.items():
        array: pa.Array = pa.array(values) if isinstance(values, np.ndarray) else values
        arrays[name] = array.cast(kind)
    return pa.table(arrays)
