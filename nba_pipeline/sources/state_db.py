"""Store the state of a home's sources: digests that tables were built from, digests of landed files, outages.

In a home it shares the file `automation.sqlite` with the alert store; each owns its tables.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from nba_pipeline.state.protocol import StateDatabase, StateStore

TABLES = {
    "built": "feed TEXT, day TEXT, digest TEXT, run_id TEXT, PRIMARY KEY (feed, day)",
    "landed": "feed TEXT, day TEXT, digest TEXT, PRIMARY KEY (feed, day)",
    "files": "feed TEXT, path TEXT, signature TEXT, PRIMARY KEY (feed, path)",
    "outages": "kind TEXT PRIMARY KEY, text TEXT, since TEXT",
}


@dataclass(frozen=True)
class SourceState:
    """The state of the sources of one home."""

    state: StateStore

    @cached_property
    def database(self) -> StateDatabase:
        """The tables of this state."""
        return self.state.database("sources", TABLES)

    def record_built(self, run_id: str, digests: Mapping[str, Mapping[date, str]]) -> None:
        """Record what the published tables were built from.

        Args:
            run_id: The run that published the days; empty for days that were adopted without a run.
            digests: Digest of the source's rows by feed and day.
        """
        rows = [(feed, day.isoformat(), d, run_id) for feed, by_day in digests.items() for day, d in by_day.items()]
        self.database.update(lambda db: db.executemany("INSERT OR REPLACE INTO built VALUES (?, ?, ?, ?)", rows))

    def built(self) -> dict[tuple[str, date], tuple[str, str]]:
        """Return, by feed and day, the digest of the rows a table was built from and the run that built it."""
        rows = self.database.read(lambda db: db.execute("SELECT feed, day, digest, run_id FROM built").fetchall())
        return {(feed, date.fromisoformat(day)): (digest, run) for feed, day, digest, run in rows}

    def outages(self) -> dict[str, str]:
        """Return, by kind of data, why the latest fetch failed; kinds that were fetched have no entry."""
        return dict(self.database.read(lambda db: db.execute("SELECT kind, text FROM outages").fetchall()))

    def record_outages(self, requested: Iterable[str], failures: Mapping[str, str], at: datetime) -> None:
        """Record which kinds of data failed to arrive and clear those that arrived.

        Args:
            requested: The kinds of data that were requested.
            failures: Why a kind failed, for those of the requested kinds that did.
            at: When they were requested.
        """
        rows = [(kind, text, at.isoformat()) for kind, text in failures.items()]
        kinds = [(kind,) for kind in requested]

        def change(db: sqlite3.Connection) -> None:
            db.executemany("DELETE FROM outages WHERE kind = ?", kinds)
            db.executemany("INSERT INTO outages VALUES (?, ?, ?)", rows)

        self.database.update(change)
