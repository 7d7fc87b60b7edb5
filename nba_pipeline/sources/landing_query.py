"""Compile landing columns to DuckDB SQL: cast every value and name the values that cannot be cast."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from nba_pipeline.common import clock
from nba_pipeline.common.errors import SourceError
from nba_pipeline.contracts.sql_types import duckdb_type, predicate
from nba_pipeline.sources.landing import PROBLEMS, Feed, LandingColumn

FIRST_NBA_GAME = date(1946, 11, 1)
SCHEDULED_AHEAD = timedelta(days=400)
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE")
LARGEST_EXACT = 2**53
UNREADABLE = "unreadable_columns"
LAYOUT = "docs/landing.md describes the layout"
WORDS = {
    "text": "a text",
    "integer": "a whole number",
    "number": "a number",
    "flag": "true or false",
    "date": "a date",
    "instant": "a time",
}


def require(feed: Feed, path: Path, present: dict[str, str]) -> None:
    """Raise SourceError if the file lacks required columns, and name them.

    Args:
        feed: the feed of the file.
        path: the file, for the error.
        present: type of each column of the file, by name.
    """
    missing = [c.name for c in feed.columns if c.required and c.name not in present]
    if missing:
        raise SourceError(
            f"{path}: required columns are missing: {', '.join(missing)} (the file has: {', '.join(sorted(present))})",
            f"add the columns, or rename columns with another name; {LAYOUT}",
        )


def _typed(column: LandingColumn, stored: str) -> str:
    """Cast a column to its landing type; a value that cannot be cast becomes NULL and is named in `landing_problems`."""
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
    """Describe a value that cannot be cast, else NULL. NaN in a numeric column means unknown, as in Parquet."""
    quoted = f'"{column.name}"'
    present = f"{quoted} IS NOT NULL AND CAST({quoted} AS VARCHAR) <> ''"
    if stored in ("DOUBLE", "FLOAT"):
        present += f" AND NOT isnan({quoted})"
    shown = f"left(CAST({quoted} AS VARCHAR), 60)"
    message = f"'{column.name}: ''' || {shown} || ''' is not {WORDS[column.kind]}'"
    return f"CASE WHEN {present} AND ({_typed(column, stored)}) IS NULL THEN {message} END"


def query(
    feed: Feed,
    scan: str,
    present: dict[str, str],
    days: Sequence[date],
    file_day: str | None = None,
    *,
    names_unreadable: bool = False,
) -> str:
    """Compile the query for a feed's rows of days, and for rows whose day is unreadable or impossible for a game.

    Args:
        feed: the feed.
        scan: table function that reads the files.
        present: type of each column of the files, by name.
        days: the days to select.
        file_day: SQL for the day of a row's file, where files are by day; the day of a row of another day is wrong.
        names_unreadable: select `unreadable_columns`, too: the names of the columns with a landing problem, NULL for the others.
    """
    selected, problems = [], {}
    for c in feed.columns:
        if c.name not in present:
            selected.append(f'NULL::{duckdb_type(feed.ibis_schema[c.name])} AS "{c.name}"')
            continue
        typed, problem = _typed(c, present[c.name]), _problem(c, present[c.name])
        if file_day and c.name == feed.day:
            problem = f"coalesce({problem}, {_other_day(c, typed, file_day)})"
            typed = f"CASE WHEN ({typed}) = {file_day} THEN {typed} END"
        selected.append(f'{typed} AS "{c.name}"')
        if c.kind != "text":
            problems[c.name] = problem
    all_problems = f"nullif(concat_ws('; ', {', '.join(problems.values())}), '')" if problems else "NULL::VARCHAR"
    where = "TRUE" if file_day or not feed.day else _of_days(feed.day, days)
    selected.append(f"{all_problems} AS {PROBLEMS}")
    if names_unreadable:
        unreadable = [f"CASE WHEN ({problem}) IS NOT NULL THEN '{name}' END" for name, problem in problems.items()]
        selected.append(f"[{', '.join(unreadable)}]::VARCHAR[] AS {UNREADABLE}")
    return f"SELECT {', '.join(selected)} FROM {scan} WHERE {where}"


def _other_day(column: LandingColumn, typed: str, file_day: str) -> str:
    message = f"'{column.name}: ''' || ({typed}) || ''' is not the day of its file'"
    return f"CASE WHEN ({typed}) <> {file_day} THEN {message} END"


def is_possible(day: date) -> bool:
    """Return whether a day can be that of a game."""
    return FIRST_NBA_GAME <= day <= _latest_day()


def _latest_day() -> date:
    return clock.now().date() + SCHEDULED_AHEAD


def _of_days(column: str, days: Sequence[date]) -> str:
    day = f'TRY_CAST("{column}" AS DATE)'
    invalid = f"{day} IS NULL OR {day} < DATE '{FIRST_NBA_GAME}' OR {day} > DATE '{_latest_day()}'"
    return f"({predicate(day, list(days))}) OR {invalid}" if days else invalid
