"""The schedule itself removed and distorted: no day is emptied by it, and every fault is reported.

A season of schedule and box scores is published once. Every trial changes the schedule around one day, publishes the day again
or as if for the first time, and holds what is reported against the change: by the command line in half of the trials, by the
alerts of automation at noon of the next day in the others.
"""

import random
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from nba_pipeline.automation import observations
from nba_pipeline.automation.alert_store import AlertKind
from nba_pipeline.automation.game_slate import believed_slate
from nba_pipeline.automation.reconcile import Owner
from nba_pipeline.automation.sensors import plan_changes
from nba_pipeline.cli.main import main
from nba_pipeline.common.errors import SourceError
from nba_pipeline.domain.calendar import COUNTABLE_PREFIXES
from nba_pipeline.engine.publish import Publication
from nba_pipeline.sources.fingerprints import FingerprintingSource
from nba_pipeline.sources.state_db import SourceState
from nba_pipeline.tables.catalog import find_table
from tools.reliability.fuzz import FACTS
from tools.reliability.ground import RAW, Ground, differing, files_environment, ground, real_data, stretch
from tools.reliability.proof import Proof, Scale, Tally, following, stage

TITLE = "The schedule held to account: removed or distorted, it empties no day, and every fault is reported"
STRETCH = {"quick": ("2024-01-08", "2024-01-21"), "full": ("2023-10-24", "2024-04-14")}
TRIALS = {"quick": 15, "full": 60}
SEED = 23
TABLES = (*RAW, *FACTS)
BOXES = ("player_boxscores", "team_boxscores")
REPORTING = (AlertKind.REFUSED, AlertKind.STATE, AlertKind.SEASON, AlertKind.OUTAGE)
OWNERS: tuple[Owner, ...] = ("landing", "corrections")
EASTERN_NOON = time(17)
Row = dict[str, Any]
Rows = list[Row]
Fault = Callable[[Rows, date, random.Random], Rows]


def _countable(row: Row) -> bool:
    return row["game_id"].startswith(COUNTABLE_PREFIXES)


def _one(rows: Rows, day: date, generator: random.Random) -> str:
    return generator.choice(sorted(r["game_id"] for r in rows if r["game_date"] == day and _countable(r)))


def _changed(rows: Rows, game: str, **more: Any) -> Rows:
    return [r | more if r["game_id"] == game else r for r in rows]


def a_game_removed(rows: Rows, day: date, generator: random.Random) -> Rows:
    game = _one(rows, day, generator)
    return [r for r in rows if r["game_id"] != game]


def a_day_removed(rows: Rows, day: date, _: random.Random) -> Rows:
    return [r for r in rows if r["game_date"] != day]


def everything_removed(_: Rows, __: date, ___: random.Random) -> Rows:
    return []


def from_before_the_games(rows: Rows, day: date, _: random.Random) -> Rows:
    return [r | {"home_pts": None, "away_pts": None} if r["game_date"] >= day else r for r in rows]


def ends_the_day_before(rows: Rows, day: date, _: random.Random) -> Rows:
    return [r for r in rows if r["game_date"] < day]


def ids_as_numbers(rows: Rows, _: date, __: random.Random) -> Rows:
    return [r | {"game_id": str(int(r["game_id"]))} for r in rows]


def an_id_as_a_number(rows: Rows, day: date, generator: random.Random) -> Rows:
    game = _one(rows, day, generator)
    return _changed(rows, game, game_id=str(int(game)))


def an_unknown_team(rows: Rows, day: date, generator: random.Random) -> Rows:
    return _changed(rows, _one(rows, day, generator), home_team="XYZ")


def a_team_lost(rows: Rows, day: date, generator: random.Random) -> Rows:
    return _changed(rows, _one(rows, day, generator), away_team=None)


def dates_of_utc(rows: Rows, _: date, __: random.Random) -> Rows:
    tips = [(r, r["game_datetime_utc"]) for r in rows]
    return [r | {"game_date": tip.astimezone(UTC).date()} if tip else r for r, tip in tips]


def a_copy_with_another_score(rows: Rows, day: date, generator: random.Random) -> Rows:
    game = _one(rows, day, generator)
    return [*rows, *(r | {"home_pts": r["home_pts"] + 1} for r in rows if r["game_id"] == game)]


def a_copy_on_another_day(rows: Rows, day: date, generator: random.Random) -> Rows:
    game = _one(rows, day, generator)
    later = {"game_date": day + timedelta(days=1), "game_datetime_utc": None}
    return [*rows, *(r | later for r in rows if r["game_id"] == game)]


def an_unknown_state(rows: Rows, day: date, generator: random.Random) -> Rows:
    return _changed(rows, _one(rows, day, generator), status="Moved", home_pts=None, away_pts=None)


def a_played_game_called_postponed(rows: Rows, day: date, generator: random.Random) -> Rows:
    return _changed(rows, _one(rows, day, generator), status="Postponed", home_pts=None, away_pts=None)


def dates_lost(rows: Rows, _: date, __: random.Random) -> Rows:
    return [r | {"game_date": None} for r in rows]


FAULTS: Sequence[Fault] = (
    *(a_game_removed, a_day_removed, everything_removed, from_before_the_games, ends_the_day_before, ids_as_numbers),
    *(an_id_as_a_number, an_unknown_team, a_team_lost, dates_of_utc, a_copy_with_another_score, a_copy_on_another_day),
    *(an_unknown_state, a_played_game_called_postponed, dates_lost),
)


@dataclass(frozen=True)
class Season:
    """A published season, its clean schedule and the directory of its landing files."""

    ground: Ground
    data: Path
    rows: Rows
    days: list[date]
    template: Path

    @property
    def schema(self) -> pa.Schema:
        """That of the real file, with the words that the layout has besides."""
        schema = pq.read_schema(self.template / "schedule.parquet").remove_metadata()
        return schema if "status" in schema.names else schema.append(pa.field("status", pa.string()))

    def with_schedule(self, rows: Rows) -> None:
        pq.write_table(pa.Table.from_pylist(rows, self.schema), self.data / "schedule.parquet")

    def restore(self) -> None:
        shutil.copy(self.template / "nba.duckdb", self.ground.settings.database)
        shutil.copy(self.template / "schedule.parquet", self.data / "schedule.parquet")

    def forget(self, day: date) -> None:
        """Take a day out of all tables and the ledger."""
        with duckdb.connect(str(self.ground.settings.database)) as db:
            for table in TABLES:
                db.execute(f"DELETE FROM {table} WHERE {find_table(table).partition} = DATE '{day}'")
            db.execute(f"DELETE FROM nba_ops.ledger WHERE day = DATE '{day}'")

    def publish(self, days: Sequence[date], at: datetime) -> dict[str, Publication]:
        """Publish as the assets do, with the digests of what was read."""
        source = FingerprintingSource(self.ground.source)
        done = self.ground.publish(days, TABLES, source=source, at=at)
        good = set(days).intersection(*({v.day for v in p.verdicts if v.published} for p in done.values()))
        source.record(SourceState(self.ground.settings.open_state()), "reliability", good)
        return done


def season(here: Ground, data: Path, scratch: Path, days: list[date]) -> Season:
    """Publish the schedule and the box scores of a stretch of real days."""
    real = real_data()
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        for feed in ("schedule", *BOXES):
            span = f"game_date BETWEEN DATE '{days[0]}' AND DATE '{days[-1]}'"
            db.execute(f"COPY (FROM '{real / feed}.parquet' WHERE {span}) TO '{data / feed}.parquet'")
    template = scratch / "template"
    template.mkdir()
    shutil.copy(data / "schedule.parquet", template)
    rows = pq.read_table(data / "schedule.parquet").to_pylist()
    found = Season(here, data, rows, days, template)
    said = {v.day: v.reason for p in found.publish(days, _noon_after(days[-1])).values() for v in p.refused}
    assert not said, said
    shutil.copy(here.settings.database, template / "nba.duckdb")
    return found


def _noon_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), EASTERN_NOON, UTC)


def by_command_line(here: Season, day: date) -> str:
    """What `status` and `check` report of the day after it was published from the faulty schedule; empty: nothing."""
    here.publish([day], _noon_after(day))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in files_environment(here.ground.settings.home, here.data).items():
            patch.setenv(name, value)
        patch.setenv("NBA_PIPELINE_NOW", _noon_after(day).isoformat())
        done = CliRunner().invoke(main, ["check", str(day), str(day)], catch_exceptions=False)
    lines = [line for line in done.output.splitlines() if line.startswith(("PROBLEM", "CANNOT RUN"))]
    assert bool(lines) == bool(done.exit_code), done.output
    return "; ".join(lines)


def by_automation(here: Season, day: date) -> str:
    """What the alerts report at noon of the next day, after automation ran what it planned; empty: nothing."""
    now = _noon_after(day)
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        for name, value in files_environment(here.ground.settings.home, here.data).items():
            patch.setenv(name, value)
        patch.setenv("NBA_PIPELINE_NOW", now.isoformat())
        try:
            believed_slate(here.ground.source, [day], {day: 1})
            planned = [p for by in OWNERS for p in plan_changes(here.ground.settings, by)[0]]
        except SourceError as e:
            return f"schedules and sensors skip: {e.what}"
        near = [day + timedelta(days=n) for n in (-1, 0, 1)]
        runs = [d for d in near if d in here.days and any(p.start <= d <= p.end for p in planned)]
        if not runs:
            return ""
        here.publish(runs, now)
        observed = observations.observe_alerts(here.ground.settings, instance, now)
    return "; ".join(a.text for a in observed.alerts if a.kind in REPORTING)


def trial(here: Season, fault: Fault, day: date, generator: random.Random, *, automated: bool) -> tuple[str, list[str]]:
    """(what was reported of the fault, table-days that lost rows or did not heal)."""
    before = here.ground.contents(day, day, TABLES)
    if not automated and generator.random() < 0.5:
        here.forget(day)
        before = {}
    here.with_schedule(fault(here.rows, day, generator))
    said = (by_automation if automated else by_command_line)(here, day)
    after = here.ground.contents(day, day, TABLES)
    wrong = [f"emptied: {t} {d}" for (t, d), (rows, _) in before.items() if after.get((t, d), (0, ""))[0] < rows]
    shutil.copy(here.template / "schedule.parquet", here.data / "schedule.parquet")
    here.publish([d for d in (day, day + timedelta(days=1)) if d in here.days], _noon_after(day))
    clean = here.ground.contents(day, day, TABLES)
    here.restore()
    return said, wrong + [f"not healed: {d}" for d in differing(clean, here.ground.contents(day, day, TABLES))]


def distortions(here: Season, trials: int) -> Proof:
    tally, generator = Tally(), random.Random(SEED)
    tried: Counter[str] = Counter()
    finals = sorted({r["game_date"] for r in here.rows if _countable(r) and r["home_pts"]})[:-1]
    for n in following(range(trials), trials, "distortions"):
        fault, automated = FAULTS[n % len(FAULTS)], (n + n // len(FAULTS)) % 2 == 1
        day = generator.choice(finals)
        route = "automation" if automated else "command line"
        said, wrong = trial(here, fault, day, generator, automated=automated)
        tried[route] += 1
        name = f"{fault.__name__.replace('_', ' ')} on {day} by {route}"
        failure = "; ".join([*([] if said else ["not reported"]), *wrong[:5]])
        tally.case(f"{name}: {failure}" if failure else None)
    return tally.proof(
        "a schedule that is removed or distorted empties no day, and is reported by the command line and by automation",
        f"{len(FAULTS)} kinds of fault (games, days or all removed, results or dates or teams lost, ids as numbers, "
        "UTC dates, copies, unknown words), each on a random day that is published again or for the "
        "first time; `check`, or what automation runs and its alerts say at noon of the next day by a moved clock; then healed",
        f"real data {here.days[0]}..{here.days[-1]}, {len(TABLES)} tables from raw data to facts",
        dict(tried),
    )


def prove(scale: Scale) -> list[Proof]:
    days = stretch(*STRETCH[scale])
    with TemporaryDirectory(prefix="schedule-") as scratch:
        data = Path(scratch) / "data"
        data.mkdir()
        with ground(data) as here:
            with stage("the season, published"):
                found = season(here, data, Path(scratch), days)
            return [distortions(found, TRIALS[scale])]
