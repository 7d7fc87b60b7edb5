"""The markets that are forecast, each as a sum of box-score counts. The default market is points.

Settings name markets, so every command loads this module: ibis and NumPy are imported where they are used.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nba_pipeline.common import ibis_types as ir


@dataclass(frozen=True)
class Market:
    """A player market: name at the books, columns of player facts that it sums, and unit."""

    name: str
    counts: tuple[str, ...]
    unit: str

    def actual(self, facts: "ir.Table") -> "ir.IntegerValue":
        """Return the actual value of the market in a player's game."""
        first, *others = (facts[c] for c in self.counts)
        return sum(others, start=first)


POINTS = Market("points", ("points",), "points")
MARKETS = {
    m.name: m
    for m in (
        POINTS,
        Market("rebounds", ("rebounds",), "rebounds"),
        Market("assists", ("assists",), "assists"),
        Market("threes", ("three_pt_makes",), "three-pointers"),
        Market("pra", ("points", "rebounds", "assists"), "points + rebounds + assists"),
    )
}
DEFAULT_MARKETS = (POINTS.name,)


def by_market(
    compute: "Callable[..., Mapping[str, NDArray[Any]]]", market: "NDArray[Any]", *columns: "NDArray[Any]"
) -> "dict[str, NDArray[Any]]":
    """Apply a function of one market to rows of several: `compute(*columns, market=...)` for the rows of each.

    Args:
        compute: Returns named arrays, one value per row.
        market: Market of each row.
        *columns: Inputs of `compute`, one value per row.

    Returns:
        The named arrays in the order of the rows; no arrays without rows.

    """
    import numpy as np

    results: dict[str, NDArray[Any]] = {}
    for name in np.unique(market):
        here = market == name
        for key, values in compute(*(c[here] for c in columns), market=str(name)).items():
            results.setdefault(key, np.empty(len(market), dtype=values.dtype))[here] = values
    return results
