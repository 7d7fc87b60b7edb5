"""A directory that is a copy of the objects below a name in a bucket.

`.mirror.json` in the directory records what the copy was made from: the generation of each object, size and time of its file. A
file that differs from its record was changed here, and is written to the bucket by `push`.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from nba_pipeline.common.bucket import ABSENT, Bucket, Superseded, Version
from nba_pipeline.common.files import MODE, write_atomically
from nba_pipeline.common.locking import file_lock

RECORD = ".mirror.json"
LOCK = ".mirror.lock"
INCOMING = ".mirror.incoming"
LOCK_SECONDS = 600.0
TRANSFERS = 8
# In place of the generation of a file whose object another process wrote: the next `pull` fetches that.
SUPERSEDED = -1
T = TypeVar("T")


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


def pull(bucket: Bucket, below: str, directory: Path) -> bool:
    """Fetch what was written to the bucket since; a file that was changed here stays until `push` took it or found it superseded.

    Args:
        bucket: The bucket.
        below: What the names of the objects begin with, with a slash at the end.
        directory: The directory; it is made where it is missing.

    Returns:
        Whether a file of the directory changed.

    Raises:
        ArtifactError: The bucket cannot be read.
        WarehouseBusyError: Another process has been copying for longer than LOCK_SECONDS.
    """
    with _recorded(directory) as copied:
        versions = {n: v for v in bucket.versions(below) if _is_file(n := v.name.removeprefix(below))}
        gone = [n for n in copied if n not in versions]
        for name in gone:
            if copied.pop(name).is_of(directory / name):
                (directory / name).unlink()
        due = [n for n, v in versions.items() if _is_due(directory / n, v, copied.get(n))]
        incoming = directory / INCOMING
        fetched = dict(at_once(due, lambda n: _download(bucket, versions[n], incoming / n)))
        # What was written here while it was fetched stays, too.
        copied |= {
            n: found for n, found in fetched.items() if found and _is_due(directory / n, versions[n], copied.get(n))
        }
        _store(directory, copied)
        _move_in(directory, copied)
        return bool(gone or due)


def push(bucket: Bucket, below: str, directory: Path, first: str = "") -> bool:
    """Write the files that were changed here to the bucket, each only in place of the object that it follows from.

    Args:
        bucket: The bucket.
        below: What the names of the objects begin with, with a slash at the end.
        directory: The directory, as `pull` made it.
        first: The suffix of files that are written before all others; empty where the order is of no account.

    Returns:
        Whether all were written. The next `pull` replaces those whose object another process wrote since.

    Raises:
        ArtifactError: The bucket cannot be read or written.
        WarehouseBusyError: Another process has been copying for longer than LOCK_SECONDS.
    """
    with _recorded(directory) as copied:
        changed = [n for n in _files(directory) if n not in copied or not copied[n].is_of(directory / n)]

        def upload(name: str) -> Copied:
            generation = copied[name].generation if name in copied else ABSENT
            return _upload(bucket, f"{below}{name}", directory / name, generation)

        written = []
        for names in ([n for n in changed if first and n.endswith(first)], changed):
            for name, found in at_once([n for n in names if n not in written], upload):
                copied[name] = found
                written.append(name)
        return all(copied[name].generation != SUPERSEDED for name in written)


@contextmanager
def _recorded(directory: Path) -> Iterator[dict[str, Copied]]:
    """Hold the lock of a directory, and store its record at the end, also of a half that was copied before an error."""
    directory.mkdir(parents=True, exist_ok=True)
    with file_lock(directory / LOCK, exclusive=True, timeout=LOCK_SECONDS):
        path = directory / RECORD
        stored = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        copied = {name: Copied(*values) for name, values in stored.items()}
        _move_in(directory, copied)
        before = dict(copied)
        try:
            yield copied
        finally:
            if copied != before:
                _store(directory, copied)


def _store(directory: Path, copied: Mapping[str, Copied]) -> None:
    rows = {n: [c.generation, c.size, c.changed_ns] for n, c in sorted(copied.items())}
    write_atomically(directory / RECORD, json.dumps(rows).encode())


def _move_in(directory: Path, copied: Mapping[str, Copied]) -> None:
    """Move fetched files to their place, once they are recorded; a process that was killed before left others, which go.

    A file that was fetched and not recorded would count as changed here.
    """
    incoming = directory / INCOMING
    for path in [p for p in incoming.rglob("*") if p.is_file()] if incoming.is_dir() else ():
        name = str(PurePosixPath(path.relative_to(incoming)))
        if name in copied and copied[name].is_of(path):
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            path.replace(directory / name)
        else:
            path.unlink()


def _is_file(name: str) -> bool:
    """Whether the name is that of a file of the directory: no folder, none that is hidden or outside."""
    return all(part and not part.startswith(".") for part in name.split("/"))


def _files(directory: Path) -> list[str]:
    names = (str(PurePosixPath(p.relative_to(directory))) for p in directory.rglob("*") if p.is_file())
    return sorted(n for n in names if _is_file(n))


def _is_due(path: Path, version: Version, copied: Copied | None) -> bool:
    """Whether a file is to be fetched: it is missing, or its object was written since and nothing was changed here."""
    if copied is None or not path.exists():
        return not path.exists()
    return copied.generation != version.generation and copied.is_of(path)


def _download(bucket: Bucket, version: Version, path: Path) -> Copied | None:
    """Fetch a file with the time at which its object was written, also one that was replaced meanwhile; None if it is gone."""
    while (content := bucket.read_version(version.name, version.generation)) is None:
        found = next((v for v in bucket.versions(version.name) if v.name == version.name), None)
        if found is None:
            return None
        version = found
    path.parent.mkdir(parents=True, exist_ok=True)
    at = int(version.written.timestamp() * 1_000_000) * 1000
    path.write_bytes(content)
    path.chmod(MODE)
    os.utime(path, ns=(at, at))
    return Copied(version.generation, len(content), at)


def _upload(bucket: Bucket, name: str, path: Path, generation: int) -> Copied:
    """Write a file in place of a generation; of the generation SUPERSEDED where another process wrote other content."""
    before, content = path.stat(), path.read_bytes()
    try:
        written = bucket.replace(name, content, max(generation, ABSENT))
    except Superseded:
        current = bucket.generation(name)
        is_same = current != ABSENT and bucket.read_version(name, current) == content
        written = current if is_same else SUPERSEDED
    return Copied(written, before.st_size, before.st_mtime_ns)


def at_once(names: Iterable[str], copy: Callable[[str], T]) -> Iterator[tuple[str, T]]:
    """Copy several files at a time, and yield each name with what became of it; after an error, begin with no other."""
    with ThreadPoolExecutor(TRANSFERS) as pool:
        futures = {name: pool.submit(copy, name) for name in names}
        try:
            for name, future in futures.items():
                yield name, future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
