"""DuckDB connections, all with the same settings: UTC, so that no answer depends on the machine's zone, and silent."""

import os
import threading
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias
from weakref import WeakKeyDictionary

import duckdb

# DuckDB has no code for a file that another process holds: every failure to open one is an IOException, told apart by its text.
LOCK_CONFLICT = "Conflicting lock"
# Nor one for damage: a checksum that does not fit, and a file that is shorter than its own tables, are told by their texts.
CORRUPTION = ("Corrupt database file", "Could not read enough bytes")

# How many threads compute and write. With more, the one that waits for a statement asks all the time whether there is work,
# and takes the lock of Python to ask: with two, the features of two seasons took 22 s of processor time instead of 13, and to
# write them 2.5 instead of 1.3, which a run has other use for.
THREADS = 1

# What can only be wrong with a statement: its words, its names, its values, or what it wants to do.
OF_THE_STATEMENT = (
    duckdb.ProgrammingError,
    duckdb.DataError,
    duckdb.IntegrityError,
    duckdb.NotSupportedError,
    duckdb.PermissionException,
    duckdb.TransactionException,
    duckdb.DependencyException,
    duckdb.SequenceException,
)
MORE_MEMORY = (
    "read fewer days, rows or columns at once, end other programs, or give the process more memory; the disk needs room, too, "
    "for what does not fit into memory"
)

# The format of the files that are made, which every version that we run on reads. By default they have that of DuckDB 1.0, which
# packs texts with more processor time, and more of a table is written again when a day is stored. A file keeps its format.
FILE_FORMAT = "v1.5.0"

# Rows of a row group of what is written, a quarter of DuckDB's own number. Groups that earlier writing left in part are merged
# when more is stored, up to four of them, and a day is added to the last one: of wide tables that is most of what storing costs.
# With fewer rows still a file becomes larger. It is no property of a file: each that writes says it, and any number can be read.
ROW_GROUP = 30_720
# By what name a file that is written is attached: only so can its row groups be given a size.
ATTACHED = "written"

Config: TypeAlias = dict[str, str | bool | int | float | list[str]]

# Each with the thread that opened it.
_open: WeakKeyDictionary[duckdb.DuckDBPyConnection, int] = WeakKeyDictionary()
_opening = threading.Lock()

# Databases in memory that `scratch` shares, by process and number of threads: a process that is forked needs its own.
_shared: dict[tuple[int, int | None], duckdb.DuckDBPyConnection] = {}
# DuckDB would keep what it read of Parquet files in memory, and take a file of the same second for the one that it has read.
CONFIG: Config = {"enable_external_file_cache": False}


def connect(
    path: Path | None = None, *, read_only: bool = False, threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a database file, or one in memory.

    Args:
        path: The file; None for one in memory.
        read_only: Whether it is only read.
        threads: How many threads a statement may use; None for those of the machine.
    """
    if path and not read_only:
        return _written(path, threads)
    return _prepared(duckdb.connect(str(path) if path else ":memory:", read_only=read_only, config=_config(threads)))


def _written(path: Path, threads: int | None) -> duckdb.DuckDBPyConnection:
    """Open a file to read and write, with row groups of our size."""
    config: Config = {"storage_compatibility_version": FILE_FORMAT, "temp_directory": f"{path}.tmp"}
    db = _prepared(duckdb.connect(":memory:", config=config | _config(threads)))
    try:
        escaped = str(path).replace("'", "''")
        db.execute(f"ATTACH '{escaped}' AS {ATTACHED} (ROW_GROUP_SIZE {ROW_GROUP})")
        db.execute(f"USE {ATTACHED}")
    except BaseException:
        db.close()
        raise
    return db


def _config(threads: int | None) -> Config:
    return {} if threads is None else {"threads": threads}


def cursor(db: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Open a further connection to the file of one that writes it, with transactions and registered rows of its own."""
    further = _prepared(db.cursor())
    further.execute(f"USE {ATTACHED}")
    return further


def scratch(threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Open a connection for temporary tables and registered rows, to a database in memory that the process shares.

    A database costs 10 ms to open and more to close, a further connection to it next to nothing. What others have registered
    is not seen, and all that is temporary goes when the connection is closed. After an internal error of DuckDB, which makes
    a database useless, the next connection is to a new one.

    Args:
        threads: How many threads a statement may use; None for those of the machine.
    """
    place = (os.getpid(), threads)
    try:
        return _prepared(_cursor(place))
    except duckdb.FatalException:
        with _opening:
            _shared.pop(place, None)
        return _prepared(_cursor(place))


def _cursor(place: tuple[int, int | None]) -> duckdb.DuckDBPyConnection:
    """Open a further connection to the database of a process and number of threads, and the database where it is missing."""
    _, threads = place
    with _opening:
        if place not in _shared:
            _shared[place] = duckdb.connect(":memory:", config=CONFIG | _config(threads))
        return _shared[place].cursor()


def _prepared(db: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    with _opening:
        _open[db] = threading.get_ident()
    db.execute("SET TimeZone = 'UTC'")
    db.execute("SET enable_progress_bar = false")
    return db


def interrupt_statements(threads: Collection[int] | None = None) -> None:
    """End the running statements of connections of this process with an error, from any thread.

    A statement ends at its next step, which most reach within milliseconds; its transaction is rolled back.

    Args:
        threads: The threads that opened the connections; None for all.
    """
    with _opening:
        connections = [db for db, opener in _open.items() if threads is None or opener in threads]
    for db in connections:
        with suppress(duckdb.Error):  # closed meanwhile
            db.interrupt()


def is_held(error: duckdb.Error) -> bool:
    """Return whether a file could not be opened because another process has it open."""
    return isinstance(error, duckdb.IOException) and LOCK_CONFLICT in str(error)


def remedy(error: duckdb.Error, otherwise: str) -> str:
    """Return how a failed statement of our own is repaired: with more memory where that is what it lacked.

    Args:
        error: What DuckDB said.
        otherwise: The remedy for any other error.
    """
    return MORE_MEMORY if isinstance(error, duckdb.OutOfMemoryException) else otherwise


def is_corruption(error: BaseException) -> bool:
    """Return whether an error says that what is stored in a file is not what was written to it."""
    if isinstance(error, duckdb.SerializationException):
        return True
    return isinstance(error, duckdb.Error) and any(text in str(error) for text in CORRUPTION)
