"""A warehouse for fast tests of what is published: its file is opened once, where the product opens it for each reading."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import duckdb

from nba_pipeline.common import duckdb as duck
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse


@dataclass(frozen=True)
class OpenWarehouse(DuckDBWarehouse):
    """Stores the tables in a file that stays open: opening and closing one takes longer than to read a table made by hand."""

    @cached_property
    def _kept_open(self) -> duckdb.DuckDBPyConnection:
        return duck.connect(self.path)

    @contextmanager
    def _connect(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        del read_only
        with self._kept_open.cursor() as db:
            db.execute("SET TimeZone = 'UTC'")
            yield db

    def close(self) -> None:
        """Close the file, so that it can be copied whole."""
        self._kept_open.close()
