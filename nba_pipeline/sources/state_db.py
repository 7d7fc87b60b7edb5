"""What automation remembers between ticks and restarts: one small SQLite file in the home, every change one transaction."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

WAIT_SECONDS = 30.0
FILE = "automation.sqlite"

TABLES = """
CREATE TABLE IF NOT EXISTS built (feed TEXT, day TEXT, digest TEXT, run_id TEXT, PRIMARY KEY (feed, day));
CREATE TABLE IF NOT EXISTS landed (feed TEXT, day TEXT, digest TEXT, PRIMARY KEY (feed, day));
CREATE TABLE IF NOT EXISTS files (feed TEXT, path TEXT, signature TEXT, PRIMARY KEY (feed, path));
CREATE TABLE IF NOT EXISTS alerts (
    key TEXT PRIMARY KEY, kind TEXT, text TEXT, opened_at TEXT, sent_at TEXT, resolved_at TEXT, resolution_sent_at TEXT
);
CREATE TABLE IF NOT EXISTS messages (sent_at TEXT, words TEXT);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS outages (kind TEXT PRIMARY KEY, text TEXT, since TEXT);
"""


@dataclass(frozen=True)
class State:
    """The file below `home`; made when it is first used."""

    home: Path

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing. Other processes wait."""
        self.home.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.home / FILE, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'outages'").fetchone():
                db.executescript(TABLES)
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                db.execute("ROLLBACK")
                raise
        finally:
            db.close()

    def remember_built(self, run_id: str, digests: Mapping[str, Mapping[date, str]]) -> None:
        """These days of these feeds are what their tables now hold."""
        rows = [(feed, day.isoformat(), d, run_id) for feed, by_day in digests.items() for day, d in by_day.items()]
        with self.changing() as db:
            db.executemany("INSERT OR REPLACE INTO built VALUES (?, ?, ?, ?)", rows)

    def built(self) -> dict[tuple[str, date], tuple[str, str]]:
        """Feed and day -> digest of the rows that the table was built of, and the run that did."""
        with self.changing() as db:
            found = db.execute("SELECT feed, day, digest, run_id FROM built").fetchall()
        return {(feed, date.fromisoformat(day)): (digest, run) for feed, day, digest, run in found}

    def note(self, name: str) -> str:
        """What was noted under the name; empty where nothing was."""
        with self.changing() as db:
            found = db.execute("SELECT value FROM notes WHERE name = ?", [name]).fetchone()
        return found[0] if found else ""

    def put_note(self, name: str, value: str) -> None:
        with self.changing() as db:
            db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", [name, value])

    def outages(self) -> dict[str, str]:
        """What was asked for and did not come, by kind of data, when it was last asked for."""
        with self.changing() as db:
            return dict(db.execute("SELECT kind, text FROM outages").fetchall())

    def remember_outages(self, asked: Iterable[str], failed: Mapping[str, str], at: datetime) -> None:
        """Of the kinds that were asked for, these failed; the others came."""
        with self.changing() as db:
            db.executemany("DELETE FROM outages WHERE kind = ?", [(k,) for k in asked])
            db.executemany("INSERT INTO outages VALUES (?, ?, ?)", [(k, t, at.isoformat()) for k, t in failed.items()])
