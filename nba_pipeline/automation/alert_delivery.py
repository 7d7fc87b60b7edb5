"""What each channel still has to be told about the alerts of a home, and what it was told.

A message is composed in one transaction and recorded in a second; between them nothing is locked, since a channel may take as
long as it likes. Each channel has its own record: one that is down gets its messages later, and the others get none twice. While
a message is on its way, the channel is leased, so that a second evaluation does not send it too.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MESSAGES_AN_HOUR = 6
LINES_A_MESSAGE = 25
HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=2)
OPENED, RESOLVED = "opened", "resolved"
TABLES = {
    "deliveries": "channel TEXT, key TEXT, phase TEXT, sent_at TEXT, PRIMARY KEY (channel, key, phase)",
    "channel_messages": "channel TEXT, sent_at TEXT",
    "leases": "channel TEXT PRIMARY KEY, until TEXT",
}


@dataclass(frozen=True)
class Pending:
    """A message for one channel: the alerts that it was not told about, and those that it was told about and that are over."""

    channel: str
    opened: tuple[tuple[str, str], ...]
    resolved: tuple[tuple[str, str], ...]

    def message(self) -> tuple[str, list[str]]:
        """Return the subject and the lines."""
        return message([text for _, text in self.opened], [text for _, text in self.resolved])


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


def take(db: sqlite3.Connection, channel: str, now: datetime) -> Pending | str | None:
    """Lease the channel for its pending message; return the message, why it has to wait, or None where nothing is pending.

    Args:
        db: A transaction on the alert store.
        channel: The name of the channel.
        now: The time of the evaluation.
    """
    opened = db.execute(
        "SELECT key, text FROM alerts WHERE resolved_at IS NULL AND sent_at IS NULL AND key NOT IN "
        "(SELECT key FROM deliveries WHERE channel = ? AND phase = ?) ORDER BY key",
        [channel, OPENED],
    ).fetchall()
    resolved = db.execute(
        "SELECT key, text FROM alerts WHERE resolved_at IS NOT NULL AND resolution_sent_at IS NULL "
        "AND (sent_at IS NOT NULL OR key IN (SELECT key FROM deliveries WHERE channel = ? AND phase = ?)) "
        "AND key NOT IN (SELECT key FROM deliveries WHERE channel = ? AND phase = ?) ORDER BY key",
        [channel, OPENED, channel, RESOLVED],
    ).fetchall()
    if not opened and not resolved:
        return None
    if db.execute("SELECT 1 FROM leases WHERE channel = ? AND until > ?", [channel, now.isoformat()]).fetchone():
        return f"{channel}: a message is on its way"
    since = [channel, (now - HOUR).isoformat()]
    recent = db.execute("SELECT count(*) FROM channel_messages WHERE channel = ? AND sent_at > ?", since).fetchone()[0]
    if recent >= MESSAGES_AN_HOUR:
        return f"{channel}: {recent} messages were sent within the last hour; the others wait"
    db.execute("INSERT INTO channel_messages VALUES (?, ?)", [channel, now.isoformat()])
    db.execute("INSERT OR REPLACE INTO leases VALUES (?, ?)", [channel, (now + LEASE).isoformat()])
    return Pending(channel, tuple(opened), tuple(resolved))


def record(db: sqlite3.Connection, pending: Pending, accepted: bool, channels: Sequence[str], now: datetime) -> None:
    """End the lease, and record what the channel accepted; an alert that all channels know counts as sent.

    A rejected message does not count towards the limit of an hour, so that the channel is tried again at the next evaluation.

    Args:
        db: A transaction on the alert store.
        pending: The message.
        accepted: Whether the channel accepted it.
        channels: The names of all channels.
        now: The time of the evaluation.
    """
    db.execute("DELETE FROM leases WHERE channel = ?", [pending.channel])
    if not accepted:
        this_try = [pending.channel, now.isoformat()]
        db.execute("DELETE FROM channel_messages WHERE channel = ? AND sent_at = ?", this_try)
        return
    stamp = now.isoformat()
    for phase, alerts in ((OPENED, pending.opened), (RESOLVED, pending.resolved)):
        rows = [(pending.channel, key, phase, stamp) for key, _ in alerts]
        db.executemany("INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?)", rows)
    for key, _ in pending.opened:
        if _told(db, key, OPENED).issuperset(channels):
            db.execute("UPDATE alerts SET sent_at = ? WHERE key = ?", [stamp, key])
    for key, _ in pending.resolved:
        all_were_told = db.execute("SELECT sent_at IS NOT NULL FROM alerts WHERE key = ?", [key]).fetchone()[0]
        waiting = (set(channels) if all_were_told else _told(db, key, OPENED)) - _told(db, key, RESOLVED)
        if not waiting:
            db.execute("UPDATE alerts SET resolution_sent_at = ? WHERE key = ?", [stamp, key])


def forget(db: sqlite3.Connection, key: str) -> None:
    """Forget what the channels were told about an alert, since it opens again."""
    db.execute("DELETE FROM deliveries WHERE key = ?", [key])


def _told(db: sqlite3.Connection, key: str, phase: str) -> set[str]:
    rows = db.execute("SELECT channel FROM deliveries WHERE key = ? AND phase = ?", [key, phase])
    return {channel for (channel,) in rows}
