"""Convert frames to mappings, in which NULL is None."""

from typing import Any

import pandas as pd


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Convert rows to mappings; NULL becomes None."""
    if rows.empty:
        return []
    columns = [
        [None if unknown else value for value, unknown in zip(rows[c].tolist(), rows[c].isna().tolist(), strict=True)]
        for c in rows
    ]
    return [dict(zip(rows.columns, row, strict=True)) for row in zip(*columns, strict=True)]
