"""Several writers and readers of overlapping days at once, each a separate process."""

import json
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from nba_pipeline.common.errors import WarehouseBusyError
from nba_pipeline.common.locking import file_lock
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline_tests.support.homes import Home, partitions
from nba_pipeline_tests.support.services import services
from tools.reliability.processes import forked, reaped
from tools.reliability.proof import Proof, Scale, Tally, following, stage
from tools.reliability.versions import TABLES, Versions, versions

TITLE = "All or nothing: concurrent writers and readers see only complete days"
SEED = 20211019
WRITERS, TURNS = {"quick": (2, 4), "full": (2, 3, 4, 6, 8)}, {"quick": 3, "full": 8}
ROUNDS = {"quick": 1, "full": 3}
LONGEST = 120.0
HELD, PATIENCE = 3.0, 0.4

Write = tuple[float, float, int, str, Sequence[date]]


def prove(scale: Scale) -> list[Proof]:
    """Writers with readers, waiting for one who holds the lock; at full scale, two backfills from the UI."""
    with versions(scale, timeout=LONGEST) as scene:
        proofs = [_writers_and_readers(scene, scale), _waiting(scene)]
    return [*proofs, _two_backfills_of_the_ui()] if scale == "full" else proofs


def _writers_and_readers(scene: Versions, scale: Scale) -> Proof:
    tally, looks, longest, writes = Tally(), 0, 0.0, 0
    rounds = [(n, r) for n in WRITERS[scale] for r in range(ROUNDS[scale])]
    for writers, number in following(rounds, len(rounds), "rounds"):
        with TemporaryDirectory() as scratch:
            notes = Path(scratch)
            first = 1_000_000 * (1 + rounds.index((writers, number)))
            jobs = [_writer(scene, first + 1000 * w, TURNS[scale], notes / f"writer{w}") for w in range(writers)]
            children = [forked(job) for job in jobs]
            readers = [forked(_reader(scene, notes / f"reader{r}", notes / "over")) for r in range(2)]
            failed = [c for c in children if reaped(c)]
            (notes / "over").touch()
            failed += [c for c in readers if reaped(c)]
            told = [json.loads(p.read_text()) for p in sorted(notes.glob("writer*"))]
            done: list[Write] = [
                (a, b, v, t, [date.fromisoformat(d) for d in days]) for own in told for a, b, v, t, days in own
            ]
            looks += sum(int(p.read_text()) for p in notes.glob("reader*"))
        writes += len(done)
        longest = max([longest, *(b - a for a, b, *_ in done)])
        tally.case(f"{len(failed)} of {writers + 2} processes failed" if failed else None)
        for table in TABLES:
            tally.case("; ".join(_lost(scene, table, done)) or None)
    left = scene.leftovers()
    tally.case(f"left behind: {left}" if left else None)
    return tally.proof(
        "writers of overlapping days neither lose nor duplicate rows, none waits forever, and readers see only complete days",
        f"{', '.join(map(str, WRITERS[scale]))} writers and 2 readers, {TURNS[scale]} writes each of random days; every day "
        "has the version of its last write; every read compares rows and ledger in one snapshot; "
        f"waiting {LONGEST:.0f} s is a failure",
        scene.on,
        {"writes": writes, "looks": looks, "longest write with its wait, s": round(longest, 2)},
    )


def _writer(scene: Versions, first: int, turns: int, note: Path) -> Callable[[], None]:
    def work() -> None:
        chance, done = random.Random(SEED + first), []
        for turn in range(turns):
            start, end = sorted(chance.sample(range(len(scene.days) + 1), 2))
            days, table = scene.days[start:end], chance.choice(TABLES)
            began = time.monotonic()
            scene.write(table, first + turn, days)
            done.append((began, time.monotonic(), first + turn, table, [str(d) for d in days]))
        note.write_text(json.dumps(done))

    return work


def _reader(scene: Versions, note: Path, over: Path) -> Callable[[], None]:
    def work() -> None:
        looks = 0
        while not over.exists() or looks < len(TABLES):
            torn = _torn(scene, TABLES[looks % len(TABLES)])
            assert not torn, torn
            looks += 1
        note.write_text(str(looks))

    return work


def _torn(scene: Versions, table: str) -> list[str]:
    """Days whose rows are not all there, are of two versions, or not of the version in the ledger; in one snapshot."""
    contract = CATALOG[table].table
    seen = scene.warehouse.query(
        f"""SELECT day, n, kinds, version, run_id FROM
            (SELECT {contract.partition} AS day, count(*) AS n, count(DISTINCT computed_at) AS kinds,
                'version ' || CAST(epoch(min(computed_at)) - epoch(TIMESTAMPTZ '2030-01-01 00:00:00+00') AS BIGINT) AS version
             FROM {table} GROUP BY 1) FULL JOIN
            (SELECT day, run_id FROM nba_ops.ledger WHERE table_id = '{table}' AND "rows" > 0) USING (day)"""
    ).to_pylist()
    whole = {d: n for (t, d), (n, _) in scene.content.items() if t == table}
    wrong = [str(r) for r in seen if r["kinds"] != 1 or r["n"] != whole.get(r["day"]) or r["version"] != r["run_id"]]
    return wrong + [f"{d} is lost" for d in whole.keys() - {r["day"] for r in seen}]


def _lost(scene: Versions, table: str, writes: Sequence[Write]) -> list[str]:
    """What is wrong with a table: torn days, and days that hold a version that a later write had replaced."""
    found, faults = scene.found(table)
    for day, version in found.items():
        own = {v: (began, ended) for began, ended, v, t, days in writes if t == table and day in days}
        if not own:
            continue
        if version not in own:
            faults.append(f"{table} {day}: version {version} is older than all writes")
        elif any(began > own[version][1] for began, _ in own.values()):
            faults.append(f"{table} {day}: version {version} stands, although a later write ended well")
    return faults


def _waiting(scene: Versions) -> Proof:
    """Who cannot get in waits as long as he was told to, and is told whom he waited for."""
    tally, seconds = Tally(), []
    impatient = DuckDBWarehouse(scene.warehouse.path, PATIENCE)
    for what in ("read", "write"):
        told, tell = os.pipe()

        def hold(tell: int = tell) -> None:
            with file_lock(scene.warehouse.path.with_name("nba.duckdb.lock"), exclusive=True, timeout=LONGEST):
                os.write(tell, b".")
                time.sleep(HELD)

        child = forked(hold)
        os.read(told, 1)
        began = time.monotonic()
        said = "no error"
        try:
            _use(scene, impatient, what)
        except WarehouseBusyError as e:
            said = str(e)
        spent = time.monotonic() - began
        seconds.append(round(spent, 2))
        named = f"process {child}" in said and "Fix:" in said
        tally.case(None if named and PATIENCE <= spent < PATIENCE + 1 else f"{what}: {spent:.1f} s, {said}")
        assert reaped(child) == 0
        os.close(told)
        os.close(tell)
    return tally.proof(
        "waiting for the warehouse is bounded, and the error names the process that holds it",
        f"another process holds the lock; time limit {PATIENCE} s",
        scene.on,
        {"waited, s": ", ".join(map(str, seconds))},
    )


def _use(scene: Versions, warehouse: DuckDBWarehouse, what: str) -> None:
    own = Versions(warehouse, scene.days, scene.rows, scene.content, scene.on)
    own.found(TABLES[0]) if what == "read" else own.write(TABLES[0], 1)


def _two_backfills_of_the_ui() -> Proof:
    """Launch two backfills of the whole graph over overlapping days, at once, in the UI, with web server and daemon."""
    tally = Tally()
    with TemporaryDirectory(prefix="reliability-") as scratch:
        alone, both = Home(Path(scratch) / "alone"), Home(Path(scratch) / "both")
        first, second, early, late = date(2021, 10, 19), date(2021, 10, 22), date(2021, 10, 24), date(2021, 10, 27)
        with stage("the same days in one run"):
            assert alone.materialize(first, late).success
        with both.instance():
            pass
        with (
            stage("two backfills at once"),
            services("nba_pipeline.definitions", both.environment, Path(scratch)) as ui,
        ):
            launched = [
                ui.launch_backfill(list(CATALOG), a, b, f"{a}..{b}") for a, b in ((first, early), (second, late))
            ]
            ended: Mapping[str, list[str]] = {b: ui.runs_of(b) for b in launched}
        tally.case(None if all(set(s) == {"SUCCESS"} for s in ended.values()) else f"runs ended {dict(ended)}")
        tally.case(None if both.content() == alone.content() else "the rows are not those of one run")
        with both.instance() as instance:
            for table in CATALOG:
                days = partitions(instance, table)
                tally.case(None if days == (set(days_between(first, late)), set()) else f"{table}: the UI shows {days}")
    return tally.proof(
        "two backfills of the whole graph launched at once from the UI leave the rows of one run, recorded for every day",
        f"GraphQL to a web server with its daemon: {first}..{early} and {second}..{late}",
        f"invented league, {len(CATALOG)} tables",
        {"runs": sum(map(len, ended.values()))},
    )
