"""Atomic replacement of files: readers see the earlier file or the whole new one, also after a crash."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODE = 0o644


@contextmanager
def replacing(path: Path, drafts: Path | None = None, mode: int = MODE) -> Iterator[Path]:
    """Yield a temporary file, which replaces `path` when the block ends without an error.

    Content and rename are flushed to disk, so that they survive a loss of power; the temporary file is removed in any case.

    Args:
        path: The file to replace. Its directory must exist.
        drafts: Directory of the temporary file, on the same file system; None for the directory of `path`.
        mode: Permissions of the new file.

    Raises:
        OSError: The file cannot be written; an earlier file at `path` is unchanged.
    """
    descriptor, name = tempfile.mkstemp(dir=drafts or path.parent, prefix=f".{path.name}.")
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes, drafts: Path | None = None) -> None:
    """Replace the file at `path` by one with this content.

    Args:
        path: The file to replace. Its directory must exist.
        content: Its new content.
        drafts: Directory of the temporary file, as of `replacing`.

    Raises:
        OSError: The file cannot be written; an earlier file at `path` is unchanged.
    """
    with replacing(path, drafts) as temporary:
        temporary.write_bytes(content)


def _sync(directory: Path) -> None:
    """Flush the names of a directory's files."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
