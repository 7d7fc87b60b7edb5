"""The alert desk: says a thing once, and once more when it is over; remembers across restarts; never floods.

What is open is kept in the home's `automation.sqlite`. An alert counts as said only when every channel has taken it, so a
channel that was down gets it later. All that is new since the last message goes into one message.
"""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nba_pipeline.automation.notifiers import Notifier
from nba_pipeline.common.errors import AlertError
from nba_pipeline.sources.state_db import State

MESSAGES_AN_HOUR = 6
LINES_A_MESSAGE = 25
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Alert:
    """Something that somebody has to look at. The same `key` is the same thing."""

    kind: str
    key: str
    text: str


@dataclass(frozen=True)
class OpenAlert:
    """An alert that is not over. `sent_at` is None while no message about it was taken."""

    kind: str
    key: str
    text: str
    opened_at: str
    sent_at: str | None


@dataclass(frozen=True)
class Delivery:
    """What became of an evaluation: alerts that opened and closed, and whether a message went out; else why not."""

    opened: int
    resolved: int
    sent: bool
    why_not: str = ""


@dataclass(frozen=True)
class Desk:
    """The desk of one home."""

    state: State
    channels: Sequence[Notifier]

    def report(self, kinds: Collection[str], present: Sequence[Alert], now: datetime) -> Delivery:
        """The alerts of these kinds that hold now; those of these kinds that do not hold any more are resolved."""
        with self.state.changing() as db:
            opened = sum(_open(db, a, now) for a in present)
            resolved = _resolve(db, kinds, {a.key for a in present}, now)
            return self._deliver(db, opened, resolved, now)

    def open_alerts(self) -> list[OpenAlert]:
        with self.state.changing() as db:
            rows = db.execute(
                "SELECT kind, key, text, opened_at, sent_at FROM alerts WHERE resolved_at IS NULL ORDER BY opened_at, key"
            )
            return [OpenAlert(*row) for row in rows.fetchall()]

    def _deliver(self, db: sqlite3.Connection, opened: int, resolved: int, now: datetime) -> Delivery:
        new = db.execute(
            "SELECT key, text FROM alerts WHERE sent_at IS NULL AND resolved_at IS NULL ORDER BY key"
        ).fetchall()
        over = db.execute(
            "SELECT key, text FROM alerts WHERE sent_at IS NOT NULL AND resolved_at IS NOT NULL AND resolution_sent_at IS NULL"
        ).fetchall()
        if not new and not over:
            return Delivery(opened, resolved, False, "nothing new")
        recent = db.execute("SELECT count(*) FROM messages WHERE sent_at > ?", [(now - HOUR).isoformat()]).fetchone()[0]
        if recent >= MESSAGES_AN_HOUR:
            return Delivery(opened, resolved, False, f"{recent} messages went out within an hour; the rest waits")
        subject, lines = message([t for _, t in new], [t for _, t in over])
        failed = []
        for channel in self.channels:
            try:
                channel.send(subject, lines)
            except AlertError as e:
                failed.append(f"{channel.name}: {e.what}")
        db.execute("INSERT INTO messages VALUES (?, ?)", [now.isoformat(), subject])
        if failed:
            return Delivery(opened, resolved, False, "; ".join(failed))
        stamp = now.isoformat()
        db.executemany("UPDATE alerts SET sent_at = ? WHERE key = ?", [(stamp, key) for key, _ in new])
        db.executemany("UPDATE alerts SET resolution_sent_at = ? WHERE key = ?", [(stamp, key) for key, _ in over])
        return Delivery(opened, resolved, True)


def message(new: Sequence[str], over: Sequence[str]) -> tuple[str, list[str]]:
    """Subject and lines of one message: what opened first, then what is over."""
    said = [f"OPEN      {t}" for t in new] + [f"RESOLVED  {t}" for t in over]
    counts = [f"{len(new)} new alert{'s' if len(new) != 1 else ''}"] if new else []
    counts += [f"{len(over)} resolved"] if over else []
    rest = len(said) - LINES_A_MESSAGE
    more = [f"and {rest} more: nba-pipeline alerts"] if rest > 0 else []
    return f"nba_pipeline: {', '.join(counts)}", [*said[:LINES_A_MESSAGE], *more]


def _open(db: sqlite3.Connection, alert: Alert, now: datetime) -> bool:
    known = db.execute("SELECT resolved_at FROM alerts WHERE key = ?", [alert.key]).fetchone()
    if known is not None and known[0] is None:
        db.execute("UPDATE alerts SET text = ? WHERE key = ?", [alert.text, alert.key])
        return False
    db.execute(
        "INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, NULL, NULL, NULL)",
        [alert.key, alert.kind, alert.text, now.isoformat()],
    )
    return True


def _resolve(db: sqlite3.Connection, kinds: Collection[str], present: Collection[str], now: datetime) -> int:
    open_now = db.execute("SELECT key, kind FROM alerts WHERE resolved_at IS NULL").fetchall()
    gone = [key for key, kind in open_now if kind in kinds and key not in present]
    db.executemany("UPDATE alerts SET resolved_at = ? WHERE key = ?", [(now.isoformat(), key) for key in gone])
    return len(gone)
