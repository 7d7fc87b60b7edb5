"""Read a home, compute its tables a second time, and compare them."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from importlib import import_module
from pathlib import Path

import pandas as pd

from nba_pipeline.config.settings import Settings
from nba_pipeline.contracts.table import Table
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.warehouse import Days, Warehouse
from tools.recompute.comparison import Comparison, compare
from tools.recompute.league import HomeReader, League

FACTS = "nba_analytics.player_game_summary"


def recomputed(home: Path, data: Path, first: date, last: date, names: Sequence[str]) -> list[Comparison]:
    """Compare tables of the home from the first to the last day with their second computation from the landing files."""
    warehouse = Settings.from_environment({"NBA_PIPELINE_HOME": str(home)}).open_warehouse()
    return list(comparisons(warehouse, data, first, last, names))


def comparisons(
    warehouse: Warehouse, data: Path, first: date, last: date, names: Sequence[str]
) -> Iterator[Comparison]:
    """Yield a comparison per table, in the order of the names.

    Args:
        warehouse: Where the tables of the home are read.
        data: Directory of the landing files that the home was filled from.
        first: First day compared.
        last: Last day compared.
        names: Modules of this package.
    """
    facts = published(warehouse, CATALOG[FACTS].table, date.min, last)
    league = League(data, facts.game_date.min(), first, last, reader(warehouse, first, last))
    for name in names:
        module = import_module(f"tools.recompute.{name}")
        table = CATALOG[module.TABLE].table
        rows = league.within(module.recompute(league), table.partition)
        yield compare(
            table, published(warehouse, table, first, last), rows, module.LEFT_OUT, getattr(module, "TOLERANCES", None)
        )


def reader(warehouse: Warehouse, first: date, last: date) -> HomeReader:
    """Return a function that reads a table of the home, with `history` all its days up to the last; each is read once."""

    @cache
    def read(table: str, *, history: bool = False) -> pd.DataFrame:
        return published(warehouse, CATALOG[table].table, date.min if history else first, last)

    return read


def published(warehouse: Warehouse, table: Table, first: date, last: date) -> pd.DataFrame:
    """Read a table's days from the home."""
    return warehouse.read({"rows": (table, Days(first, last))})["rows"].to_pandas(date_as_object=True)
