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
        create_missing(db, tables)
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
    finally:
        db.close()


@contextmanager
def reading(path: Path, tables: Mapping[str, str]) -> Iterator[sqlite3.Connection]:
    """Open the file for reading alone, also where nothing may be written; what is missing is empty.

    Args:
        path: The database file; without it, an empty database.
        tables: Column definitions by table name, as of `transaction`.
    """
    at = f"{path.absolute().as_uri()}?mode=ro" if path.exists() else ":memory:"
    db = sqlite3.connect(at, timeout=WAIT_SECONDS, uri=True)
    try:
        present = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for name in tables.keys() - present:
            db.execute(f"CREATE TEMP TABLE {name} ({tables[name]})")
        yield db
    finally:
        db.close()


def copied(path: Path, target: Path) -> None:
    """Copy a database, also with a write-ahead log in a directory where nothing may be written.

    Args:
        path: The database file.
        target: The new file.

    Raises:
        sqlite3.OperationalError: A log is being written by a process that this account cannot join.
    """
    logged = path.with_name(f"{path.name}-wal").exists()
    origin = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{'' if logged else '&immutable=1'}", uri=True)
    copy = sqlite3.connect(target)
    try:
        origin.backup(copy)
    finally:
        copy.close()
        origin.close()


def create_missing(db: sqlite3.Connection, tables: Mapping[str, str]) -> None:
    """Create the tables that a database lacks."""
    present = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for name in tables.keys() - present:
        db.execute(f"CREATE TABLE IF NOT EXISTS {name} ({tables[name]})")
