"""Compute digests of a source's rows by feed and day, to detect days whose tables were built from other rows."""

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from threading import Lock

import pyarrow as pa

from nba_pipeline.common import duckdb as duck
from nba_pipeline.domain.calendar import days_between, first_day, season_days
from nba_pipeline.domain.declared_books import FILE as BOOKS
from nba_pipeline.domain.identity.aliases import OWN as ALIASES
from nba_pipeline.sources.dropped_lines import dropped_files
from nba_pipeline.sources.files import FilesSource
from nba_pipeline.sources.landing import FEEDS, SCHEDULE, Feed
from nba_pipeline.sources.protocol import Source
from nba_pipeline.sources.resolved import NAMED, QUOTES, ResolvedSource
from nba_pipeline.sources.state_db import SourceState

NOTHING = ""
RECENT = timedelta(days=4)
ALIASED = "alias"
# Raised when equal rows get another digest; such days are not run again.
FORMULA = 2
RESTATE = """UPDATE built SET digest = ? WHERE feed = ? AND day = ?
    AND digest = (SELECT digest FROM landed WHERE feed = ? AND day = ?)"""
DAILY_FEEDS = tuple(f for f in FEEDS.values() if f.day)


def digests(feed: Feed, rows: pa.Table) -> dict[date, str]:
    """Return one digest per day that has rows, independent of their order; rows without a day are left out.

    Args:
        feed: The feed of the rows.
        rows: Rows of any days. A column that the feed lacks, and one that was added later, counts where it is not NULL.
    """
    if not rows.num_rows:
        return {}
    # Control characters as separator and as NULL, so that adjacent values cannot be confused.
    later = {c.name for c in feed.columns if c.added_later} | (set(rows.column_names) - feed.ibis_schema.keys())
    counting = [c for c in rows.column_names if c not in {c.name for c in feed.columns if c.says_who}]
    text = {f.name: _text(f) for f in rows.schema}
    values = ", ".join(f"coalesce({text[c]}, chr(30))" for c in counting if c not in later)
    values += "".join(f", '{c}=' || {text[c]}" for c in counting if c in later)
    sql = f"""SELECT "{feed.day}", count(*), sum(md5_number_lower(concat_ws(chr(31), {values})))
        FROM landed WHERE "{feed.day}" IS NOT NULL GROUP BY 1"""
    with duck.scratch(threads=duck.THREADS) as db:
        db.register("landed", _on_utc_clocks(rows))
        totals = db.execute(sql).fetchall()
    return {day: hashlib.sha256(f"{n}:{total}".encode()).hexdigest()[:16] for day, n, total in totals}


def _text(column: pa.Field) -> str:
    """SQL for the text of a value; of an instant, which `_on_utc_clocks` has made one without a zone, that with the zone."""
    text = f'CAST("{column.name}" AS VARCHAR)'
    return f"""{text} || CASE WHEN isfinite("{column.name}") THEN '+00' ELSE '' END""" if _is_instant(column) else text


def _is_instant(column: pa.Field) -> bool:
    return pa.types.is_timestamp(column.type) and column.type.tz is not None


def _on_utc_clocks(rows: pa.Table) -> pa.Table:
    """Rows with instants as what a clock of UTC shows: to write one with its zone takes DuckDB three times as long."""
    clocks = [f.with_type(pa.timestamp(f.type.unit)) if _is_instant(f) else f for f in rows.schema]
    return rows.cast(pa.schema(clocks))


def elsewhere(schedule: pa.Table) -> dict[date, str]:
    """Return, for each day with games that are listed on other days too, what the schedule says of them there.

    The state of such a game on a day, postponed and to which day, follows from its other rows: a change of these changes the day.

    Args:
        schedule: Rows of the schedule feed of whole seasons.
    """
    listings: dict[str, set[tuple[date, str, bool]]] = {}
    for row in schedule.select(["game_id", "game_date", "status", "home_pts"]).to_pylist():
        if row["game_id"] and row["game_date"]:
            listing = (row["game_date"], row["status"] or "", bool(row["home_pts"]))
            listings.setdefault(row["game_id"], set()).add(listing)
    others: dict[date, set[str]] = {}
    for game, rows in listings.items():
        for day in {day for day, _, _ in rows} if len({day for day, _, _ in rows}) > 1 else ():
            others.setdefault(day, set()).update(f"{game} {row}" for row in rows if row[0] != day)
    return {day: hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()[:16] for day, texts in others.items()}


def _with_elsewhere(by_day: Mapping[date, str], others: Mapping[date, str]) -> dict[date, str]:
    """Digests of the schedule by day, mixed with those of other days where its games are listed elsewhere."""
    mixed = {d: hashlib.sha256(f"{by_day[d]}:{x}".encode()).hexdigest()[:16] for d, x in others.items() if d in by_day}
    return {**by_day, **mixed}


def _given(source: Source, feed: Feed, days: Sequence[date]) -> pa.Table:
    """Read rows before names are resolved, which depends on other feeds, too."""
    return source.as_given(feed, days) if isinstance(source, ResolvedSource) else source.read(feed, days)


def _digests_of_given(source: Source, feed: Feed, given: pa.Table) -> dict[date, str]:
    """Digests of rows before names are resolved, and of the home's aliases of their names."""
    if isinstance(source, ResolvedSource) and feed in NAMED:
        given = given.append_column(ALIASED, source.own_aliases(given))
    return digests(feed, given)


def _digests_without_own(source: Source, files: FilesSource, feed: Feed, days: Sequence[date]) -> dict[date, str]:
    """Digests of rows without the lines and the aliases of the home."""
    others = replace(files, lines=None)
    return digests(
        feed, _given(replace(source, inner=others) if isinstance(source, ResolvedSource) else others, feed, days)
    )


def _schedule_digests(source: Source, days: Sequence[date]) -> dict[date, str]:
    """Digests of the schedule on these days and on all others of their seasons."""
    rows = source.read(SCHEDULE.as_witness(), season_days(days))
    return _with_elsewhere(digests(SCHEDULE, rows), elsewhere(rows))


@dataclass
class FingerprintingSource:
    """A source that records the digests of the rows it returned; threads may read days while those of others are recorded."""

    source: Source
    digests_read: dict[str, dict[date, str]] = field(default_factory=dict)
    _elsewhere: dict[date, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        rows = _given(self.source, feed, days)
        if feed.is_witness and feed.name == SCHEDULE.name:
            others = elsewhere(rows)
            with self._lock:
                self._elsewhere = {**self._elsewhere, **others}
        if feed.day and not feed.is_witness:
            by_day = _digests_of_given(self.source, feed, rows)
            with self._lock:
                earlier = self.digests_read.get(feed.name, {})
                self.digests_read[feed.name] = {**earlier, **{d: by_day.get(d, NOTHING) for d in days}}
        return self.source.resolved(feed, rows) if isinstance(self.source, ResolvedSource) else rows

    def describe(self) -> dict[str, str]:
        return self.source.describe()

    def record(self, state: SourceState, run_id: str, published: Iterable[date]) -> None:
        """Record the returned rows as those the published days were built from.

        Args:
            state: Where to record them.
            run_id: The run that published the days.
            published: The published days; refused days were not built from these rows.
        """
        days = set(published)
        read = dict(self.digests_read)
        if SCHEDULE.name in read:
            read[SCHEDULE.name] = _with_elsewhere(read[SCHEDULE.name], self._elsewhere)
        built = {feed: {d: x for d, x in by_day.items() if d in days} for feed, by_day in read.items()}
        if any(built.values()):
            state.record_built(run_id, built)


def files_of(source: Source) -> FilesSource | None:
    """Return the files behind a source; None for a source without files, whose recent days change by themselves."""
    inner = source.inner if isinstance(source, ResolvedSource) else source
    return inner if isinstance(inner, FilesSource) else None


def grows(source: Source) -> bool:
    """Return whether recent days of the source change by themselves."""
    return files_of(source) is None


def current(source: Source, state: SourceState, today: date) -> dict[tuple[str, date], str]:
    """Return digests of the source's rows up to today: all days of a directory, the recent days of other sources.

    Files unchanged since the last call are not read again; their digests are stored. A file that is replaced while it is read
    is read again next time, since its signature was taken before.

    Args:
        source: The source.
        state: Where digests and file signatures are stored.
        today: The last day to include.
    """
    files = files_of(source)
    if files is None:
        days = days_between(today - RECENT, today)
        others = [f for f in DAILY_FEEDS if f is not SCHEDULE]
        by_feed = {f.name: _digests_of_given(source, f, _given(source, f, days)) for f in others}
        by_feed[SCHEDULE.name] = _schedule_digests(source, days)
        return {(f, d): by_feed[f].get(d, NOTHING) for f in by_feed for d in days}
    for feed in DAILY_FEEDS:
        _update(source, files, state, feed, today)
    rows = state.database.read(lambda db: db.execute("SELECT feed, day, digest FROM landed").fetchall())
    return {(feed, date.fromisoformat(day)): digest for feed, day, digest in rows}


def _update(source: Source, files: FilesSource, state: SourceState, feed: Feed, today: date) -> None:
    """Read the days of a feed whose files have changed, and store their digests.

    Days of unchanged files whose digests an earlier formula gave get new ones, here and where they were built from such rows. The
    lines and aliases of the home that the earlier release did not look at count as changes of the days that they touch.
    """
    dropped = dropped_files(files.lines, feed)
    paths = [*_files(files, feed), *dropped]
    paths += _declarations(source, feed) if paths else []
    signatures = {path: _signature(path) for path in paths}
    query = "SELECT path, signature FROM files WHERE feed = ?"
    previous = dict(state.database.read(lambda db: db.execute(query, [feed.name]).fetchall()))
    now = {str(p): s for p, s in signatures.items()}
    if now == previous:
        return
    differing = {p for p in previous.keys() | now.keys() if previous.get(p) != now.get(p)}
    changed = {p for p in differing if _content(previous.get(p)) != _content(now.get(p))}
    own = {str(p) for p in paths if p in dropped or p.name == ALIASES}
    unseen = own - previous.keys() if any(_is_of_earlier_formula(s) for s in previous.values()) else set[str]()
    changed_days = set(_with_seasons(feed, _days_of(changed - unseen, today), today))
    days = _with_seasons(feed, _days_of(differing, today), today)
    if feed is SCHEDULE:
        by_day = _schedule_digests(source, days) if days and now else {}
    else:
        by_day = _digests_of_given(source, feed, _given(source, feed, days)) if days and now else {}
    if unseen:
        without = _digests_without_own(source, files, feed, days)
        changed_days |= {d for d in days if by_day.get(d, NOTHING) != without.get(d, NOTHING)}
    rows = [(feed.name, d.isoformat(), by_day.get(d, NOTHING)) for d in days]
    restated = [(x, f, d, f, d) for f, d, x in rows if date.fromisoformat(d) not in changed_days]

    def change(db: sqlite3.Connection) -> None:
        db.executemany(RESTATE, restated)
        db.executemany("INSERT OR REPLACE INTO landed VALUES (?, ?, ?)", rows)
        db.execute("DELETE FROM files WHERE feed = ?", [feed.name])
        db.executemany("INSERT INTO files VALUES (?, ?, ?)", [(feed.name, p, s) for p, s in now.items()])

    state.database.update(change)


def _with_seasons(feed: Feed, days: Sequence[date], today: date) -> list[date]:
    """Add the other days of the seasons of the schedule: a row of one day decides on the state of its game on another."""
    return [d for d in season_days(days) if first_day() <= d <= today] if feed is SCHEDULE else list(days)


def _files(source: FilesSource, feed: Feed) -> list[Path]:
    """Return the file of a feed, or its files by day."""
    directory = source.directory / feed.name
    if directory.is_dir():
        return sorted(p for p in directory.iterdir() if p.is_file() and not p.name.startswith("."))
    path = source.path(feed)
    return [path] if path else []


def _declarations(source: Source, feed: Feed) -> list[Path]:
    """Return the declarations of the home that the rows of a feed depend on: of books, and aliases of players."""
    home = source.home if isinstance(source, ResolvedSource) else None
    if home is None:
        return []
    declarations = [*([home / BOOKS] if feed in QUOTES else []), *([home / ALIASES] if feed in NAMED else [])]
    return [p for p in declarations if p.is_file()]


def _days_of(paths: Iterable[str], today: date) -> list[date]:
    """Return the days that these files cover: all days where one of them is not named after a day."""
    days: set[date] = set()
    for path in paths:
        day = _day_of(Path(path))
        if day is None:
            return days_between(first_day(), today)
        days |= {day} if first_day() <= day <= today else set()
    return sorted(days)


def _day_of(path: Path) -> date | None:
    """Return the day that a file is named after; None for a file of all days."""
    try:
        return date.fromisoformat(path.name.split(".")[0])
    except ValueError:
        return None


def _signature(path: Path) -> str:
    status = path.stat()
    return f"{FORMULA}:{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"


def _content(signature: str | None) -> list[str]:
    """The parts of a signature that tell the content of the file, not the formula of its digests."""
    return (signature or "").split(":")[-3:]


def _is_of_earlier_formula(signature: str) -> bool:
    return signature.split(":")[:-3] != [f"{FORMULA}"]
