"""What is wrong with a DuckDB file that cannot be read or written, found by looking at the file, not at the message.

DuckDB has one error for all of it: a missing permission, a full disk, another format, a block whose checksum is wrong. Where a
block is damaged other tables of the file can still be written, which would mix new days with lost ones: a mark beside the file
refuses that until the file is another one.
"""

import json
import os
from contextlib import closing, suppress
from pathlib import Path

import duckdb

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.disk_space import full_disk, is_full_disk
from nba_pipeline.common.errors import WarehouseError, first_line
from nba_pipeline.common.files import write_atomically

OF_THE_FILE = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.SerializationException,
    OSError,
)
MAGIC, MAGIC_AT = b"DUCK", 8
REBUILD = (
    "check the disk and stop all runs, then put the file back from a backup (docs/operations.md), or move it away and run "
    "`nba-pipeline backfill START END`; until then nothing is written into it"
)


def explained(path: Path, doing: str, error: BaseException) -> WarehouseError:
    """Return the error that says why a DuckDB file could not be used, and mark a damaged file.

    Args:
        path: The file; no other process may be writing it.
        doing: What failed, such as "reading failed".
        error: What DuckDB or the system said.
    """
    what, remedy = _diagnosis(path, error)
    return WarehouseError(f"{path}: {doing}: {what}", remedy)


def _diagnosis(path: Path, error: BaseException) -> tuple[str, str]:
    """Return what is wrong and how it is repaired, and mark a damaged file."""
    said = first_line(error)
    if is_full_disk(error, path):
        return full_disk(path)
    if not os.access(path.parent, os.R_OK | os.X_OK) or (path.exists() and not os.access(path, os.R_OK)):
        return "this account may not read it", "change the permissions of the file and its directory"
    if isinstance(error, duckdb.Error) and not isinstance(error, OF_THE_FILE):
        return said, duck.remedy(error, "remove the cause, then run the same range again")
    if _is_of_another_format(path):
        return "it is not a DuckDB file, or its beginning is damaged", REBUILD
    if lost := _lost(path):
        return f"the file is damaged: {lost} cannot be read ({said}){_marking(path, lost)}", REBUILD
    return said, "check the disk and the permissions of the file and its directory, then run it again"


def _lost(path: Path) -> str:
    """Return the damaged tables in words; empty where none is, where there is no file, or where it cannot be told now."""
    with suppress(duckdb.Error, OSError):
        return damaged_tables(path) if path.exists() else ""
    return ""


def damaged_tables(path: Path) -> str:
    """Read every block of every table; return the tables that are damaged, in words, empty where none is.

    Raises:
        duckdb.Error: The file could not be looked at, for another reason than damage.
    """
    try:
        with closing(duck.connect(path, read_only=True)) as db:
            listed = db.execute("SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL").fetchall()
            return ", ".join(f"{s}.{t}" for s, t in listed if _is_damaged(db, s, t))
    except duckdb.Error as e:
        if duck.is_corruption(e):
            return "the whole file"
        raise


def _is_damaged(db: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    try:
        db.execute(f'SELECT sum(hash(t)) FROM "{schema}"."{table}" AS t').fetchall()
    except duckdb.Error as e:
        if duck.is_corruption(e):
            return True
        raise
    return False


def _marking(path: Path, lost: str) -> str:
    """Mark the file; return what is to be added to the error where that fails, which must not take its place."""
    try:
        mark(path, lost)
    except OSError as e:
        return f"; it could not be marked as damaged: {e.strerror}"
    return ""


def mark(path: Path, lost: str) -> None:
    """Remember beside a file that it is damaged, as it is now."""
    write_atomically(_mark(path), json.dumps({"file": _identity(path), "lost": lost}).encode())


def is_marked(path: Path) -> bool:
    """Return whether a file was found damaged, or one that lay there before it."""
    return _mark(path).exists()


def require_undamaged(path: Path) -> None:
    """Refuse to write into a file that is marked as damaged, and still is; another file in its place is not.

    Raises:
        WarehouseError: Names what cannot be read.
        duckdb.Error: Whether the marked file is still damaged cannot be told now.
        OSError: The mark cannot be read or removed.
    """
    if not is_marked(path):
        return
    if _is_of(_mark(path), path) and (lost := damaged_tables(path)):
        raise WarehouseError(f"{path}: the file is damaged: {lost} cannot be read", REBUILD)
    _mark(path).unlink(missing_ok=True)


def _is_of(mark: Path, path: Path) -> bool:
    """Return whether a mark is of the file as it is; one that cannot be understood may be."""
    if not path.exists():
        return False
    try:
        return json.loads(mark.read_bytes())["file"] == _identity(path)
    except (ValueError, KeyError, TypeError):
        return True


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.damaged")


def _identity(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_ino, status.st_size, status.st_mtime_ns]


def _is_of_another_format(path: Path) -> bool:
    """Return whether the file begins as no DuckDB file does; False where there is none, or it cannot be opened now."""
    with suppress(OSError), path.open("rb") as file:
        file.seek(MAGIC_AT)
        return file.read(len(MAGIC)) != MAGIC
    return False
