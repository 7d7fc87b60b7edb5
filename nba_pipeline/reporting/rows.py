"""Convert frames to mappings, in which NULL is None."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # takes most of a second to load, and definitions read no rows
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
