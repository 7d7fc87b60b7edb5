"""A season in which twelve games are postponed, three of them for good, run by what automation plans, by a moved clock.

The schedule and the box scores of real weeks are shown as they would have been known: results after the games, a postponed game
under its old day until it moves, three games postponed and cancelled later. Every morning what the sensors plan is published.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba_pipeline.automation import observations
from nba_pipeline.automation.alert_store import AlertKind
from nba_pipeline.automation.sensors import plan_changes, plan_repairs
from nba_pipeline.sources.fingerprints import FingerprintingSource
from nba_pipeline.sources.state_db import SourceState
from tools.reliability.ground import Ground, files_environment, ground, real_data, stretch
from tools.reliability.proof import Proof, Scale, Tally, following
from tools.reliability.schedule_faults import BOXES, OWNERS, TABLES, Row, Rows

TITLE = "A season with postponed games runs by itself to the end"
STRETCH = {"quick": ("2024-01-08", "2024-01-13"), "full": ("2023-10-24", "2024-04-14")}
POSTPONED, CANCELLED = {"quick": 2, "full": 12}, {"quick": 1, "full": 3}
MORNING = time(16)
MOVED_BY = timedelta(days=3)
ANNOUNCED_AFTER, CANCELLED_AFTER = timedelta(days=1), timedelta(days=5)
LASTS = timedelta(hours=3)
WORDS = ("PPD", "Postponed", "postponed (weather)")


@dataclass(frozen=True)
class Postponement:
    """A game that is postponed on `old`, on which it was listed; `new` is the day it is played on, None for never."""

    game_id: str
    old: date
    new: date | None
    words: str


@dataclass
class Weeks:
    """The weeks as they are known at any moment, and what automation made of them."""

    ground: Ground
    data: Path
    days: list[date]
    games: Rows
    boxes: dict[str, Rows]
    moved: dict[str, Postponement]
    alerts: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    def listed(self, game: Row, now: datetime) -> Rows:
        """The rows of a game in the schedule at a moment."""
        over = game["game_datetime_utc"] + LASTS < now
        unplayed = {"home_pts": None, "away_pts": None, "status": None}
        change = self.moved.get(game["game_id"])
        if change is None:
            return [game | {"status": None}] if over else [game | unplayed]
        tip = datetime.combine(change.old, time(17), UTC)
        old = game | unplayed | {"game_date": change.old, "game_datetime_utc": tip}
        if now < tip:
            return [old]
        off = old | {"status": change.words, "game_datetime_utc": None}
        if change.new is None:
            return [off | {"status": "Cancelled"} if now > tip + CANCELLED_AFTER else off]
        if now < tip + ANNOUNCED_AFTER:
            return [off]
        return [off, game | {"status": "Final"} if over else game | unplayed]

    def write(self, now: datetime) -> None:
        """The landing files as they stand at a moment."""
        rows = [row for game in self.games for row in self.listed(game, now)]
        schema = pq.read_schema(self.data / "schedule.parquet").remove_metadata()
        if "status" not in schema.names:
            schema = schema.append(pa.field("status", pa.string()))
        pq.write_table(pa.Table.from_pylist(rows, schema), self.data / "schedule.parquet")
        over = {r["game_id"] for r in rows if r["home_pts"]}
        for feed in BOXES:
            path = self.data / f"{feed}.parquet"
            known = [r for r in self.boxes[feed] if r["game_id"] in over]
            pq.write_table(pa.Table.from_pylist(known, pq.read_schema(path)), path)

    def automate(self, now: datetime) -> None:
        """Publish what the sensors plan, then read the alerts."""
        settings, state = self.ground.settings, SourceState(self.ground.settings.open_state())
        for _ in range(3):
            plans = [p for by in OWNERS for p in plan_changes(settings, by)[0]] + plan_repairs(settings)
            days = sorted({d for p in plans for d in self.days if p.start <= d <= p.end})
            if not days:
                break
            source = FingerprintingSource(self.ground.source)
            done = self.ground.publish(days, TABLES, source=source, at=now)
            bad = {(t, v.day): f"{t} {v.day} at {now}: {v.reason}" for t, p in done.items() for v in p.refused}
            self.refused += bad.values()
            source.record(state, "automation", set(days) - {day for _, day in bad})
        with dg.DagsterInstance.ephemeral() as instance:
            observed = observations.observe_alerts(settings, instance, now)
        kinds = (AlertKind.REFUSED, AlertKind.STATE)
        self.alerts.update(a.key for a in observed.alerts if a.kind in kinds)


def weeks(here: Ground, data: Path, scale: Scale) -> Weeks:
    """The real weeks, with games chosen to be postponed: one every few days, the last ones for good."""
    days = stretch(*STRETCH[scale])
    real, span = real_data(), f"game_date BETWEEN DATE '{days[0]}' AND DATE '{days[-1]}'"
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        for feed in ("schedule", *BOXES):
            db.execute(f"COPY (FROM '{real / feed}.parquet' WHERE {span} ORDER BY ALL) TO '{data / feed}.parquet'")
    games = pq.read_table(data / "schedule.parquet").to_pylist()
    boxes = {feed: pq.read_table(data / f"{feed}.parquet").to_pylist() for feed in BOXES}
    n, never = POSTPONED[scale], CANCELLED[scale]
    late = [g for g in games if g["game_date"] >= days[0] + MOVED_BY + timedelta(days=1)]
    chosen = [late[i * len(late) // n] for i in range(n)]
    moved = {
        g["game_id"]: Postponement(
            g["game_id"], g["game_date"] - MOVED_BY, g["game_date"] if i >= never else None, WORDS[i % len(WORDS)]
        )
        for i, g in enumerate(chosen)
    }
    return Weeks(here, data, days, games, boxes, moved)


def play(found: Weeks) -> None:
    """Every day, and two days after the last."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in files_environment(found.ground.settings.home, found.data).items():
            patch.setenv(name, value)
        clock = [d for d in found.days] + [found.days[-1] + timedelta(days=n) for n in (1, 2)]
        for day in following(clock, len(clock), "days"):
            now = datetime.combine(day, MORNING, UTC)
            patch.setenv("NBA_PIPELINE_NOW", now.isoformat())
            found.write(now)
            if day == found.days[0]:
                found.ground.publish([day], TABLES, at=now)
            found.automate(now)
            found.late += overdue(found, day)


def overdue(found: Weeks, today: date) -> list[str]:
    """Facts of a day with games that are missing on the day after."""
    yesterday = today - timedelta(days=1)
    if yesterday not in {g["game_date"] for g in found.games}:
        return []
    facts = "nba_analytics.player_game_summary"
    entries = found.ground.warehouse.ledger([facts], yesterday, yesterday).to_pylist()
    return [] if any(e["state"] == "published" for e in entries) else [f"{facts} {yesterday} on {today}"]


def proof(found: Weeks) -> Proof:
    tally = Tally()
    with duckdb.connect(str(found.ground.settings.database), read_only=True) as db:
        states = db.execute("SELECT game_id, game_date, status, postponed_to FROM nba_raw.schedule").fetchall()
        facts = set(db.execute("SELECT DISTINCT game_id, game_date FROM nba_analytics.player_game_summary").fetchall())
    by_game: dict[str, dict[date, tuple[str, date | None]]] = {}
    for game, day, status, to in states:
        by_game.setdefault(game, {})[day] = (status, to)
    for game in found.games:
        change, listed = found.moved.get(game["game_id"]), by_game.get(game["game_id"], {})
        expected: dict[date, tuple[str, date | None]] = {}
        if change is not None:
            expected[change.old] = ("postponed", change.new) if change.new else ("cancelled", None)
        if change is None or change.new is not None:
            expected[game["game_date"]] = ("final", None)
        played = {d for i, d in facts if i == game["game_id"]}
        right = listed == expected and played == {d for d, (s, _) in expected.items() if s == "final"}
        tally.case(None if right else f"{game['game_id']}: {listed}, facts on {sorted(played)}; expected {expected}")
    for what in (*found.refused, *found.late):
        tally.case(what)
    for key, times in found.alerts.items():
        tally.case(f"alert {key} held {times} times")
    return tally.proof(
        "postponed and cancelled games block nothing: every day is published on the day after, none is refused, no alert "
        "holds, and each game ends in its state on its day",
        "every morning the landing files as they would have stood, then what the sensors plan; games postponed after that day's "
        "morning, given a new day a day later, or cancelled after five days",
        f"real data {found.days[0]}..{found.days[-1]}, {len(TABLES)} tables from raw data to facts",
        {
            "games": len(found.games),
            "postponed": len(found.moved),
            "never played": sum(c.new is None for c in found.moved.values()),
            "days refused": len(found.refused),
            "alerts": len(found.alerts),
        },
    )


def prove(scale: Scale) -> Sequence[Proof]:
    with TemporaryDirectory(prefix="postponed-") as scratch:
        data = Path(scratch)
        with ground(data) as here:
            found = weeks(here, data, scale)
            play(found)
            return [proof(found)]
