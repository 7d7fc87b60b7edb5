"""The markets that are forecast, each with the counts of a box score that it adds up. Points are the default."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_pipeline.common import ibis_types as ir


@dataclass(frozen=True)
class Market:
    """A player market: its name at the books, the columns of player facts whose sum it bets on, and its unit."""

    name: str
    counts: tuple[str, ...]
    unit: str

    def actual(self, facts: ir.Table) -> ir.IntegerValue:
        """What a player's game was worth in this market."""
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
    compute: Callable[..., Mapping[str, NDArray[Any]]], market: NDArray[Any], *columns: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    """Rows of several markets through a function of one: `compute(*columns, market=...)` for the rows of each market.

    Returns the named arrays that `compute` gives, in the order of the rows; without rows, no arrays.
    """
    found: dict[str, NDArray[Any]] = {}
    for name in np.unique(market):
        here = market == name
        for key, values in compute(*(c[here] for c in columns), market=str(name)).items():
            found.setdefault(key, np.empty(len(market), dtype=values.dtype))[here] = values
    return found
