"""Rows changed per table and season between two homes of the same source, such as those of two releases.

    python benchmarks/rows_changed.py OLD_HOME NEW_HOME [--write docs/rows_changed.md]

A row is gone or new where one home alone has its key, and changed where both have it and a hashed column that both have differs.
Both homes stay as they are.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb

from nba_pipeline.common import duckdb as duck
from nba_pipeline.contracts.table import Table
from nba_pipeline.domain.calendar import reading_bound
from nba_pipeline.sources.plan import season_of, season_over
from nba_pipeline.tables.catalog import all_tables

MOST = 3
MARKS = "<!-- compared: begin -->", "<!-- compared: end -->"


@dataclass(frozen=True)
class Season:
    """The rows of a table in a season: `gone` and `new` are keys, `columns` the changed rows by the column that differs."""

    name: str
    before: int
    after: int
    gone: int
    new: int
    changed: int
    columns: Counter[str]

    @property
    def is_same(self) -> bool:
        return not (self.gone or self.new or self.changed)


@dataclass(frozen=True)
class Comparison:
    """A table in both homes, with the columns that only one of them has."""

    table: str
    seasons: tuple[Season, ...]
    dropped: tuple[str, ...]
    added: tuple[str, ...]


def compare(table: Table, db: duckdb.DuckDBPyConnection) -> Comparison:
    """Compare a table of the attached databases `old` and `new`."""
    old, new = (_columns(table, home, db) for home in ("old", "new"))
    shared = [n for n in table.hash_fields if n in old and n in new]
    return Comparison(
        table.id,
        tuple(_compare_season(table, season, shared, db) for season in _seasons(table, db)),
        tuple(n for n in old if n not in new),
        tuple(n for n in new if n not in old),
    )


def _columns(table: Table, home: str, db: duckdb.DuckDBPyConnection) -> list[str]:
    return [str(row[0]) for row in db.execute(f"DESCRIBE {home}.{table.id}").fetchall()]


def _seasons(table: Table, db: duckdb.DuckDBPyConnection) -> list[str]:
    days = " UNION ".join(f"SELECT {table.partition} FROM {home}.{table.id}" for home in ("old", "new"))
    return sorted({season_of(day) for (day,) in db.execute(days).fetchall()})


def _compare_season(table: Table, season: str, shared: Sequence[str], db: duckdb.DuckDBPyConnection) -> Season:
    keys = [n for n in dict.fromkeys((table.partition, *table.key)) if n in shared]
    values = [n for n in shared if n not in keys]
    same_key = " AND ".join(
        f"b.{n} IS NOT DISTINCT FROM a.{n}" if table.columns[n].nullable else f"b.{n} = a.{n}" for n in keys
    )
    within = f"{table.partition} >= ? AND {table.partition} < ?"
    both = "b.present AND a.present"
    differs = [f"{both} AND b.{n} IS DISTINCT FROM a.{n}" for n in values]
    counted = (
        "b.present",
        "a.present",
        "b.present AND a.present IS NULL",
        "a.present AND b.present IS NULL",
        " OR ".join(differs) or "false",
        *differs,
    )
    names, end = ", ".join(shared), season_over(season).date()
    row = db.execute(
        f"SELECT {', '.join(f'count_if({c})' for c in counted)} "
        f"FROM (SELECT true AS present, {names} FROM old.{table.id} WHERE {within}) b "
        f"FULL JOIN (SELECT true AS present, {names} FROM new.{table.id} WHERE {within}) a ON {same_key}",
        [begin := reading_bound(end - timedelta(days=1)), end, begin, end],
    ).fetchone()
    before, after, gone, new, changed, *by_column = map(int, row or ())
    return Season(season, before, after, gone, new, changed, Counter(dict(zip(values, by_column, strict=True))))


def compare_homes(old: Path, new: Path) -> list[Comparison]:
    """Compare all tables that both homes have."""
    with duck.connect() as db:
        for name, home in (("old", old), ("new", new)):
            db.execute(f"ATTACH '{home / 'nba.duckdb'}' AS {name} (READ_ONLY)")
        of_old = {
            f"{schema}.{table}"
            for schema, table in db.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'old'"
            ).fetchall()
        }
        return [compare(table, db) for table in all_tables() if table.id in of_old]


def page(compared: Sequence[Comparison]) -> str:
    """Write the tables of the documentation: rows by season, then what differs."""
    seasons = sorted({s.name for found in compared for s in found.seasons})
    lines = [f"| table | {' | '.join(seasons)} |", f"|---{'|---' * len(seasons)}|"]
    for found in compared:
        cells = {s.name: _cell(s) for s in found.seasons}
        lines.append(f"| `{found.table}` | {' | '.join(cells.get(name, '') for name in seasons)} |")
    lines += ["", "| table | columns that differ most, with rows | columns gone | new |", "|---|---|---|---|"]
    for found in compared:
        differing = sum((s.columns for s in found.seasons), Counter[str]())
        most = ", ".join(f"`{n}` {count:,}" for n, count in differing.most_common(MOST)) or "none"
        lines.append(f"| `{found.table}` | {most} | {_named(found.dropped)} | {_named(found.added)} |")
    return "\n".join(lines)


def _cell(s: Season) -> str:
    if s.is_same:
        return f"{s.after:,}: the same"
    counts = {"gone": s.gone, "new": s.new, "changed": s.changed}
    return f"{s.before:,} → {s.after:,}: {', '.join(f'{n:,} {what}' for what, n in counts.items() if n)}"


def _named(columns: Sequence[str]) -> str:
    shown = ", ".join(f"`{n}`" for n in columns[:MOST])
    return f"{len(columns)}: {shown}{', ...' if len(columns) > MOST else ''}" if columns else "0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    tables = page(compare_homes(given.old, given.new))
    print(tables)
    if given.write:
        text = given.write.read_text(encoding="utf-8")
        begin, end = (text.index(mark) for mark in MARKS)
        given.write.write_text(f"{text[: begin + len(MARKS[0])]}\n\n{tables}\n\n{text[end:]}", encoding="utf-8")


if __name__ == "__main__":
    main()
