"""One transaction on a small SQLite file that several processes share."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

WAIT_SECONDS = 30.0


@contextmanager
def transaction(path: Path, tables: Mapping[str, str]) -> Iterator[sqlite3.Connection]:
    """Open one write transaction: it is committed at the end, rolled back on any error, and other processes wait for it.

    Args:
        path: The database file; it and its directory are created on first use.
        tables: Column definitions by table name; tables that the file lacks are created.

    Raises:
        sqlite3.OperationalError: Another process held the file for longer than WAIT_SECONDS.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
    try:
        _create_missing(db, tables)
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
    finally:
        db.close()


def _create_missing(db: sqlite3.Connection, tables: Mapping[str, str]) -> None:
    present = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for name in tables.keys() - present:
        db.execute(f"CREATE TABLE IF NOT EXISTS {name} ({tables[name]})")
