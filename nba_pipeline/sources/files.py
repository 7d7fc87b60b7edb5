"""The source `files`: a directory in the landing layout, one Parquet or CSV file per feed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import ibis.expr.datatypes as dt
import pyarrow as pa

from nba_pipeline import clock, duck
from nba_pipeline.contracts import arrow_type
from nba_pipeline.errors import SourceError
from nba_pipeline.sources.landing import FEEDS, PROBLEMS, Feed, LandingColumn
from nba_pipeline.warehouse.ddl import duckdb_type, predicate

SUFFIXES = (".parquet", ".csv", ".csv.gz")
FIRST_NBA_GAME = date(1946, 11, 1)
SCHEDULED_AHEAD = timedelta(days=400)
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE")
LARGEST_EXACT = 2**53
LAYOUT = "docs/landing.md describes the layout"
WORDS = {
    "text": "a text",
    "integer": "a whole number",
    "number": "a number",
    "flag": "true or false",
    "date": "a date",
    "instant": "a time",
}


@dataclass(frozen=True)
class FilesSource:
    """Reads `<directory>/<feed>.parquet` (or `.csv`, `.csv.gz`)."""

    directory: Path

    def __post_init__(self) -> None:
        if not self.directory.is_dir():
            raise SourceError(
                f"the source directory {self.directory} does not exist",
                f"set NBA_PIPELINE_DATA to a directory with the landing files; {LAYOUT}",
            )

    def path(self, feed: Feed) -> Path | None:
        found = [p for p in (self.directory / f"{feed.name}{s}" for s in SUFFIXES) if p.is_file()]
        if len(found) > 1:
            raise SourceError(
                f"{self.directory}: the feed {feed.name} is there more than once: {', '.join(p.name for p in found)}",
                "keep one of them",
            )
        return found[0] if found else None

    def describe(self) -> dict[str, str]:
        return {f.name: str(self.path(f) or "no file: its table stays empty") for f in FEEDS.values()}

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        path = self.path(feed)
        schema = _arrow_schema(feed)
        if path is None:
            if feed.optional:
                return schema.empty_table()
            raise SourceError(
                f"{self.directory}: there is no file for the feed {feed.name}",
                f"add {feed.name}.parquet or {feed.name}.csv; {LAYOUT}",
            )
        with duck.connect() as db:
            scan = _scan(path)
            try:
                present = {n: t for n, t, *_ in db.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()}
                _require(feed, path, present)
                return db.execute(_query(feed, scan, present, days)).to_arrow_table().cast(schema)
            except duckdb.Error as e:
                raise SourceError(
                    f"{path} cannot be read: {str(e).splitlines()[0]}", f"replace the file by a complete one; {LAYOUT}"
                ) from e


def _scan(path: Path) -> str:
    quoted = str(path).replace("'", "''")
    if path.suffix == ".parquet":
        return f"read_parquet('{quoted}')"
    return f"read_csv('{quoted}', all_varchar=true, header=true)"


def _require(feed: Feed, path: Path, present: dict[str, str]) -> None:
    missing = [c.name for c in feed.columns if c.required and c.name not in present]
    if missing:
        raise SourceError(
            f"{path}: required columns are missing: {', '.join(missing)} (the file has: {', '.join(sorted(present))})",
            f"add the columns, or rename those that are called differently; {LAYOUT}",
        )


def _typed(column: LandingColumn, stored: str) -> str:
    """The column in its landing type; a value that cannot be typed is NULL here and named in `landing_problems`."""
    target = {
        "text": "VARCHAR",
        "integer": "BIGINT",
        "number": "DOUBLE",
        "flag": "BOOLEAN",
        "date": "DATE",
        "instant": "TIMESTAMPTZ",
    }
    quoted = f'"{column.name}"'
    if column.kind == "text":
        return f"nullif(CAST({quoted} AS VARCHAR), '')"
    if column.kind == "integer" and stored.endswith("INT"):
        return f"TRY_CAST({quoted} AS BIGINT)"
    if column.kind == "integer":
        number = f"TRY_CAST({quoted} AS DOUBLE)"
        plain = f"regexp_full_match(trim(CAST({quoted} AS VARCHAR)), '[+-]?[0-9]+')"
        whole = f"{number} = floor({number}) AND abs({number}) < {LARGEST_EXACT}"
        return f"CASE WHEN {plain} THEN TRY_CAST({quoted} AS BIGINT) WHEN {whole} THEN TRY_CAST({number} AS BIGINT) END"
    if column.kind == "flag" and stored in NUMBERS:
        return f"CASE {quoted} WHEN 1 THEN true WHEN 0 THEN false END"
    if column.kind == "number" and stored in ("DOUBLE", "FLOAT"):
        return f"CASE WHEN isfinite({quoted}) THEN CAST({quoted} AS DOUBLE) END"
    if column.kind == "number":
        return f"CASE WHEN isfinite(TRY_CAST({quoted} AS DOUBLE)) THEN TRY_CAST({quoted} AS DOUBLE) END"
    return f"TRY_CAST({quoted} AS {target[column.kind]})"


def _problem(column: LandingColumn, stored: str) -> str:
    """Text that names a value which cannot be typed, else NULL. NaN in a numeric column means unknown, as in Parquet."""
    quoted = f'"{column.name}"'
    given = f"{quoted} IS NOT NULL AND CAST({quoted} AS VARCHAR) <> ''"
    if stored in ("DOUBLE", "FLOAT"):
        given += f" AND NOT isnan({quoted})"
    shown = f"left(CAST({quoted} AS VARCHAR), 60)"
    said = f"'{column.name}: ''' || {shown} || ''' is not {WORDS[column.kind]}'"
    return f"CASE WHEN {given} AND ({_typed(column, stored)}) IS NULL THEN {said} END"


def _query(feed: Feed, scan: str, present: dict[str, str], days: Sequence[date]) -> str:
    selected, problems = [], []
    for c in feed.columns:
        if c.name not in present:
            selected.append(f'NULL::{duckdb_type(feed.ibis_schema[c.name])} AS "{c.name}"')
            continue
        selected.append(f'{_typed(c, present[c.name])} AS "{c.name}"')
        if c.kind != "text":
            problems.append(_problem(c, present[c.name]))
    said = f"nullif(concat_ws('; ', {', '.join(problems)}), '')" if problems else "NULL::VARCHAR"
    where = "TRUE"
    if feed.day:
        day = f'TRY_CAST("{feed.day}" AS DATE)'
        latest = clock.now().date() + SCHEDULED_AHEAD
        lost = f"{day} IS NULL OR {day} < DATE '{FIRST_NBA_GAME}' OR {day} > DATE '{latest}'"
        where = f"({predicate(day, list(days))}) OR {lost}"
    return f"SELECT {', '.join(selected)}, {said} AS {PROBLEMS} FROM {scan} WHERE {where}"


def _arrow_schema(feed: Feed) -> pa.Schema:
    def kind(t: dt.DataType) -> pa.DataType:
        return arrow_type(t)

    return pa.schema([(n, kind(t)) for n, t in feed.ibis_schema.items()])
