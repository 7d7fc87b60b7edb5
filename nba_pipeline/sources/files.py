"""Read the source `files`: a directory in the landing layout.

A feed is one Parquet or CSV file, or a directory of Parquet files by day.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import ibis.expr.datatypes as dt
import pyarrow as pa
import pyarrow.parquet as pq

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import SourceError, first_line
from nba_pipeline.contracts.table import arrow_type
from nba_pipeline.domain.calendar import describe_days
from nba_pipeline.sources.dropped_lines import dropped_files
from nba_pipeline.sources.landing import FEEDS, SUFFIXES, Feed
from nba_pipeline.sources.landing_query import LAYOUT, UNREADABLE, query, require

FILE = "landing_file"
DAY_NAME = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class FilesSource:
    """Reads `<directory>/<feed>.parquet` (or `.csv`, `.csv.gz`), or the files `<directory>/<feed>/<day>.parquet`.

    `fetched`: `nba-pipeline ingest` writes the files, so errors on missing files name that command. `lines`: directory of lines
    that a user has from elsewhere, which are read beside those of the source.
    """

    directory: Path
    fetched: bool = False
    lines: Path | None = None

    def __post_init__(self) -> None:
        if not self.directory.is_dir():
            raise SourceError(
                f"the source directory {self.directory} does not exist",
                f"set NBA_PIPELINE_DATA to a directory with the landing files; {LAYOUT}",
            )

    def path(self, feed: Feed) -> Path | None:
        """Return the file or directory of a feed; None if there is none. Raises SourceError for several."""
        paths = [p for p in (self.directory / f"{feed.name}{s}" for s in SUFFIXES) if p.is_file()]
        paths += [p for p in (self.directory / feed.name,) if p.is_dir()]
        if len(paths) > 1:
            raise SourceError(
                f"{self.directory}: the feed {feed.name} exists more than once: {', '.join(p.name for p in paths)}",
                "keep one of them",
            )
        return paths[0] if paths else None

    def days(self, feed: Feed) -> list[date]:
        """List the days of a daily feed: of its files, or of the rows of its file; none for another feed."""
        path = self.path(feed)
        if path is None or not feed.day:
            return []
        if path.is_dir():
            return sorted(date.fromisoformat(p.stem) for p in path.glob("*.parquet") if DAY_NAME.fullmatch(p.stem))
        return days_of_file(feed, path)

    def describe(self) -> dict[str, str]:
        return {f.name: str(self.path(f) or "no file: its table stays empty") for f in FEEDS.values()}

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        dropped = [read_file(feed, path, days) for path in dropped_files(self.lines, feed)]
        return pa.concat_tables([self._read_own(feed, days), *dropped])

    def _read_own(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        path = self.path(feed)
        schema = _arrow_schema(feed)
        if path is None:
            if feed.optional:
                return schema.empty_table()
            raise SourceError(
                f"{self.directory}: no file for the feed {feed.name}",
                "run `nba-pipeline ingest START END`"
                if self.fetched
                else f"add {feed.name}.parquet or {feed.name}.csv; {LAYOUT}",
            )
        groups = {_scan(path): path} if path.is_file() else _by_form(path, feed, days, self.fetched)
        with duck.scratch() as db:
            tables = [_rows(db, feed, scan, first, days, path.is_dir()) for scan, first in groups.items()]
        return pa.concat_tables([schema.empty_table(), *(t.cast(schema) for t in tables)])


def read_file(feed: Feed, path: Path, days: Sequence[date]) -> pa.Table:
    """Read the rows of days of one file, and its rows whose day cannot be read.

    Raises:
        SourceError: The file cannot be read, or lacks a required column.
    """
    with duck.scratch() as db:
        return _rows(db, feed, _scan(path), path, days, by_day=False).cast(_arrow_schema(feed))


def read_with_unreadable(feed: Feed, path: Path, days: Sequence[date]) -> tuple[pa.Table, list[frozenset[str]]]:
    """Read a file as `read_file` does, and for each row the columns whose value cannot be cast.

    Raises:
        SourceError: The file cannot be read, or lacks a required column.
    """
    with duck.scratch() as db:
        rows = _rows(db, feed, _scan(path), path, days, by_day=False, names_unreadable=True)
    unreadable = [frozenset(n for n in names if n is not None) for names in rows[UNREADABLE].to_pylist()]
    return rows.drop_columns(UNREADABLE).cast(_arrow_schema(feed)), unreadable


def days_of_file(feed: Feed, path: Path) -> list[date]:
    """List the days of the rows of a file; days that cannot be read are left out."""
    try:
        with duck.scratch() as db:
            sql = f'SELECT DISTINCT TRY_CAST("{feed.day}" AS DATE) AS day FROM {_scan(path)}'
            return sorted(day for (day,) in db.execute(sql).fetchall() if day is not None)
    except duckdb.Error as e:
        raise SourceError(
            f"{path} cannot be read: {first_line(e)}",
            duck.remedy(e, f"give it a column {feed.day}; {LAYOUT}"),
        ) from e


def _rows(
    db: duckdb.DuckDBPyConnection,
    feed: Feed,
    scan: str,
    first: Path,
    days: Sequence[date],
    by_day: bool,
    *,
    names_unreadable: bool = False,
) -> pa.Table:
    """Read the rows of files with the same columns, of which `first` is one; a file by day has only rows of its day."""
    try:
        present = {n: t for n, t, *_ in db.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()}
        require(feed, first, present)
        file_day = f"CAST(parse_filename({FILE}, true) AS DATE)" if by_day and feed.day else None
        sql = query(feed, scan, present, days, file_day, names_unreadable=names_unreadable)
        return db.execute(sql).to_arrow_table()
    except duckdb.Error as e:
        raise SourceError(
            f"{first} cannot be read: {first_line(e)}",
            duck.remedy(e, f"replace the file by a complete one; {LAYOUT}"),
        ) from e


def _by_form(directory: Path, feed: Feed, days: Sequence[date], fetched: bool) -> dict[str, Path]:
    """Group the files of these days (all files of a feed that is not daily) into scans with the same columns."""
    files = sorted(directory.glob("*.parquet"))
    if feed.day:
        strays = [p.name for p in files if not DAY_NAME.fullmatch(p.stem)]
        if strays:
            raise SourceError(
                f"{directory}: files not named by a day: {', '.join(strays[:5])}",
                f"rename or remove them; {LAYOUT}",
            )
        files = _of_days(directory, feed, days, fetched)
    forms: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        forms[_form(file)].append(file)
    return {_scan_all(group): group[0] for group in forms.values()}


def _of_days(directory: Path, feed: Feed, days: Sequence[date], fetched: bool) -> list[Path]:
    """List the files of days. A day of a required feed without a file was never ingested: a day without games has one."""
    files = {d: directory / f"{d}.parquet" for d in sorted(set(days))}
    absent = [d for d, p in files.items() if not p.is_file()]
    if absent and not feed.optional:
        remedy = (
            f"run `nba-pipeline ingest {absent[0]} {absent[-1]}`" if fetched else "add a file for each of these days"
        )
        raise SourceError(
            f"{directory}: no file for {describe_days(absent)}",
            f"{remedy}; a day without games has a file without rows",
        )
    return [p for p in files.values() if p.is_file()]


def _form(file: Path) -> str:
    try:
        return str(pq.read_schema(file).remove_metadata())
    except (OSError, pa.ArrowException) as e:
        raise SourceError(
            f"{file} cannot be read: {first_line(e)}",
            f"replace the file by a complete one; {LAYOUT}",
        ) from e


def _scan_all(files: Sequence[Path]) -> str:
    quoted = ", ".join("'" + str(p).replace("'", "''") + "'" for p in files)
    return f"read_parquet([{quoted}], filename = '{FILE}')"


def _scan(path: Path) -> str:
    quoted = str(path).replace("'", "''")
    if path.suffix == ".parquet":
        return f"read_parquet('{quoted}')"
    return f"read_csv('{quoted}', all_varchar=true, header=true)"


def _arrow_schema(feed: Feed) -> pa.Schema:
    def kind(t: dt.DataType) -> pa.DataType:
        return arrow_type(t)

    return pa.schema([(n, kind(t)) for n, t in feed.ibis_schema.items()])
