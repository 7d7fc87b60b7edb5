"""A read copy of the embedded warehouse: one file that clients may keep open, replaced whole by one rename.

DuckDB locks the file that it writes: any client that has it open, for reading too, keeps the pipeline from publishing. The copy
has the same name in a directory of its own, so that queries with the catalog's name run on either.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.disk_space import full_disk, is_full_disk
from nba_pipeline.common.errors import WarehouseError, first_line
from nba_pipeline.common.files import replacing
from nba_pipeline.common.locking import file_lock
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse

READ_ONLY = 0o444


@dataclass(frozen=True)
class Snapshot:
    """A finished read copy: where it is and its size."""

    path: Path
    bytes: int


def take_snapshot(warehouse: DuckDBWarehouse, target: Path) -> Snapshot:
    """Replace `target` by a copy of the warehouse as of one moment between two publications.

    Publishing waits while the bytes are copied, never for a client of the copy: one that has the earlier copy open goes on
    reading it. Of several processes that take a snapshot at once, the last to copy is the last to rename.

    Args:
        warehouse: The warehouse to copy.
        target: The file to replace.

    Raises:
        WarehouseError: The warehouse does not exist or is busy, or the copy cannot be written; an earlier copy is unchanged.
    """
    if not warehouse.path.exists():
        raise WarehouseError(f"{warehouse.path} does not exist yet", "run `nba-pipeline backfill START END` first")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            file_lock(target.with_name(f"{target.name}.lock"), exclusive=True, timeout=warehouse.timeout),
            replacing(target, mode=READ_ONLY) as draft,
        ):
            _copy(warehouse, draft)
            _log(target).unlink(missing_ok=True)  # a killed client's changes belong to the file that is replaced
    except OSError as e:
        raise _not_written(target, e) from e
    return Snapshot(target, target.stat().st_size)


def _copy(warehouse: DuckDBWarehouse, draft: Path) -> None:
    """Copy the file and what is committed in its log, if a killed process left one, into one file without a log."""
    logged = _log(draft)
    try:
        with ExitStack() as until_closed, warehouse.reading():
            for origin, copy in ((warehouse.path, draft), (_log(warehouse.path), logged)):
                if origin.exists():
                    # Closing any descriptor of the file ends the lock that DuckDB holds on it for this process.
                    held = until_closed.enter_context(origin.open("rb"))
                    with _writing(copy) as new:
                        shutil.copyfileobj(held, new, 1 << 20)
        if logged.exists():
            try:
                with duck.connect(draft) as db:
                    db.execute("CHECKPOINT")
            except duckdb.Error as e:
                raise _not_written(draft, e) from e
    finally:
        logged.unlink(missing_ok=True)


@contextmanager
def _writing(copy: Path) -> Iterator[BinaryIO]:
    """Open a file of the copy; what fails here is no failure of the warehouse."""
    try:
        with copy.open("wb") as new:
            yield new
    except OSError as e:
        raise _not_written(copy, e) from e


def _not_written(path: Path, error: Exception) -> WarehouseError:
    if is_full_disk(error, path):
        what, remedy = full_disk(path)
        return WarehouseError(f"{path} was not written: {what}", remedy)
    return WarehouseError(
        f"{path} was not written: {first_line(error)}",
        "check the permissions of the directory, then run it again",
    )


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")
