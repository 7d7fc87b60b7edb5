"""Books are spoken of where the registry does not know them, and where nothing of what they quote is kept."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from nba_pipeline.automation.book_alerts import BookCounts, book_alerts, count_books
from nba_pipeline.domain.books import Book
from nba_pipeline.tables.raw.columns import LINE_CAPTURED_LATE
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
    assert "books.csv in the home (book,kind,region,first_day,last_day)" in alert.text
    assert f"nba-pipeline backfill {DAY} {NEXT}" in alert.text


def test_a_book_that_was_declared_since_is_named_with_the_days_to_run_again() -> None:
    counts = BookCounts({("new_book", DAY): 3}, kinds={("new_book", DAY): "unknown"})
    (alert,) = book_alerts(counts, [Book("New-Book", "sportsbook", "us")])
    assert "is declared in books.csv since these days were published" in alert.text
    assert book_alerts(BookCounts({("new_book", DAY): 3}, kinds={("new_book", DAY): "sportsbook"})) == []


def test_a_book_that_the_home_leaves_out_is_as_it_should_be_on_these_days() -> None:
    counts = BookCounts({("betrivers", DAY): 3, ("betrivers", NEXT): 4}, kinds={("betrivers", DAY): "unknown"})
    left_out = Book("betrivers", "unknown", "none", first=DAY, last=DAY)
    assert book_alerts(counts, [left_out]) == []


def test_a_registered_book_that_the_home_leaves_out_no_more_is_to_be_run_again() -> None:
    (alert,) = book_alerts(BookCounts({("betrivers", DAY): 3}, kinds={("betrivers", DAY): "unknown"}))
    assert "betrivers is registered, and books.csv excludes it no more" in alert.text
    assert alert.text.endswith(f"`nba-pipeline backfill {DAY} {DAY}`")


def test_a_book_of_which_every_quote_of_a_day_was_rejected_is_named_with_the_reason() -> None:
    rejected = {
        ("fanduel", DAY): {"outside": 4, "late": 3},
        ("betmgm", DAY): {"outside": 9},
        ("bovada", DAY): {"outside": 4},
    }
    (alert, other) = sorted(book_alerts(BookCounts({("betmgm", DAY): 1}, rejected)), key=lambda a: a.key, reverse=True)
    assert (alert.key, other.key) == ("book fanduel rejected", "book betmgm rejected")
    assert f"all but 1 quotes of betmgm were rejected on {DAY}" in other.text
    assert book_alerts(BookCounts({("betmgm", DAY): 2}, {("betmgm", DAY): {"outside": 9}})) == []
    assert f"every quote of fanduel was rejected on {DAY} (1 day): outside" in alert.text


def test_nothing_is_said_of_books_that_are_as_they_should_be() -> None:
    late = {("fanduel", DAY): {LINE_CAPTURED_LATE: 100}}
    assert book_alerts(BookCounts({("fanduel", DAY): 1, ("pick6", DAY): 1}, late)) == []


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
