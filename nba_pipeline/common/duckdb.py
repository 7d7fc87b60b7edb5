"""DuckDB connections, all with the same settings: UTC, so that no answer depends on the machine's zone, and silent."""

from pathlib import Path

import duckdb


def connect(path: Path | None = None, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a database file, or one in memory."""
    db = duckdb.connect(str(path) if path else ":memory:", read_only=read_only)
    db.execute("SET TimeZone = 'UTC'")
    db.execute("SET enable_progress_bar = false")
    return db
