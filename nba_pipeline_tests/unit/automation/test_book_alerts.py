"""Books are spoken of where the registry does not know them, and where nothing of what they quote is kept."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from nba_pipeline.automation.book_alerts import BookCounts, book_alerts, count_books
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline.warehouse.protocol import REJECT_SCHEMA

DAY, NEXT = date(2026, 1, 23), date(2026, 1, 24)
AT = datetime(2026, 1, 24, 12, tzinfo=UTC)


def test_an_unknown_book_is_named_once_with_its_quotes_and_the_place_to_declare_it() -> None:
    counts = BookCounts({("new_book", DAY): 3, ("new_book", NEXT): 4, ("fanduel", DAY): 5})
    (alert,) = book_alerts(counts)
    assert alert.key == "book new_book"
    assert "its 7 quotes take part in nothing" in alert.text
    assert "nba_pipeline/domain/books.py" in alert.text


def test_a_book_of_which_every_quote_of_a_day_was_rejected_is_named_with_the_reason() -> None:
    rejected = {
        ("fanduel", DAY): {"outside": 4, "late": 3},
        ("betmgm", DAY): {"outside": 9},
        ("bovada", DAY): {"outside": 4},
    }
    (alert,) = book_alerts(BookCounts({("betmgm", DAY): 1}, rejected))
    assert alert.key == "book fanduel rejected"
    assert f"every quote of fanduel was rejected on {DAY} (1 day): outside" in alert.text


def test_nothing_is_said_of_books_that_are_as_they_should_be() -> None:
    assert book_alerts(BookCounts({("fanduel", DAY): 1, ("pick6", DAY): 1}, {("fanduel", DAY): {"late": 100}})) == []


def test_rows_that_were_rejected_in_several_runs_count_once(tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb")
    rows = [
        {
            "table_id": PLAYER_PROP_LINES.id,
            "day": DAY,
            "reason": "outside",
            "row": f'{{"bookmaker": "fanduel", "line": {n}}}',
        }
        for n in range(3)
    ]
    nothing = PLAYER_PROP_LINES.arrow_schema.empty_table()
    for run in ("first", "second"):
        rejects = pa.Table.from_pylist([r | {"run_id": run, "recorded_at": AT} for r in rows], REJECT_SCHEMA)
        warehouse.replace(PLAYER_PROP_LINES, [DAY], nothing, [], rejects)
    counts = count_books(warehouse, DAY, NEXT)
    assert counts.rejected == {("fanduel", DAY): {"outside": 3}}
    assert not counts.kept
