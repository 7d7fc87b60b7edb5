"""Names what the system refuses to write: a full disk, a missing permission, a volume that can only be read."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from nba_pipeline.common.errors import PipelineError

REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# SQLite reports a write-ahead log that cannot grow as an I/O error: then the free bytes of the volume decide.
SQLITE_IO_ERROR = 10
LEAST_BYTES = 1 << 20


def storage_failure(error: BaseException, home: Path) -> PipelineError | None:
    """Return the named error for one that says that something could not be written; None for any other.

    Args:
        error: What a library or the system raised.
        home: The directory of all data.
    """
    if is_full_disk(error, home):
        return PipelineError(*full_disk(home))
    if isinstance(error, OSError) and error.errno in REFUSED and error.filename is not None:
        return PipelineError(
            f"{error.filename}: {error.strerror}", "check the permissions of the directory and its volume"
        )
    # The directories above are made first: one that is absent all the same lies where none can be made, as below /proc.
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        absent, whole = Path(error.filename), home.absolute()
        if absent == whole or absent in whole.parents:
            return PipelineError(
                f"NBA_PIPELINE_HOME {whole}: no directory can be made at {absent}", "name a place for directories"
            )
    return None


def is_full_disk(error: BaseException, path: Path) -> bool:
    """Return whether an error, or one that caused it, says that no space is left.

    Args:
        error: The error.
        path: A file or directory of the volume that was written to.
    """
    return any(_says_full(e, path) for e in _chain(error))


def full_disk(path: Path) -> tuple[str, str]:
    """Return what is wrong where no space is left, and how it is repaired.

    Args:
        path: A file or directory of the volume.
    """
    free = free_bytes(path)
    return (
        f"no space is left on the volume of {path} ({free / 1e6:,.1f} MB free), or the size of files is limited",
        "free some space or move NBA_PIPELINE_HOME to a larger volume, then run the same command again; "
        "what was published stays whole",
    )


def free_bytes(path: Path) -> int:
    """Return the bytes that may still be written to the volume of a path, which need not exist."""
    there = next(p for p in (path, *path.absolute().parents) if p.exists())
    volume = os.statvfs(there)
    return volume.f_bavail * volume.f_frsize


def _says_full(error: BaseException, path: Path) -> bool:
    if isinstance(error, OSError):
        return error.errno in FULL
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return code == sqlite3.SQLITE_FULL or (code == SQLITE_IO_ERROR and free_bytes(path) < LEAST_BYTES)
    # DuckDB and Arrow keep of a failed call of the system only its text.
    return any(os.strerror(code) in str(error) for code in FULL)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
