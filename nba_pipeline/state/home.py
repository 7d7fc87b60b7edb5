"""State in the directory of a home, which processes of one machine share."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from nba_pipeline.common.files import write_atomically
from nba_pipeline.common.sqlite import reading, transaction
from nba_pipeline.state.protocol import DirectoryName, Name, SharedDirectory, StateDatabase, Tables

FILE = "automation.sqlite"
CALLS = "payloads/calls.sqlite"
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
        return FileDatabase(self.home / (CALLS if name == "calls" else FILE), tables)

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
