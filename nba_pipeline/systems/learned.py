"""What the trained systems read, and the model matrix they read it from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from nba_pipeline.systems.protocol import Floats

if TYPE_CHECKING:
    import pandas as pd

# Rate times minutes, both ways of expecting the minutes: not columns of the store, since they follow from two that are.
EXPECTED_BY_FORM, EXPECTED_BY_ROTATION = "expected_by_form", "expected_by_rotation"


class Training(Protocol):
    """Training rows as a trained system reads them, read once for all fits on them."""

    def body(self) -> dict[str, object]:
        """Fit a model of all rows: the body of its artifact, JSON-able and the same for the same rows."""
        ...

    def unseen(self, inside: NDArray[np.bool_]) -> Floats:
        """Forecast the rows inside by a model of all others."""
        ...


class Learner(Protocol):
    """A trained system: `training` gives the body of its artifact, `predict` reads it."""

    @property
    def system_id(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def libraries(self) -> Sequence[str]: ...

    def features(self, market: str) -> tuple[str, ...]:
        """The columns of the feature store that it reads."""
        ...

    def hyperparameters(self) -> dict[str, object]: ...

    def training(self, rows: pd.DataFrame, market: str, actual: Floats) -> Training: ...

    def predict(self, rows: pd.DataFrame, market: str, body: dict) -> tuple[Floats, dict[str, Floats]]:
        """The mean of every row, and the terms that add up to it."""
        ...


def matrix(rows: pd.DataFrame, market: str, columns: Sequence[str]) -> Floats:
    """The columns as floats, unknown is NaN; the two products of rate and minutes are computed here."""
    rate = rows[f"{market}_per_minute"].to_numpy(dtype=float)
    products = {
        EXPECTED_BY_FORM: rate * rows["minutes_form"].to_numpy(dtype=float),
        EXPECTED_BY_ROTATION: rate * rows["minutes_expected"].to_numpy(dtype=float),
    }
    return np.column_stack([products[c] if c in products else rows[c].to_numpy(dtype=float) for c in columns])


def stored(columns: Sequence[str], market: str) -> tuple[str, ...]:
    """The columns of the feature store behind columns of a model matrix."""
    own = tuple(c for c in columns if c not in (EXPECTED_BY_FORM, EXPECTED_BY_ROTATION))
    return tuple(dict.fromkeys((*own, f"{market}_per_minute", "minutes_form", "minutes_expected")))
