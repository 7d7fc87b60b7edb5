"""Rows changed between two homes: keys that only one has, rows that differ, and columns that only one has, by season."""

from collections import Counter
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks.rows_changed import Season, compare, page
from nba_pipeline.common import duckdb as duck
from nba_pipeline.contracts.table import Table
from nba_pipeline_tests.support.results import AT, Results, WiderResults, declared

SPRING, AUTUMN = date(2024, 4, 1), date(2024, 11, 1)
RESULTS, WIDER = declared(Results), declared(WiderResults)
Row = tuple[date, str, int | None]


def stored(home: Path, table: Table, *rows: Row, **more: object) -> Path:
    """Make a home with rows of day, team and points; each has a hash of its own, which is of no account."""
    home.mkdir()
    records = [
        dict(zip(("game_date", "team", "points"), row, strict=True))
        | {"data_hash": f"{home.name}{n}", "computed_at": AT}
        | more
        for n, row in enumerate(rows)
    ]
    with duck.connect(home / "nba.duckdb") as db:
        db.register("given", pa.Table.from_pylist(records, table.arrow_schema))
        db.execute(f"CREATE SCHEMA {table.dataset}; CREATE TABLE {table.id} AS FROM given")
    return home


def compared(table: Table, old: Path, new: Path):
    with duck.connect() as db:
        db.execute(
            f"ATTACH '{old / 'nba.duckdb'}' AS old (READ_ONLY); ATTACH '{new / 'nba.duckdb'}' AS new (READ_ONLY)"
        )
        return compare(table, db)


def test_rows_are_counted_by_season_and_by_the_column_that_differs(tmp_path: Path) -> None:
    before: list[Row] = [(SPRING, "BOS", 1), (SPRING, "NYK", None), (AUTUMN, "BOS", 3), (AUTUMN, "MIA", 4)]
    after: list[Row] = [(SPRING, "BOS", 1), (SPRING, "NYK", 2), (SPRING, "LAL", 5), (AUTUMN, "BOS", 3)]
    found = compared(RESULTS, stored(tmp_path / "old", RESULTS, *before), stored(tmp_path / "new", RESULTS, *after))
    assert found.seasons == (
        Season("2023-24", 2, 3, gone=0, new=1, changed=1, columns=Counter(points=1)),
        Season("2024-25", 2, 1, gone=1, new=0, changed=0, columns=Counter(points=0)),
    )


def test_equal_rows_are_the_same_though_hash_and_time_differ(tmp_path: Path) -> None:
    rows: list[Row] = [(SPRING, "BOS", None), (SPRING, "NYK", 2)]
    found = compared(
        RESULTS, stored(tmp_path / "old", RESULTS, *rows), stored(tmp_path / "new", RESULTS, *reversed(rows))
    )
    assert [s.is_same for s in found.seasons] == [True]


def test_columns_of_one_home_alone_are_named_and_change_no_row(tmp_path: Path) -> None:
    row: Row = (SPRING, "BOS", 1)
    narrow = stored(tmp_path / "narrow", RESULTS, row)
    wide = stored(tmp_path / "wide", WIDER, row, share=0.5, features=[1.0])
    found, back = compared(WIDER, narrow, wide), compared(WIDER, wide, narrow)
    assert (found.added, found.dropped) == (("share", "seen", "features"), ())
    assert (back.added, back.dropped) == ((), ("share", "seen", "features"))
    assert [s.is_same for s in (*found.seasons, *back.seasons)] == [True, True]


@pytest.mark.parametrize(("list_now", "changed"), [([1.0, 2.0], 0), ([1.0, 3.0], 1), ([1.0], 1)])
def test_lists_differ_where_one_of_their_values_does(tmp_path: Path, list_now: list[float], changed: int) -> None:
    row: Row = (SPRING, "BOS", 1)
    old = stored(tmp_path / "old", WIDER, row, features=[1.0, 2.0])
    found = compared(WIDER, old, stored(tmp_path / "new", WIDER, row, features=list_now))
    assert [s.changed for s in found.seasons] == [changed]


def test_the_page_has_a_row_for_each_table_and_a_column_for_each_season(tmp_path: Path) -> None:
    old = stored(tmp_path / "old", RESULTS, (SPRING, "BOS", 1), (AUTUMN, "BOS", 3))
    new = stored(tmp_path / "new", RESULTS, (SPRING, "BOS", 2), (AUTUMN, "BOS", 3))
    lines = page([compared(RESULTS, old, new)]).splitlines()
    assert lines[0] == "| table | 2023-24 | 2024-25 |"
    assert lines[2] == f"| `{RESULTS.id}` | 1 → 1: 1 changed | 1: the same |"
    assert lines[-1] == f"| `{RESULTS.id}` | `points` 1 | 0 | 0 |"
