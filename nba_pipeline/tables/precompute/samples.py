"""Texts that explain NULL values: samples that are too small, names of missing inputs."""

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add
from typing import Any

import ibis

from nba_pipeline.common import ibis_types as ir

MIN_GAMES = 5


def added(values: Iterable[Any]) -> Any:
    """The sum of numeric columns."""
    return reduce(add, values)


def shortfall(games: ir.IntegerValue, needed: int, kind: str = "games of the season") -> ir.StringValue:
    """`3 of 10 games of the season` where games are too few, NULL where they suffice."""
    return (games < needed).ifelse(games.cast("string") + f" of {needed} {kind}", ibis.null("string"))


def names_where(conditions: Mapping[str, ir.BooleanValue], separator: str = ", ") -> ir.StringValue:
    """Return the names whose condition is true, joined; NULL if none is."""
    between: Any = ibis.literal(separator)
    return between.join([holds.ifelse(name, ibis.null("string")) for name, holds in conditions.items()]).nullif("")
