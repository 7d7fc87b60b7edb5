"""Parse result sets of the league's statistics service: named tables with headings."""

from collections.abc import Sequence
from typing import Any

from nba_pipeline.sources.parsing.acceptance import SetAside, accepted
from nba_pipeline.sources.parsing.values import PayloadError, Row, part, shown

# The fraction of rows of a log, a shot chart or a list of players that must be readable.
ROW_FLOOR = 0.9
ALL = 1.0


def result_set(payload: Any, name: str, columns: Sequence[str], set_aside: list[SetAside] | None = None) -> list[Row]:
    """Read the rows of a named result set.

    Args:
        payload: the answer.
        name: the result set.
        columns: the columns that it must have.
        set_aside: receives rows whose length differs from the headings; None: such a row refuses the answer.

    Returns:
        A mapping from column to value per row.

    Raises:
        PayloadError: the set, a column or every row is missing, or too many rows have another length.
    """
    sets = part(payload, "resultSets", list)
    matching = [s for s in sets if isinstance(s, dict) and s.get("name") == name]
    if not matching:
        names = ", ".join(str(s.get("name")) for s in sets if isinstance(s, dict))
        raise PayloadError(f"there is no result set {name} (there are: {names or 'none'})")
    headers = part(matching[0], "headers", list)
    if not all(isinstance(h, str) for h in headers):
        raise PayloadError(f"{name}: a heading is not a text: {shown(headers)}")
    missing = [c for c in columns if c not in headers]
    if missing:
        raise PayloadError(
            f"{name}: columns are missing: {', '.join(missing)} (there are: {', '.join(map(str, headers))})"
        )
    rows = part(matching[0], "rowSet", list)
    if not rows:
        raise PayloadError(f"{name} has no rows")

    def mapping(values: Any) -> Row:
        if not isinstance(values, list) or len(values) != len(headers):
            raise PayloadError(f"a row of {name} has another number of values than there are columns")
        return dict(zip(headers, values, strict=True))

    elements = [(f"row {i}", lambda v=values: mapping(v)) for i, values in enumerate(rows, 1)]
    return accepted(elements, ALL if set_aside is None else ROW_FLOOR, f"rows of {name}", set_aside)
