"""Further columns and fewer rows of data frames, without copies of the rest: frames of training rows are wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


def beside(rows: pd.DataFrame, **columns: NDArray) -> pd.DataFrame:
    """Return the rows with these columns added or replaced; the frame given stays as it is, and shares all others."""
    wider = rows.copy(deep=False)
    for name, values in columns.items():
        wider[name] = values
    return wider


def rows_where(rows: pd.DataFrame, use: NDArray[np.bool_] | pd.Series) -> pd.DataFrame:
    """Select rows, without a copy where they follow on each other.

    Args:
        rows: The rows.
        use: True for those to select, one value for each row.
    """
    places = np.flatnonzero(use)
    if not len(places) or places[-1] - places[0] + 1 > len(places):
        return rows[use]
    return rows.iloc[places[0] : places[-1] + 1]
