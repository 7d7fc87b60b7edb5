"""A connection to DuckDB that something happens to between two of its statements."""

from collections.abc import Callable
from typing import Any

import duckdb


class Interfering:
    """A connection that does something else before a statement that begins so, or after it is closed."""

    def __init__(self, db: duckdb.DuckDBPyConnection, at: str, act: Callable[[], Any]) -> None:
        self._db, self._at, self._act = db, at, act

    def execute(self, sql: str, *arguments: Any) -> Any:
        if sql.startswith(self._at):
            self._act()
        return self._db.execute(sql, *arguments)

    def close(self) -> None:
        self._db.close()
        if self._at == "close":
            self._act()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


def fail(error: BaseException) -> None:
    """Raise the error."""
    raise error
