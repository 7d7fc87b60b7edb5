"""What a store of state must be able to do, wherever it keeps it."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeVar

Name = Literal["alerts", "sources"]
RecordName = Literal["calls"]
DirectoryName = Literal["landing", "payloads"]
Tables = Mapping[str, str]
Row = tuple[str | int | None, ...]
T = TypeVar("T")


class StateDatabase(Protocol):
    """A few small tables that several processes share, also processes on different machines."""

    def update(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Make a change whole or not at all, after all earlier ones, and return its result.

        The change may be called again, on a later state, where another process was faster: it must do nothing but read and
        write the database.
        """
        ...

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of a query, also where nothing may be written; what was never written is empty."""
        ...


class StateRecord(Protocol):
    """A table that several processes add rows to and never change, also processes on different machines."""

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows, all or none."""
        ...

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of a query, also where nothing may be written; what was never written is empty."""
        ...


class SharedDirectory(Protocol):
    """A directory of files that several processes write, also processes on different machines."""

    @property
    def path(self) -> Path:
        """The directory on this machine."""
        ...

    def pull(self) -> bool:
        """Fetch what others wrote; return whether a file changed. Files that were changed here stay."""
        ...

    def push(self) -> bool:
        """Hand out what was changed here; False where others wrote one of these files since: pull, and write it again."""
        ...


class StateStore(Protocol):
    """The state of one home."""

    def database(self, name: Name, tables: Tables) -> StateDatabase:
        """Return a database.

        Args:
            name: What it is about.
            tables: Column definitions by table name; tables that it lacks are created.
        """
        ...

    def record(self, name: RecordName, columns: str) -> StateRecord:
        """Return a record.

        Args:
            name: What it is about, and the name of its table.
            columns: The column definitions of the table.
        """
        ...

    def directory(self, name: DirectoryName) -> SharedDirectory:
        """Return a directory of files."""
        ...

    def declarations(self) -> Path:
        """Return a directory with what is declared now: waivers, aliases, books, lines, and the source of the home."""
        ...

    def declared_at(self, name: str) -> str:
        """Return where an operator finds and changes a declaration: a path, or a gs:// address."""
        ...

    def declare_once(self, name: str, content: bytes) -> None:
        """Write a declaration unless there is one of this name."""
        ...
