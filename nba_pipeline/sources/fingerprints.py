"""What a source holds, by feed and day, as digests of its rows; and what the tables were built of."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa

from nba_pipeline.common import duckdb as duck
from nba_pipeline.domain.calendar import EPOCH, days_between
from nba_pipeline.sources.files import FilesSource
from nba_pipeline.sources.landing import FEEDS, Feed
from nba_pipeline.sources.protocol import Source
from nba_pipeline.sources.resolved import ResolvedSource
from nba_pipeline.sources.state_db import State

NOTHING = ""
RECENT = timedelta(days=4)
DAILY_FEEDS = tuple(f for f in FEEDS.values() if f.day)


def digests(feed: Feed, rows: pa.Table) -> dict[date, str]:
    """One digest per day that has rows, independent of their order; rows without a day count for none."""
    if not rows.num_rows:
        return {}
    # A separator that no text has, and one for NULL, so that neighbouring values cannot run into each other.
    told = ", ".join(f'coalesce(CAST("{c}" AS VARCHAR), chr(30))' for c in rows.column_names)
    sql = f"""SELECT "{feed.day}", count(*), sum(md5_number_lower(concat_ws(chr(31), {told})))
        FROM landed WHERE "{feed.day}" IS NOT NULL GROUP BY 1"""
    with duck.connect() as db:
        db.register("landed", rows)
        found = db.execute(sql).fetchall()
    return {day: hashlib.sha256(f"{n}:{total}".encode()).hexdigest()[:16] for day, n, total in found}


@dataclass
class Witness:
    """A source that remembers the digests of what it handed out."""

    source: Source
    seen: dict[str, dict[date, str]] = field(default_factory=dict)

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        rows = self.source.read(feed, days)
        if feed.day:
            held = digests(feed, rows)
            self.seen[feed.name] = {d: held.get(d, NOTHING) for d in days}
        return rows

    def describe(self) -> dict[str, str]:
        return self.source.describe()

    def remember(self, state: State, run_id: str, published: Iterable[date]) -> None:
        """The published days were built of what was handed out; refused days were not."""
        good = set(published)
        told = {feed: {d: x for d, x in by_day.items() if d in good} for feed, by_day in self.seen.items()}
        if any(told.values()):
            state.remember_built(run_id, told)


def files_of(source: Source) -> FilesSource | None:
    """The files behind a source; None where it has none to look at, and its recent days change by themselves."""
    inner = source.inner if isinstance(source, ResolvedSource) else source
    return inner if isinstance(inner, FilesSource) else None


def grows(source: Source) -> bool:
    """True for a source whose recent days change by themselves."""
    return files_of(source) is None


def current(source: Source, state: State, today: date) -> dict[tuple[str, date], str]:
    """Digests of what the source holds now, up to today: of all days of a directory, of the recent days of other sources.

    Files that did not change since the last look are not read again; what they held is remembered. A file that is read while
    it is being replaced is looked at again next time, since its signature was taken before.
    """
    files = files_of(source)
    if files is None:
        days = days_between(today - RECENT, today)
        held = {f.name: digests(f, source.read(f, days)) for f in DAILY_FEEDS}
        return {(f, d): held[f].get(d, NOTHING) for f in held for d in days}
    for feed in DAILY_FEEDS:
        _look(source, files, state, feed, today)
    with state.changing() as db:
        found = db.execute("SELECT feed, day, digest FROM landed").fetchall()
    return {(feed, date.fromisoformat(day)): digest for feed, day, digest in found}


def _look(source: Source, files: FilesSource, state: State, feed: Feed, today: date) -> None:
    """Read again the days of a feed whose files have changed, and remember what they hold."""
    signatures = {path: _signature(path) for path in _files(files, feed)}
    with state.changing() as db:
        known = dict(db.execute("SELECT path, signature FROM files WHERE feed = ?", [feed.name]).fetchall())
    now = {str(p): s for p, s in signatures.items()}
    if now == known:
        return
    changed = {p for p in known.keys() | now.keys() if known.get(p) != now.get(p)}
    days = _days_of(changed, today)
    held = digests(feed, source.read(feed, days)) if days and now else {}
    rows = [(feed.name, d.isoformat(), held.get(d, NOTHING)) for d in days]
    with state.changing() as db:
        db.executemany("INSERT OR REPLACE INTO landed VALUES (?, ?, ?)", rows)
        db.execute("DELETE FROM files WHERE feed = ?", [feed.name])
        db.executemany("INSERT INTO files VALUES (?, ?, ?)", [(feed.name, p, s) for p, s in now.items()])


def _files(source: FilesSource, feed: Feed) -> list[Path]:
    """The file of a feed, or its files by day."""
    directory = source.directory / feed.name
    if directory.is_dir():
        return sorted(p for p in directory.iterdir() if p.is_file() and not p.name.startswith("."))
    path = source.path(feed)
    return [path] if path else []


def _days_of(paths: Iterable[str], today: date) -> list[date]:
    """The days that these files are about: all, where one of them is a file of all days."""
    named: set[date] = set()
    for path in paths:
        day = _day_of(Path(path))
        if day is None:
            return days_between(EPOCH, today)
        named |= {day} if EPOCH <= day <= today else set()
    return sorted(named)


def _day_of(path: Path) -> date | None:
    """The day that a file by day is named after; None for a file of all days."""
    try:
        return date.fromisoformat(path.name.split(".")[0])
    except ValueError:
        return None


def _signature(path: Path) -> str:
    found = path.stat()
    return f"{found.st_size}:{found.st_mtime_ns}:{found.st_ino}"
