"""Thousands of broken rows and files, taken through the raw tables and the facts: nothing crashes, nothing bad gets in.

The clean stretch is published once. Every trial puts one broken row into each of its days (or breaks a file), publishes raw
tables and facts again from a copy, and holds every row against the clean ones by its hash.
"""

import csv
import io
import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow.csv
import pyarrow.parquet as pq

from nba_pipeline.common.errors import PipelineError
from nba_pipeline.engine.publish import Publication
from nba_pipeline.sources.files import FilesSource
from nba_pipeline.sources.landing import FEEDS
from nba_pipeline.tables.catalog import CATALOG
from tools.reliability.ground import RAW, Ground, ground, real_data, refused, stretch
from tools.reliability.mutations import BAD, FILES, FINE, MUTATIONS, Mutation, Rows
from tools.reliability.proof import Proof, Scale, Tally, following, stage

TITLE = "Bad input: broken rows are named and set aside, never published, and never crash a run"
STRETCH = {"quick": ("2024-02-01", "2024-02-05"), "full": ("2024-01-29", "2024-03-10")}
TRIALS = {"quick": 8, "full": 52}
BROKEN_FILES = {"quick": 5, "full": 50}
SEED = 11
FACTS = tuple(f"nba_analytics.{t}_game_summary" for t in ("player", "team_offense", "team_defense"))
RAW_OF = {feed: f"nba_raw.{table}" for feed, table in (
    ("schedule", "schedule"), ("player_boxscores", "player_boxscores"), ("team_boxscores", "team_boxscores"),
    ("shots", "shots"), ("prop_lines", "player_prop_lines"), ("game_lines", "game_lines"), ("injuries", "injury_reports"),
)}  # fmt: skip
BELOW: Mapping[str, Sequence[str]] = {
    "schedule": (*RAW, *FACTS),
    "player_boxscores": ("nba_raw.player_boxscores", "nba_raw.team_boxscores", *FACTS),
    "team_boxscores": ("nba_raw.team_boxscores", *FACTS),
    "shots": ("nba_raw.shots", *FACTS),
    "prop_lines": ("nba_raw.player_prop_lines", FACTS[0]),
    "game_lines": ("nba_raw.game_lines",),
    "injuries": ("nba_raw.injury_reports",),
}
# Feeds that are broken at the same time: none of them hides what another one does to its own raw table.
OTHERS = ("prop_lines", "game_lines", "injuries")
TOGETHER = (
    ("player_boxscores", "shots", *OTHERS),
    ("schedule",),
    ("team_boxscores", *OTHERS),
    ("player_boxscores",),
)
# Facts may honestly change with a broken row of these: a shot log with a gap is not counted, one line less moves a median.
MAY_CHANGE = ("shots", "prop_lines")
# An attempt without its number, which follows from the others.
UNNUMBERED = "md5(concat_ws('|', game_id, player_id, period, seconds_left, made, value, distance, loc_x, loc_y, zone))"
Hashes = dict[tuple[str, date], set[str]]


@dataclass(frozen=True)
class Landing:
    """Rows of every feed as text, by day, as a CSV file would hold them; the points stand last, so that no cut hides."""

    columns: Mapping[str, list[str]]
    by_day: Mapping[str, dict[str, Rows]]

    def write(self, feed: str, directory: Path, changed: Mapping[str, Rows] | None = None) -> Path:
        path = directory / f"{feed}.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.columns[feed])
            writer.writeheader()
            for rows in (dict(self.by_day[feed]) | dict(changed or {})).values():
                writer.writerows(rows)
        return path


def landing(data: Path, days: list[date]) -> Landing:
    """The stretch of the landing files as text; lines of points alone, which are enough."""
    columns: dict[str, list[str]] = {}
    by_day: dict[str, dict[str, Rows]] = {}
    for name, feed in FEEDS.items():
        if feed.day is None:
            continue
        known = set(pq.read_schema(data / f"{name}.parquet").names)
        wanted = [c.name for c in feed.columns if c.name in known and c.name != "pts"]
        wanted += ["pts"] if "pts" in known else []
        points = " AND market = 'points'" if name == "prop_lines" else ""
        with duckdb.connect() as db:
            db.execute("SET TimeZone = 'UTC'")
            listed = ", ".join(f"coalesce(CAST({c} AS VARCHAR), '') AS {c}" for c in wanted)
            rows = db.execute(
                f"""SELECT {listed} FROM read_parquet('{data / name}.parquet')
                WHERE {feed.day} BETWEEN DATE '{days[0]}' AND DATE '{days[-1]}'{points} ORDER BY ALL"""
            ).to_arrow_table()
        columns[name] = wanted
        found: dict[str, Rows] = {str(d): [] for d in days}
        for row in rows.to_pylist():
            found[row[feed.day]].append(row)
        by_day[name] = found
    return Landing(columns, by_day)


@dataclass
class Stand:
    """The clean stretch, published, and what its rows hash to."""

    ground: Ground
    data: Path
    days: list[date]
    landing: Landing
    clean: Hashes
    template: Path

    def restore(self) -> None:
        shutil.copy(self.template, self.ground.settings.database)

    def hashes(self, tables: Sequence[str]) -> Hashes:
        found: Hashes = {(t, d): set() for t in tables for d in self.days}
        with duckdb.connect(str(self.ground.settings.database), read_only=True) as db:
            for table in tables:
                contract = CATALOG[table].table
                which = "WHERE NOT summed_from_players" if "summed_from_players" in contract.columns else ""
                content = UNNUMBERED if table == "nba_raw.shots" else "data_hash"
                for day, row in db.execute(
                    f"SELECT {contract.partition}, {content} FROM {table} AS t {which}"
                ).fetchall():
                    found[table, day].add(row)
        return found

    def publish(self, source: FilesSource, feeds: Sequence[str]) -> dict[str, Publication]:
        return self.ground.publish(self.days, [t for feed in feeds for t in BELOW[feed]], source=source)

    def with_files(self, feeds: Sequence[str], directory: Path) -> FilesSource:
        """The source in which the files of these feeds are those of the directory, and all others are clean."""
        for path in self.data.iterdir():
            if path.name.split(".")[0] not in feeds:
                (directory / path.name).symlink_to(path)
        return FilesSource(directory)


def stand(data: Path, days: list[date], home: Ground, scratch: Path) -> Stand:
    clean = scratch / "clean"
    clean.mkdir()
    rows = landing(data, days)
    for feed in rows.columns:
        rows.write(feed, clean)
    said = refused(home.publish(days, (*RAW, *FACTS), source=FilesSource(clean)))
    assert not said, said
    template = scratch / "template.duckdb"
    shutil.copy(home.settings.database, template)
    found = Stand(home, clean, days, rows, {}, template)
    found.clean = found.hashes((*RAW, *FACTS))
    return found


def broken_rows(here: Stand, feed: str, generator: random.Random) -> Iterator[tuple[date, Mutation, Rows]]:
    """For every day that has rows of the feed, one mutation and the day's rows with it."""
    for day in here.days:
        rows = here.landing.by_day[feed][str(day)]
        for _ in range(20):
            mutation = generator.choice(MUTATIONS[feed])
            fitting = [i for i, r in enumerate(rows) if mutation.applies(r)] if rows else []
            if fitting:
                yield day, mutation, mutation.change(rows, generator.choice(fitting))
                break


def judge(
    here: Stand, feeds: Sequence[str], feed: str, day: date, mutation: Mutation, found: Hashes, reported: bool
) -> str | None:
    """What is wrong with what came of a broken row; None where all is as it must be."""
    said = f"{feed} {day} {mutation.name}"
    strange = {t: found[t, day] - here.clean[t, day] for t in BELOW[feed]}
    raw = RAW_OF[feed]
    if mutation.verdict == FINE:
        return None if found[raw, day] else f"{said}: a fine row is not published"
    if mutation.verdict == BAD and strange[raw]:
        return f"{said}: a bad row is published in {raw}"
    beyond = [t for t in FACTS if t in strange and strange[t] and not set(feeds) & set(MAY_CHANGE)]
    if beyond:
        return f"{said}: it changed {', '.join(beyond)}"
    if not reported and (found[raw, day] != here.clean[raw, day] or mutation.verdict == BAD):
        return f"{said}: nothing says why"
    return None


def reported(here: Stand, feed: str, day: date, publications: Mapping[str, Publication]) -> bool:
    """Whether quarantine, a refusal or the coverage of the day says that something is wrong."""
    if any(v.day == day for p in publications.values() for v in p.refused):
        return True
    rejects = here.ground.warehouse.quarantine(RAW_OF[feed], day, day).to_pylist()
    if any(r["reason"].strip() for r in rejects):
        return True
    absent = here.ground.warehouse.ledger(list(BELOW[feed]), day, day).to_pylist()
    return any(json.loads(e["absent"]) for e in absent if e["table_id"] in BELOW[feed] and feed in MAY_CHANGE)


def rows_proof(here: Stand, trials: int) -> Proof:
    tally, generator = Tally(), random.Random(SEED)
    seen: Counter[str] = Counter()
    for n in following(range(trials), trials, "sets of files with broken rows"):
        feeds = TOGETHER[n % len(TOGETHER)]
        chosen = [(feed, *broken) for feed in feeds for broken in broken_rows(here, feed, generator)]
        seen["files"] += len(feeds)
        with TemporaryDirectory() as scratch:
            for feed in feeds:
                changed = {str(day): rows for f, day, _, rows in chosen if f == feed}
                here.landing.write(feed, Path(scratch), changed)
            here.restore()
            try:
                publications = here.publish(here.with_files(feeds, Path(scratch)), feeds)
            except PipelineError as e:
                for feed, _, mutation, _ in chosen:
                    tally.case(None if e.remedy else f"{feed} {mutation.name}: an error without a remedy: {e}")
                seen["files refused whole"] += 1
                continue
            except Exception as e:  # noqa: BLE001 - whatever it is, it is what the harness looks for
                tally.case(f"{', '.join(f'{f} {m.name}' for f, _, m, _ in chosen)}: {type(e).__name__}: {str(e)[:200]}")
                continue
        found = here.hashes([t for feed in feeds for t in BELOW[feed]])
        for feed, day, mutation, _ in chosen:
            tally.case(judge(here, feeds, feed, day, mutation, found, reported(here, feed, day, publications)))
            seen[mutation.verdict] += 1
        seen["unreasoned"] += sum(not r["reason"].strip() for r in here.ground.warehouse.quarantine().to_pylist())
    kinds = sum(len(m) for m in MUTATIONS.values())
    return tally.proof(
        "a broken row is set aside with a reason, or its day is refused; none is published and none crashes a run",
        f"{kinds} kinds of fault in 7 feeds (types, NaN and infinite, negative, text, duplicates, swapped teams, late lines, "
        "unicode, 2,000 characters, SQL and shell), one row a day and file; every published row of raw tables and facts held "
        "against the clean rows by its hash",
        f"real data {here.days[0]}..{here.days[-1]}, landing files in CSV",
        {
            "files": seen["files"],
            "files refused whole": seen["files refused whole"],
            "bad rows": seen[BAD],
            "valid rows kept": seen[FINE],
            "quarantined without a reason": seen["unreasoned"],
        },
    )


def files_proof(here: Stand, trials: int) -> Proof:
    """Files that are cut, garbled, no tables, or have other columns: a named error, or nothing but clean rows."""
    tally, generator = Tally(), random.Random(SEED)
    outcomes: Counter[str] = Counter()
    for n in following(range(trials), trials, "broken files"):
        feed = generator.choice(list(MUTATIONS))
        with TemporaryDirectory() as scratch:
            said, harmless = _break_file(here, feed, n, Path(scratch), generator)
            here.restore()
            try:
                publications = here.publish(here.with_files([feed], Path(scratch)), [feed])
            except PipelineError as e:
                outcomes["refused with a named error"] += 1
                tally.case(None if e.remedy and not harmless else f"{feed} {said}: {e}")
                continue
            except Exception as e:  # noqa: BLE001 - whatever it is, it is what the harness looks for
                tally.case(f"{feed} {said}: {type(e).__name__}: {str(e)[:200]}")
                continue
        found = here.hashes(BELOW[feed])
        outcomes["read, complete rows only"] += 1
        strange = [
            t for t in BELOW[feed] if feed not in MAY_CHANGE and any(found[t, d] - here.clean[t, d] for d in here.days)
        ]
        silent = [
            d for d in here.days if found[RAW_OF[feed], d] != here.clean[RAW_OF[feed], d]
            and feed in ("schedule", "player_boxscores", "team_boxscores") and not reported(here, feed, d, publications)
        ]  # fmt: skip
        wrong = [f"other rows in {', '.join(strange)}"] if strange and not harmless else []
        wrong += [f"rows are gone on {silent[0]} and nothing says so"] if silent else []
        tally.case(f"{feed} {said}: {'; '.join(wrong)}" if wrong else None)
    return tally.proof(
        "a broken file raises an error with a fix, or only its complete rows are published",
        "CSV and Parquet files cut at a random byte, partly overwritten, replaced by HTML, JSON or an empty file; columns "
        "renamed, dropped and added",
        f"real data {here.days[0]}..{here.days[-1]}",
        dict(outcomes),
    )


def _break_file(here: Stand, feed: str, n: int, scratch: Path, generator: random.Random) -> tuple[str, bool]:
    """Write a broken file of the feed; what was done, and whether it must do no harm at all."""
    path = here.landing.write(feed, scratch)
    kind = n % 5
    if kind < 3:
        name = list(FILES)[kind]
        if generator.random() < 0.5:
            table = pyarrow.csv.read_csv(path)
            path.unlink()
            path = scratch / f"{feed}.parquet"
            pq.write_table(table, path)
            name = f"Parquet {name}"
        path.write_bytes(
            FILES[name.split(" ", 1)[-1] if name.startswith("Parquet") else name](path.read_bytes(), generator)
        )
        return name, False
    columns = here.landing.columns[feed]
    header, rest = path.read_text().split("\n", 1)
    if kind == 3:
        required = {c.name for c in FEEDS[feed].columns if c.required}
        column = generator.choice([c for c in columns if c in required])
        renamed = ",".join(f"{c}_x" if c == column else c for c in columns)
        path.write_text(f"{renamed}\n{rest}")
        return f"{column} renamed", False
    rows = list(csv.reader(io.StringIO(rest)))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*header.strip().split(","), "extra; DROP TABLE x", "ünïcode"])
    writer.writerows([*r, "1", "ü"] for r in rows)
    path.write_text(out.getvalue())
    return "columns added", True


def prove(scale: Scale) -> list[Proof]:
    data, days = real_data(), stretch(*STRETCH[scale])
    with ground(data) as home, TemporaryDirectory(prefix="fuzz-") as scratch:
        with stage("the clean stretch"):
            here = stand(data, days, home, Path(scratch))
        return [rows_proof(here, TRIALS[scale]), files_proof(here, BROKEN_FILES[scale])]
