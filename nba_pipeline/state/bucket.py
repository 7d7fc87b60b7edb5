"""State in a bucket, which processes on different machines share: pods that lose their disk lose none of it.

An object is replaced only if it still has the generation that the new content follows from. Whoever was slower reads it again
and repeats the change, so that no change is lost.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from nba_pipeline.common.bucket import ABSENT, Bucket, Superseded
from nba_pipeline.common.sqlite import create_missing
from nba_pipeline.state.attempts import repeat
from nba_pipeline.state.mirror import pull, push
from nba_pipeline.state.parts import ObjectRecord
from nba_pipeline.state.protocol import (
    DirectoryName,
    Name,
    RecordName,
    SharedDirectory,
    StateDatabase,
    StateRecord,
    Tables,
)

STATE = "state"
DECLARATIONS = f"{STATE}/declarations/"
# What stands beside a stored answer and is read with it: it must be there first.
SIDECAR = ".meta.json"
T = TypeVar("T")


@dataclass
class ObjectDatabase:
    """A SQLite database that is one object of a bucket; unchanged since the last look, it is not fetched again."""

    bucket: Bucket
    name: str
    tables: Tables
    _generation: int = ABSENT
    _content: bytes = field(default=b"", repr=False)

    def update(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Make a change as of `StateDatabase.update`.

        Raises:
            StateBusyError: Other processes were faster for a minute.
            ArtifactError: The object cannot be read or written.
        """
        return repeat(lambda: self._try(change), self.bucket.address(self.name))

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        db = self._open()
        try:
            return query(db)
        finally:
            db.close()

    def _try(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Make a change on a copy, and put it in place of what it was copied from. Raises Superseded."""
        db = self._open()
        try:
            before = db.total_changes
            result = change(db)
            if db.total_changes == before:
                return result
            db.commit()
            content = db.serialize()
        finally:
            db.close()
        self._generation, self._content = self.bucket.replace(self.name, content, self._generation), content
        return result

    def _open(self) -> sqlite3.Connection:
        """Open a copy of the database as it is now, in memory."""
        self._refresh()
        db = sqlite3.connect(":memory:")
        if self._content:
            db.deserialize(self._content)
        create_missing(db, self.tables)
        return db

    def _refresh(self) -> None:
        while (generation := self.bucket.generation(self.name)) != self._generation:
            content = b"" if generation == ABSENT else self.bucket.read_version(self.name, generation)
            if content is not None:
                self._generation, self._content = generation, content


@dataclass(frozen=True)
class MirroredDirectory:
    """A directory that is a copy of the objects below a name of the bucket. `first`: as of `push`."""

    path: Path
    bucket: Bucket
    below: str
    first: str

    def pull(self) -> bool:
        return pull(self.bucket, self.below, self.path)

    def push(self) -> bool:
        return push(self.bucket, self.below, self.path, self.first)


@dataclass(frozen=True)
class BucketState:
    """The state below a bucket's prefix: databases, records and declarations below `state/`, and directories by their names.

    `home`: where this machine keeps its copies of files.
    """

    bucket: Bucket
    home: Path

    def database(self, name: Name, tables: Tables) -> StateDatabase:
        return ObjectDatabase(self.bucket, f"{STATE}/{name}.sqlite", tables)

    def record(self, name: RecordName, columns: str) -> StateRecord:
        return ObjectRecord(self.bucket, f"{STATE}/{name}", name, columns)

    def directory(self, name: DirectoryName) -> SharedDirectory:
        return MirroredDirectory(self.home / name, self.bucket, f"{name}/", SIDECAR)

    def declarations(self) -> Path:
        directory = self.home / "declarations"
        pull(self.bucket, DECLARATIONS, directory)
        return directory

    def declared_at(self, name: str) -> str:
        return self.bucket.address(f"{DECLARATIONS}{name}")

    def declare_once(self, name: str, content: bytes) -> None:
        location = f"{DECLARATIONS}{name}"
        if self.bucket.generation(location) == ABSENT:
            try:
                self.bucket.replace(location, content, ABSENT)
            except Superseded:
                return
