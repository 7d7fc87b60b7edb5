"""Convert shot charts that were collected in bulk, with the columns of `shotchartdetail`, to rows of the feed `shots`."""

from collections.abc import Iterable

from nba_pipeline.sources.parsing import shot_chart
from nba_pipeline.sources.parsing.acceptance import SetAside
from nba_pipeline.sources.parsing.values import Row

COLUMNS = tuple(c.lower() for c in shot_chart.COLUMNS)
WHOLE = tuple(
    c for c in shot_chart.COLUMNS if c not in ("GAME_ID", "GAME_DATE", "ACTION_TYPE", "SHOT_TYPE", "SHOT_ZONE_BASIC")
)


def shots(rows: Iterable[Row], set_aside: list[SetAside] | None = None) -> list[Row]:
    """Build rows of the feed from rows of a file.

    Args:
        rows: rows with the columns of the service in lower case; a game id may have lost its zeros.
        set_aside: receives the attempts that cannot be read.
    """
    values = [[_value(r, c) for c in shot_chart.COLUMNS] for r in rows]
    payload = {
        "resultSets": [{"name": "Shot_Chart_Detail", "headers": list(shot_chart.COLUMNS), "rowSet": values}],
    }
    return [row for _, row in shot_chart.shots(payload, set_aside)]


def _value(r: Row, column: str) -> object:
    value = r[column.lower()]
    if value is None:
        return None
    if column == "GAME_ID":
        return f"{value}".strip().zfill(10)
    if column in WHOLE and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value  # the parser names it
    return value if column in WHOLE else f"{value}"
