"""A directory that is a copy of the objects below a name in a bucket.

`.mirror.json` in the directory records what the copy was made from: the generation of each object, size and time of its file. A
file that differs from its record was changed here, and is written to the bucket by `push`.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nba_pipeline.common.bucket import ABSENT, Bucket, Superseded, Version
from nba_pipeline.common.files import replacing, write_atomically
from nba_pipeline.common.locking import file_lock

RECORD = ".mirror.json"
LOCK = ".mirror.lock"
LOCK_SECONDS = 600.0
TRANSFERS = 8


@dataclass(frozen=True)
class Copied:
    """What a file was copied from or to: the generation of the object, and size and time of the file then."""

    generation: int
    size: int
    changed_ns: int

    def is_of(self, path: Path) -> bool:
        """Whether the file is unchanged since."""
        try:
            found = path.stat()
        except FileNotFoundError:
            return False
        return (found.st_size, found.st_mtime_ns) == (self.size, self.changed_ns)


def pull(bucket: Bucket, below: str, directory: Path) -> None:
    """Fetch what was written to the bucket since; a file that was changed here stays unless its object was changed, too.

    Args:
        bucket: The bucket.
        below: What the names of the objects begin with, with a slash at the end.
        directory: The directory; it is made where it is missing.

    Raises:
        ArtifactError: The bucket cannot be read.
        WarehouseBusyError: Another process has been copying for longer than LOCK_SECONDS.
    """
    with _recorded(directory) as copied:
        versions = {n: v for v in bucket.versions(below) if _is_file(n := v.name.removeprefix(below))}
        for name in copied.keys() - versions.keys():
            if copied[name].is_of(directory / name):
                (directory / name).unlink()
            del copied[name]
        due = [n for n, v in versions.items() if _is_due(directory / n, v, copied.get(n))]
        for name, found in _at_once(due, lambda n: _download(bucket, versions[n], directory / n)):
            if found is not None:
                copied[name] = found


def push(bucket: Bucket, below: str, directory: Path) -> list[str]:
    """Write the files that were changed here to the bucket, each only in place of the object that it follows from.

    Args:
        bucket: The bucket.
        below: What the names of the objects begin with, with a slash at the end.
        directory: The directory, as `pull` made it.

    Returns:
        The names of the files whose object another process wrote since: the next `pull` replaces them.

    Raises:
        ArtifactError: The bucket cannot be read or written.
        WarehouseBusyError: Another process has been copying for longer than LOCK_SECONDS.
    """
    with _recorded(directory) as copied:
        changed = [n for n in _files(directory) if n not in copied or not copied[n].is_of(directory / n)]

        def upload(name: str) -> Copied | None:
            generation = copied[name].generation if name in copied else ABSENT
            return _upload(bucket, f"{below}{name}", directory / name, generation)

        superseded = []
        for name, found in _at_once(changed, upload):
            if found is None:
                superseded.append(name)
                copied.pop(name, None)
            else:
                copied[name] = found
        return superseded


@contextmanager
def _recorded(directory: Path) -> Iterator[dict[str, Copied]]:
    """Hold the lock of a directory, and store its record at the end, also of a half that was copied before an error."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / RECORD
    with file_lock(directory / LOCK, exclusive=True, timeout=LOCK_SECONDS):
        stored = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        copied = {name: Copied(*values) for name, values in stored.items()}
        before = dict(copied)
        try:
            yield copied
        finally:
            if copied != before:
                rows = {n: [c.generation, c.size, c.changed_ns] for n, c in sorted(copied.items())}
                write_atomically(path, json.dumps(rows).encode())


def _is_file(name: str) -> bool:
    """Whether the name is that of a file of the directory: no folder, none that is hidden or outside."""
    return all(part and not part.startswith(".") for part in name.split("/"))


def _files(directory: Path) -> list[str]:
    names = (str(PurePosixPath(p.relative_to(directory))) for p in directory.rglob("*") if p.is_file())
    return sorted(n for n in names if _is_file(n))


def _is_due(path: Path, version: Version, copied: Copied | None) -> bool:
    """Whether a file is to be fetched: its object was written since, or the file is gone."""
    return copied is None or copied.generation != version.generation or not path.exists()


def _download(bucket: Bucket, version: Version, path: Path) -> Copied | None:
    """Fetch a file with the time at which its object was written; None where that was replaced meanwhile."""
    content = bucket.read_version(version.name, version.generation)
    if content is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    at = int(version.written.timestamp() * 1_000_000) * 1000
    with replacing(path) as temporary:
        temporary.write_bytes(content)
        os.utime(temporary, ns=(at, at))
    return Copied(version.generation, len(content), at)


def _upload(bucket: Bucket, name: str, path: Path, generation: int) -> Copied | None:
    """Write a file in place of a generation; None where another process was faster with other content."""
    before, content = path.stat(), path.read_bytes()
    try:
        written = bucket.replace(name, content, generation)
    except Superseded:
        current = bucket.generation(name)
        if current == ABSENT or bucket.read_version(name, current) != content:
            return None
        written = current
    return Copied(written, before.st_size, before.st_mtime_ns)


def _at_once(names: Iterable[str], copy: Callable[[str], Copied | None]) -> Iterator[tuple[str, Copied | None]]:
    """Copy several files at a time, and yield each name with what became of it."""
    with ThreadPoolExecutor(TRANSFERS) as pool:
        futures = {name: pool.submit(copy, name) for name in names}
        for name, future in futures.items():
            yield name, future.result()
