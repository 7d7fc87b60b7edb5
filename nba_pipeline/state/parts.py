"""Append rows to a record in a bucket, in parts, so that a row costs the upload of a small object however long the record is.

`state/calls/2024-11-20-0001.jsonl` is the first part of that day (UTC), a row on each line. A part of PART_BYTES is full, and
the next one is begun. It is written only in place of the generation that it continues, so that of two processes the slower one
adds its rows to those of the faster. The rows of earlier releases are one SQLite file, `state/calls.sqlite`, which is only read.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TypeVar

from nba_pipeline.common import clock
from nba_pipeline.common.bucket import ABSENT, Bucket, Version
from nba_pipeline.common.errors import ArtifactError
from nba_pipeline.common.sqlite import create_missing
from nba_pipeline.state.attempts import repeat
from nba_pipeline.state.mirror import at_once
from nba_pipeline.state.protocol import Row

PART_BYTES = 32 * 1024
WHOLE = ".sqlite"
PART = re.compile(r"/\d{4}-\d{2}-\d{2}-\d{4}\.jsonl")
T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """An object of the record."""

    generation: int
    content: bytes = field(repr=False)


NOTHING = Part(ABSENT, b"")


@dataclass
class ObjectRecord:
    """A record whose rows are in objects below `name` of a bucket.

    Attributes:
        bucket: The bucket.
        name: What the names of its objects begin with, without a slash at the end.
        table: The table that queries read.
        columns: Its column definitions.
    """

    bucket: Bucket
    name: str
    table: str
    columns: str
    _parts: dict[str, Part] = field(default_factory=dict, repr=False)
    _merged: sqlite3.Connection | None = field(default=None, repr=False)

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows as of `StateRecord.append`.

        Raises:
            StateBusyError: Other processes were faster for a minute.
            ArtifactError: An object cannot be read or written.
        """
        lines = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        if lines:
            repeat(lambda: self._try(lines), self.bucket.address(self.name))

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        listed = self._listed(self.name)
        if self._parts.keys() - {v.name for v in listed}:
            self._parts.clear()
            self._discard()
        self._fetch(listed)
        return query(self._database())

    def _listed(self, beginning: str) -> list[Version]:
        """List the objects of the record whose names begin so, in their order."""
        suffixes = ((v, v.name.removeprefix(self.name)) for v in self.bucket.versions(beginning))
        return [v for v, suffix in suffixes if suffix == WHOLE or PART.fullmatch(suffix)]

    def _try(self, lines: bytes) -> None:
        """Add lines to the last part of the day, or begin one. Raises Superseded."""
        day = f"{self.name}/{clock.now():%Y-%m-%d}-"
        last = self._listed(day)[-1:]
        self._fetch(last)
        name = last[0].name if last else f"{day}0001.jsonl"
        part = self._parts.get(name, NOTHING)
        if len(part.content) >= PART_BYTES:
            number = int(name.removeprefix(day).removesuffix(".jsonl")) + 1
            name, part = f"{day}{number:04d}.jsonl", NOTHING
        content = part.content + lines
        self._take(name, Part(self.bucket.replace(name, content, part.generation), content))

    def _fetch(self, listed: Sequence[Version]) -> None:
        """Fetch the parts that were written since they were last."""
        due = {v.name: v for v in listed if v.name not in self._parts or self._parts[v.name].generation != v.generation}
        for name, part in at_once(due, lambda name: self._download(due[name])):
            self._take(name, part)

    def _download(self, version: Version) -> Part:
        """Fetch a part as it is, also where it was continued since it was listed."""
        generation = version.generation
        while (content := self.bucket.read_version(version.name, generation)) is None:
            generation = self.bucket.generation(version.name)
            if generation == ABSENT:
                return NOTHING
        return Part(generation, content)

    def _take(self, name: str, part: Part) -> None:
        """Note a part, and add to the merged rows those that it continues with; what is no continuation is merged anew."""
        before = self._parts.get(name, NOTHING).content
        is_continued = not name.endswith(WHOLE) and part.content.startswith(before)
        if self._merged is not None and is_continued:
            self._merge(self._merged, name, part.content[len(before) :])
        elif part.content != before:
            self._discard()
        self._parts[name] = part

    def _database(self) -> sqlite3.Connection:
        """Return the rows of all parts that were fetched, in memory."""
        if self._merged is None:
            db = sqlite3.connect(":memory:", check_same_thread=False)
            create_missing(db, {self.table: self.columns})
            for name, part in sorted(self._parts.items()):
                self._merge(db, name, part.content)
            self._merged = db
        return self._merged

    def _discard(self) -> None:
        if self._merged is not None:
            self._merged.close()
            self._merged = None

    def _merge(self, db: sqlite3.Connection, name: str, content: bytes) -> None:
        try:
            rows = self._whole(content) if name.endswith(WHOLE) else [json.loads(line) for line in content.splitlines()]
            marks = ", ".join("?" * len(db.execute(f"SELECT * FROM {self.table} LIMIT 0").description))
            db.executemany(f"INSERT INTO {self.table} VALUES ({marks})", rows)
        except (ValueError, sqlite3.Error) as e:
            self._discard()
            raise ArtifactError(
                f"{self.bucket.address(name)} cannot be read: {e}",
                "put an earlier version of the object back, or remove it: what it records is lost then",
            ) from None

    def _whole(self, content: bytes) -> list[Row]:
        """Read the rows of a SQLite file of earlier releases."""
        if not content:
            return []
        with closing(sqlite3.connect(":memory:")) as db:
            db.deserialize(content)
            create_missing(db, {self.table: self.columns})
            return db.execute(f"SELECT * FROM {self.table}").fetchall()
