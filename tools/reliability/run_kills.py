"""Whole backfills killed by SIGKILL, recorded in Dagster's storage as always, until they complete by `--missing`."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg
import sqlalchemy.event
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from sqlalchemy.engine import Engine

from nba_pipeline.cli.backfill import load_definitions, run_backfill
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import EPOCH, days_between
from nba_pipeline.orchestration.instance import prepare
from nba_pipeline.tables.catalog import graph_order
from nba_pipeline_tests.support.homes import check_statuses, partitions
from tools.reliability.ground import Contents, Ground, differing, files_environment, real_data
from tools.reliability.processes import forked, killed, reaped
from tools.reliability.proof import Proof, Scale, Tally, following, stage
from tools.reliability.versions import with_upstream

TITLE = "All or nothing: repeatedly killed backfills end with the hashes of an uninterrupted one"
SEED = 20211019
INVENTED = (date(2021, 10, 19), date(2021, 10, 24))
SMALL = with_upstream("nba_analytics.player_game_summary")
REAL = (date(2023, 10, 24), date(2023, 12, 31))
CHAINS = {"quick": 1, "full": 12}
SOONEST, LATEST, LATER = 0.5, 6.0, 1.5
TORN = """
    SELECT 'a verdict without its event' FROM asset_check_executions WHERE evaluation_event_storage_id IS NOT NULL
        AND evaluation_event_storage_id NOT IN (SELECT id FROM event_logs)
    UNION ALL SELECT 'an event without its verdict' FROM event_logs WHERE dagster_event_type = 'ASSET_CHECK_EVALUATION'
        AND id NOT IN (SELECT evaluation_event_storage_id FROM asset_check_executions)
    UNION ALL SELECT 'a materialization of an asset that is not listed' FROM event_logs
        WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND asset_key NOT IN (SELECT asset_key FROM asset_keys)"""


@dataclass(frozen=True)
class Backfill:
    """A backfill in a home, run by children; the home's files tell how far it came."""

    home: Path
    start: date
    end: date
    select: tuple[str, ...]
    variables: dict[str, str]

    @property
    def ground(self) -> Ground:
        return Ground(Settings.from_environment(self.environment))

    @property
    def environment(self) -> dict[str, str]:
        return {"NBA_PIPELINE_HOME": str(self.home), **self.variables}

    @property
    def tables(self) -> list[str]:
        return [t for t in graph_order() if not self.select or {t, *t.split(".")} & set(self.select)]

    def here(self) -> None:
        """Make this process one that works on the home."""
        for name in [n for n in os.environ if n.startswith(("NBA_PIPELINE_", "DAGSTER_HOME"))]:
            del os.environ[name]
        os.environ.update(self.environment)
        log = os.open(self.home.parent / "said.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)

    def run(self, *, die_at: int = 0) -> None:
        """Run what is missing; die at that statement on Dagster's storage. Raises AssertionError when it fails."""
        self.here()
        if die_at:
            _die_at_statement(die_at)
        assert run_backfill(self.start, self.end, self.select, missing=True)

    def said(self) -> str:
        return (self.home.parent / "said.log").read_text()[-1500:]

    def contents(self) -> Contents:
        """What the tables hold in the range."""
        return self.ground.contents(self.start, self.end, self.tables)

    def recorded(self) -> Contents:
        """What the ledger says that the tables hold, the history before the range with it."""
        entries = self.ground.warehouse.ledger(self.tables).to_pylist()
        return {(e["table_id"], e["day"]): (e["rows"], e["content_hash"]) for e in entries if e["rows"]}

    def published(self) -> dict[str, set[date]]:
        """The days that the ledger calls published, the history with them, by table."""
        entries = self.ground.warehouse.ledger(self.tables).to_pylist()
        return {t: {e["day"] for e in entries if (e["table_id"], e["state"]) == (t, "published")} for t in self.tables}

    def everything(self) -> Contents:
        """What the tables hold on all days."""
        return self.ground.contents(EPOCH, self.end, self.tables)


def prove(scale: Scale) -> list[Proof]:
    """Kill small backfills at statements and moments; at full scale, a real one by its command line every few seconds."""
    load_definitions()
    proofs = [_small(CHAINS[scale])]
    if scale == "full":
        proofs.append(_real())
    return proofs


def _small(chains: int) -> Proof:
    tally, outcomes, chance = Tally(), Counter[str](), random.Random(SEED)
    with TemporaryDirectory(prefix="reliability-") as scratch:
        alone = _invented(Path(scratch) / "alone")
        began = time.monotonic()
        _done(alone, alone.run)
        usual, wanted, statements = time.monotonic() - began, alone.everything(), _statements(alone)
        for number in following(range(chains), chains, "chains of killed backfills"):
            backfill = _invented(Path(scratch) / f"chain{number}")
            for attempt in range(12):
                die_at = chance.randrange(1, statements) if attempt % 2 else 0
                child = forked(lambda b=backfill, n=die_at: b.run(die_at=n))
                if not die_at:
                    time.sleep(chance.uniform(0.1, usual))
                died = killed(reaped(child, None if die_at else signal.SIGKILL))
                outcomes["at a statement" if die_at else "at a moment"] += died
                if not died:
                    break
                tally.case(_wrong_after_kill(backfill, wanted))
            tally.case(_wrong_at_the_end(backfill, wanted))
    figures = {"kills": outcomes.total(), **outcomes, "chains": chains}
    return tally.proof(
        "a backfill killed while it computes, publishes or records leaves complete days and complete batches of events; "
        "`--missing` ends the dead run, frees its slots and completes to the same hashes, with every day and check recorded",
        "SIGKILL at random statements on Dagster's storage and at random times, until `backfill --missing` completes",
        f"invented league, {INVENTED[0]}..{INVENTED[1]}, {len(SMALL)} tables",
        figures,
    )


def _invented(place: Path) -> Backfill:
    place.mkdir()
    return Backfill(place / "home", *INVENTED, SMALL, {})


def _done(backfill: Backfill, work: Callable[[], object]) -> None:
    status = reaped(forked(work))
    if status:
        raise AssertionError(backfill.said())


def _statements(backfill: Backfill) -> int:
    """How many statements on Dagster's storage a whole backfill takes."""
    counted = backfill.home.parent / "counted"

    def work() -> None:
        counter = [0]
        sqlalchemy.event.listen(Engine, "before_cursor_execute", lambda *_: counter.__setitem__(0, counter[0] + 1))
        again = Backfill(backfill.home.parent / "again", *INVENTED, SMALL, {})
        again.run()
        counted.write_text(str(counter[0]))

    _done(backfill, work)
    return int(counted.read_text())


def _die_at_statement(number: int) -> None:
    counter = [0]

    def count(*_: object) -> None:
        counter[0] += 1
        if counter[0] == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sqlalchemy.event.listen(Engine, "before_cursor_execute", count)


def _wrong_after_kill(backfill: Backfill, wanted: Contents) -> str | None:
    """What is torn after a kill: published days that are not whole, a ledger that says otherwise, a torn batch of events."""
    held, recorded = backfill.contents(), backfill.recorded()
    faults = [
        f"{t} {d}: not what an undisturbed run publishes" for (t, d), c in recorded.items() if wanted.get((t, d)) != c
    ]
    in_range = {(t, d): c for (t, d), c in recorded.items() if backfill.start <= d <= backfill.end}
    faults += [f"{key}: ledger and rows disagree" for key in differing(in_range, held)]
    events = backfill.home / "dagster" / "event_log.db"
    if events.exists():
        with closing(sqlite3.connect(events)) as log:
            (sound,) = log.execute("PRAGMA integrity_check").fetchone()
            faults += [] if sound == "ok" else [f"event log: {sound}"]
            listed = log.execute("SELECT count(*) FROM sqlite_master WHERE name = 'asset_check_executions'").fetchone()
            faults += [what for (what,) in log.execute(TORN)] if listed[0] else []
    return "; ".join(faults[:5]) or None


def _wrong_at_the_end(backfill: Backfill, wanted: Contents) -> str | None:
    """What is wrong after the backfill completed, in the tables, for `status` and `check`, and for Dagster."""

    def look() -> None:
        backfill.here()
        assert backfill.everything() == wanted, differing(backfill.everything(), wanted)
        assert run_backfill(backfill.start, backfill.end, backfill.select, missing=True), "it did not complete"
        for shown in _status(backfill):
            assert shown["complete"], f"`status` says that something is missing: {shown}"
        prepare(backfill.ground.settings)
        published = backfill.published()
        assert all(days >= set(days_between(backfill.start, backfill.end)) for days in published.values())
        with dg.DagsterInstance.get() as instance:
            unfinished = instance.get_runs(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES))
            assert not unfinished, f"{len(unfinished)} runs go on for good"
            for table in backfill.tables:
                assert partitions(instance, table) == (published[table], set()), f"{table}: days are not recorded"
                seen = check_statuses(instance, table, "contract")
                assert set(seen) == published[table] and set(seen.values()) == {"SUCCEEDED"}, (
                    f"{table}: verdicts are not recorded"
                )
        left = {p.name for p in backfill.home.iterdir()} - {
            "nba.duckdb.lock.queue",
            "nba.duckdb",
            "nba.duckdb.lock",
            "dagster",
            "simulator",
            "artifacts",
            "cache",
            "automation.sqlite",
            "source.json",
        }
        assert not left, f"left behind: {left}"

    return backfill.said() if reaped(forked(look)) else None


def _status(backfill: Backfill) -> list[dict]:
    """What `nba-pipeline status` says of the tables of the backfill."""
    command = [sys.executable, "-W", "ignore", "-m", "nba_pipeline.cli", "status", "--json"]
    said = subprocess.run(
        [*command, str(backfill.start), str(backfill.end)], capture_output=True, text=True, check=False
    )
    return [t for t in json.loads(said.stdout)["tables"] if t["table"] in backfill.tables]


def _real() -> Proof:
    """A backfill of real data by its command line, killed every few seconds until it says that it is done."""
    data = real_data()
    tally, chance = Tally(), random.Random(SEED)
    with TemporaryDirectory(prefix="reliability-") as scratch:
        alone, disturbed = (_fed(Path(scratch) / name, data) for name in ("alone", "disturbed"))
        with stage("a backfill that is left alone"):
            _done(alone, alone.run)
        wanted, kills, held, latest = alone.everything(), 0, 0, LATEST
        while _command(disturbed, chance.uniform(SOONEST, latest)) == -signal.SIGKILL:
            tally.case(_wrong_after_kill(disturbed, wanted))
            kills, before, held = kills + 1, held, len(disturbed.recorded())
            latest = LATEST if held > before else latest * LATER
            print(f"  kill {kills}: {held:,} of {len(wanted):,} days of tables", file=sys.stderr, flush=True)
        tally.case(_wrong_at_the_end(disturbed, wanted))
    return tally.proof(
        "a backfill of real data killed every few seconds ends, with `--missing`, with the hashes of an uninterrupted one",
        f"`nba-pipeline backfill {REAL[0]} {REAL[1]} --missing` in a separate process, SIGKILL {SOONEST:g} to {LATEST:g} s "
        f"after its first run began, up to {LATER:g} times as long after each kill without a new day",
        f"real data {REAL[0]}..{REAL[1]} with its upstream history, {len(alone.tables)} tables",
        {"kills": kills, "days of tables compared": len(wanted)},
    )


def _fed(place: Path, data: Path) -> Backfill:
    place.mkdir()
    return Backfill(place / "home", *REAL, (), files_environment(place / "home", data))


def _command(backfill: Backfill, seconds: float) -> int:
    """Exit code of the command, killed that long after it said that a run begins. Raises AssertionError when it fails."""
    command = [sys.executable, "-W", "ignore", "-m", "nba_pipeline.cli", "backfill", *map(str, REAL), "--missing"]
    own = {k: v for k, v in os.environ.items() if not k.startswith(("NBA_PIPELINE_", "DAGSTER_"))}
    log = backfill.home.parent / "said.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, env=own | backfill.environment, stdout=out, stderr=subprocess.STDOUT)
        while process.poll() is None and "run: " not in log.read_text():
            time.sleep(0.1)
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
    if status not in (0, -signal.SIGKILL):
        raise AssertionError(f"the backfill failed by itself: {backfill.said()}")
    return status
