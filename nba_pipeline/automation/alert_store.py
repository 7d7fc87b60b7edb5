"""Alert store: de-duplicates alerts, sends one opened and one resolved message, rate-limited.

Open alerts are kept in the home's `automation.sqlite`, so they survive restarts. An alert counts as sent only when every channel
has accepted it: a channel that was down gets it later. Everything new since the last message goes into one message.
"""

import sqlite3
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from nba_pipeline.automation.notifiers import Notifier
from nba_pipeline.common.errors import AlertError
from nba_pipeline.common.sqlite import transaction
from nba_pipeline.sources.state_db import FILE

MESSAGES_AN_HOUR = 6
LINES_A_MESSAGE = 25
HOUR = timedelta(hours=1)
TABLES = {
    "alerts": (
        "key TEXT PRIMARY KEY, kind TEXT, text TEXT, opened_at TEXT, sent_at TEXT, resolved_at TEXT, resolution_sent_at TEXT"
    ),
    "messages": "sent_at TEXT, words TEXT",
    "notes": "name TEXT PRIMARY KEY, value TEXT",
}


class AlertKind(StrEnum):
    """The code of an alert: what kind of condition it reports."""

    FRESHNESS = "freshness"
    REFUSED = "refused"
    GAP = "gap"
    ALARM = "alarm"
    RUN = "run"
    OUTAGE = "outage"
    BOOK = "book"
    STATE = "state"
    SEASON = "season"


@dataclass(frozen=True)
class Alert:
    """A condition that needs attention. Alerts with the same `key` are the same condition."""

    kind: AlertKind
    key: str
    text: str


@dataclass(frozen=True)
class OpenAlert:
    """An alert whose condition still holds. `sent_at` is None until a message about it was accepted."""

    kind: AlertKind
    key: str
    text: str
    opened_at: str
    sent_at: str | None


@dataclass(frozen=True)
class Delivery:
    """The result of one evaluation: how many alerts opened and resolved, and whether a message was sent or why not."""

    opened: int
    resolved: int
    sent: bool
    why_not: str = ""


@dataclass(frozen=True)
class AlertStore:
    """The alerts of one home and the channels that they are sent to."""

    home: Path
    channels: Sequence[Notifier] = ()

    def report(self, kinds: Collection[AlertKind], alerts: Sequence[Alert], now: datetime) -> Delivery:
        """Open the alerts that are new, resolve those that no longer hold, and send one message about both.

        Args:
            kinds: The kinds of alerts that could be evaluated; open alerts of other kinds stay open.
            alerts: All alerts of these kinds that hold now.
            now: The time of the evaluation.
        """
        with self._transaction() as db:
            opened = sum(_open(db, a, now) for a in alerts)
            resolved = _resolve(db, kinds, {a.key for a in alerts}, now)
            return self._deliver(db, opened, resolved, now)

    def open_alerts(self) -> list[OpenAlert]:
        """Return the open alerts, oldest first."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT kind, key, text, opened_at, sent_at FROM alerts WHERE resolved_at IS NULL ORDER BY opened_at, key"
            ).fetchall()
        return [OpenAlert(AlertKind(kind), *others) for kind, *others in rows]

    def note(self, name: str) -> str:
        """Return the value stored under the name; empty where there is none."""
        with self._transaction() as db:
            row = db.execute("SELECT value FROM notes WHERE name = ?", [name]).fetchone()
        return row[0] if row else ""

    def put_note(self, name: str, value: str) -> None:
        """Store a value under the name."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", [name, value])

    def _transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return transaction(self.home / FILE, TABLES)

    def _deliver(self, db: sqlite3.Connection, opened: int, resolved: int, now: datetime) -> Delivery:
        new = db.execute(
            "SELECT key, text FROM alerts WHERE sent_at IS NULL AND resolved_at IS NULL ORDER BY key"
        ).fetchall()
        over = db.execute(
            "SELECT key, text FROM alerts WHERE sent_at IS NOT NULL AND resolved_at IS NOT NULL AND resolution_sent_at IS NULL"
        ).fetchall()
        if not new and not over:
            return Delivery(opened, resolved, False, "nothing changed")
        recent = db.execute("SELECT count(*) FROM messages WHERE sent_at > ?", [(now - HOUR).isoformat()]).fetchone()[0]
        if recent >= MESSAGES_AN_HOUR:
            return Delivery(
                opened, resolved, False, f"{recent} messages were sent within the last hour; the others wait"
            )
        subject, lines = message([text for _, text in new], [text for _, text in over])
        failures = []
        for channel in self.channels:
            try:
                channel.send(subject, lines)
            except AlertError as e:
                failures.append(f"{channel.name}: {e.what}")
        db.execute("INSERT INTO messages VALUES (?, ?)", [now.isoformat(), subject])
        if failures:
            return Delivery(opened, resolved, False, "; ".join(failures))
        stamp = now.isoformat()
        db.executemany("UPDATE alerts SET sent_at = ? WHERE key = ?", [(stamp, key) for key, _ in new])
        db.executemany("UPDATE alerts SET resolution_sent_at = ? WHERE key = ?", [(stamp, key) for key, _ in over])
        return Delivery(opened, resolved, True)


def message(opened: Sequence[str], resolved: Sequence[str]) -> tuple[str, list[str]]:
    """Build the subject and the lines of one message, opened alerts first.

    Args:
        opened: Texts of alerts that are new.
        resolved: Texts of alerts that no longer hold.
    """
    lines = [f"OPEN      {text}" for text in opened] + [f"RESOLVED  {text}" for text in resolved]
    counts = [f"{len(opened)} new alert{'s' if len(opened) != 1 else ''}"] if opened else []
    counts += [f"{len(resolved)} resolved"] if resolved else []
    cut = len(lines) - LINES_A_MESSAGE
    more = [f"and {cut} more: nba-pipeline alerts"] if cut > 0 else []
    return f"nba_pipeline: {', '.join(counts)}", [*lines[:LINES_A_MESSAGE], *more]


def _open(db: sqlite3.Connection, alert: Alert, now: datetime) -> bool:
    """Store an alert; True where it was not open before."""
    row = db.execute("SELECT resolved_at FROM alerts WHERE key = ?", [alert.key]).fetchone()
    if row is not None and row[0] is None:
        db.execute("UPDATE alerts SET text = ? WHERE key = ?", [alert.text, alert.key])
        return False
    db.execute(
        "INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, NULL, NULL, NULL)",
        [alert.key, alert.kind, alert.text, now.isoformat()],
    )
    return True


def _resolve(db: sqlite3.Connection, kinds: Collection[AlertKind], present: Collection[str], now: datetime) -> int:
    open_now = db.execute("SELECT key, kind FROM alerts WHERE resolved_at IS NULL").fetchall()
    resolved = [key for key, kind in open_now if kind in kinds and key not in present]
    db.executemany("UPDATE alerts SET resolved_at = ? WHERE key = ?", [(now.isoformat(), key) for key in resolved])
    return len(resolved)
