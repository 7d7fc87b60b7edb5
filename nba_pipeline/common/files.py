"""Atomic replacement of files: readers see the earlier file or the whole new one, also after a crash."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODE = 0o644


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside `path`, which replaces `path` when the block ends without an error.

    The content is flushed to disk before the rename; the temporary file is removed in any case. Its directory must exist.

    Raises:
        OSError: The file cannot be written; an earlier file at `path` is unchanged.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(MODE)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the file at `path` by one with this content. Raises OSError; an earlier file is unchanged then."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)
