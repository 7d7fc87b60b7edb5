"""Alert store: de-duplicates alerts, sends one opened and one resolved message per channel, rate-limited.

Open alerts are kept in the state of the home, so they survive restarts. An alert counts as sent when every channel has
accepted it. Everything that is new for a channel since its last message goes into one message. See `alert_delivery`.
"""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property

from nba_pipeline.automation import alert_delivery
from nba_pipeline.automation.notifiers import Notifier
from nba_pipeline.common.errors import AlertError
from nba_pipeline.config.settings import Settings
from nba_pipeline.state.protocol import StateDatabase, StateStore

TABLES = {
    "alerts": (
        "key TEXT PRIMARY KEY, kind TEXT, text TEXT, opened_at TEXT, sent_at TEXT, resolved_at TEXT, resolution_sent_at TEXT"
    ),
    "messages": "sent_at TEXT, words TEXT",
    "notes": "name TEXT PRIMARY KEY, value TEXT",
    **alert_delivery.TABLES,
}


class AlertKind(StrEnum):
    """The code of an alert: what kind of condition it reports."""

    FRESHNESS = "freshness"
    REFUSED = "refused"
    GAP = "gap"
    ALARM = "alarm"
    DRIFT = "drift"
    FEATURE = "feature"
    RUN = "run"
    OUTAGE = "outage"
    BOOK = "book"
    PRICE = "price"
    STATE = "state"
    SEASON = "season"
    QUOTED = "quoted"
    LINEUPS = "lineups"


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


OF_A_DAY = frozenset(
    {
        AlertKind.FRESHNESS,
        AlertKind.REFUSED,
        AlertKind.GAP,
        AlertKind.STATE,
        AlertKind.QUOTED,
        AlertKind.LINEUPS,
    }
)


def day_of(alert: Alert | OpenAlert) -> date | None:
    """Return the day that an alert is about, with which its key ends; None where its kind is about no day."""
    return date.fromisoformat(alert.key.split()[-1]) if alert.kind in OF_A_DAY else None


@dataclass(frozen=True)
class Delivery:
    """The result of one evaluation: how many alerts opened and resolved, whether all channels know of them, or why not.

    `undelivered`: some channel lacks a message, which it rejected, or which waits.
    """

    opened: int
    resolved: int
    sent: bool
    why_not: str = ""
    undelivered: bool = False


@dataclass(frozen=True)
class AlertStore:
    """The alerts of one home and the channels that they are sent to."""

    state: StateStore
    channels: Sequence[Notifier] = ()

    def report(self, kinds: Collection[AlertKind], alerts: Sequence[Alert], now: datetime) -> Delivery:
        """Open the alerts that are new, resolve those that no longer hold, and send one message about both to each channel.

        Args:
            kinds: The kinds of alerts that could be evaluated; open alerts of other kinds stay open.
            alerts: All alerts of these kinds that hold now.
            now: The time of the evaluation.
        """
        keys = {a.key for a in alerts}
        opened, resolved = self._database.update(
            lambda db: (sum(_open(db, a, now) for a in alerts), _resolve(db, kinds, keys, now))
        )
        outcomes = [self._deliver(channel, now) for channel in self.channels]
        failures = [o.why_not for o in outcomes if not o.sent and o.why_not]
        sent = any(o.sent for o in outcomes) and not failures
        why_not = "" if sent else "; ".join(failures) or "nothing changed"
        return Delivery(opened, resolved, sent, why_not, undelivered=bool(failures))

    def open_alerts(self) -> list[OpenAlert]:
        """Return the open alerts, oldest first; the home may be one that can only be read."""
        query = (
            "SELECT kind, key, text, opened_at, sent_at FROM alerts WHERE resolved_at IS NULL ORDER BY opened_at, key"
        )
        rows = self._database.read(lambda db: db.execute(query).fetchall())
        return [OpenAlert(AlertKind(kind), *others) for kind, *others in rows]

    def note(self, name: str) -> str:
        """Return the value stored under the name; empty where there is none."""
        query = "SELECT value FROM notes WHERE name = ?"
        row = self._database.read(lambda db: db.execute(query, [name]).fetchone())
        return row[0] if row else ""

    def put_note(self, name: str, value: str) -> None:
        """Store a value under the name."""
        self._database.update(lambda db: db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", [name, value]))

    @cached_property
    def _database(self) -> StateDatabase:
        return self.state.database("alerts", TABLES)

    def _deliver(self, channel: Notifier, now: datetime) -> "_Outcome":
        """Send one channel its pending message."""
        pending = self._database.update(lambda db: alert_delivery.take(db, channel.name, now))
        if pending is None or isinstance(pending, str):
            return _Outcome(False, pending or "")
        why_not = ""
        try:
            channel.send(*pending.message())
        except AlertError as e:
            why_not = f"{channel.name}: {e}"
        accepted, names = not why_not, [c.name for c in self.channels]
        self._database.update(lambda db: alert_delivery.record(db, pending, accepted, names, now))
        return _Outcome(not why_not, why_not)


@dataclass(frozen=True)
class _Outcome:
    """Whether a channel accepted a message; if not, why (empty: nothing was pending)."""

    sent: bool
    why_not: str


def _open(db: sqlite3.Connection, alert: Alert, now: datetime) -> bool:
    """Store an alert; True where it was not open before."""
    row = db.execute("SELECT resolved_at FROM alerts WHERE key = ?", [alert.key]).fetchone()
    if row is not None and row[0] is None:
        change = [alert.text, alert.key, alert.text]
        db.execute("UPDATE alerts SET text = ? WHERE key = ? AND text <> ?", change)
        return False
    db.execute(
        "INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, NULL, NULL, NULL)",
        [alert.key, alert.kind, alert.text, now.isoformat()],
    )
    alert_delivery.forget(db, alert.key)
    return True


def _resolve(db: sqlite3.Connection, kinds: Collection[AlertKind], present: Collection[str], now: datetime) -> int:
    open_now = db.execute("SELECT key, kind FROM alerts WHERE resolved_at IS NULL").fetchall()
    resolved = [key for key, kind in open_now if kind in kinds and key not in present]
    db.executemany("UPDATE alerts SET resolved_at = ? WHERE key = ?", [(now.isoformat(), key) for key in resolved])
    return len(resolved)


def alerts_of(settings: Settings) -> list[dict[str, str]]:
    """Return the open alerts of a home for its pages, oldest first: kind, text and time."""
    alerts = AlertStore(settings.open_state()).open_alerts()
    return [{"kind": str(a.kind), "text": a.text, "opened_at": a.opened_at} for a in alerts]
