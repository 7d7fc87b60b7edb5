"""State in the directory of a home, which processes of one machine share."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from nba_pipeline.common.files import write_atomically
from nba_pipeline.common.sqlite import reading, transaction
from nba_pipeline.state.protocol import Name, StateDatabase, Tables

FILE = "automation.sqlite"
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
class HomeState:
    """The state in a home: one SQLite file with the tables of all, and the declarations beside it."""

    home: Path

    def database(self, name: Name, tables: Tables) -> StateDatabase:
        del name  # one file holds the tables of all
        return FileDatabase(self.home / FILE, tables)

    def declarations(self) -> Path:
        return self.home

    def declared_at(self, name: str) -> str:
        return str(self.home / name)

    def declare_once(self, name: str, content: bytes) -> None:
        path = self.home / name
        if not path.exists():
            write_atomically(path, content)
