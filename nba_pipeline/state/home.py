"""State in the directory of a home, which processes of one machine share."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from nba_pipeline.common.files import write_atomically
from nba_pipeline.common.sqlite import reading, transaction
from nba_pipeline.state.protocol import (
    DirectoryName,
    Name,
    RecordName,
    Row,
    SharedDirectory,
    StateDatabase,
    StateRecord,
    Tables,
)

FILE = "automation.sqlite"
PAYLOADS = "payloads"
T = TypeVar("T")


@dataclass(frozen=True)
class FileDatabase:
    """A SQLite file; it and its directory are created on first use."""

    path: Path
    tables: Tables

    def update(self, change: Callable[[sqlite3.Connection], T]) -> T:
        with transaction(self.path, self.tables) as db:
            return change(db)

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        with reading(self.path, self.tables) as db:
            return query(db)


@dataclass(frozen=True)
class FileRecord:
    """A table of a SQLite file that rows are added to."""

    database: FileDatabase
    table: str

    def append(self, rows: Sequence[Row]) -> None:
        if rows:
            statement = f"INSERT INTO {self.table} VALUES ({', '.join('?' * len(rows[0]))})"
            self.database.update(lambda db: db.executemany(statement, rows))

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        return self.database.read(query)


@dataclass(frozen=True)
class LocalDirectory:
    """A directory that is on this machine alone, where there is nothing to fetch or to hand out."""

    path: Path

    def pull(self) -> bool:
        return False

    def push(self) -> bool:
        return True


@dataclass(frozen=True)
class HomeState:
    """The state in a home: a SQLite file for alerts and sources, one for calls beside the stored answers, and the files."""

    home: Path

    def database(self, name: Name, tables: Tables) -> StateDatabase:
        del name  # one file for all
        return FileDatabase(self.home / FILE, tables)

    def record(self, name: RecordName, columns: str) -> StateRecord:
        return FileRecord(FileDatabase(self.home / PAYLOADS / f"{name}.sqlite", {name: columns}), name)

    def directory(self, name: DirectoryName) -> SharedDirectory:
        return LocalDirectory(self.home / name)

    def declarations(self) -> Path:
        return self.home

    def declared_at(self, name: str) -> str:
        return str(self.home / name)

    def declare_once(self, name: str, content: bytes) -> None:
        path = self.home / name
        if not path.exists():
            write_atomically(path, content)
