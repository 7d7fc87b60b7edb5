"""A home declares books that the registry does not have; a line that says nothing clear is refused by its number."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.domain.declared_books import declared_kind, read_books
from nba_pipeline.sources.resolved import with_declared_books

HEADER = "book,kind,region,first_day,last_day,note\n"


def declared(home: Path, *lines: str) -> Path:
    (home / "books.csv").write_text(HEADER + "\n".join(lines) + "\n")
    return home


def test_a_book_is_what_the_home_says_between_its_days(tmp_path: Path) -> None:
    books = read_books(
        declared(tmp_path, "New.Book,Sportsbook,us,2024-01-01,2024-06-30,", "newbook,exchange,us,2024-07-01,,")
    )
    kinds = [declared_kind(books, "newbook", date(y, m, 1)) for y, m in ((2023, 12), (2024, 1), (2024, 7))]
    assert kinds == [None, "sportsbook", "exchange"]
    assert declared_kind(books, "other", date(2024, 1, 1)) is None
    assert read_books(tmp_path / "elsewhere") == read_books(None) == ()


def test_a_book_whose_feed_is_wrong_can_be_left_out_between_days(tmp_path: Path) -> None:
    books = read_books(declared(tmp_path, "betrivers,excluded,,2024-10-22,2024-12-18,sides mixed up"))
    rows = pa.table({"bookmaker": ["betrivers"] * 2, "game_date": [date(2024, 12, 18), date(2024, 12, 19)]})
    rows = rows.append_column("book_kind", pa.nulls(2, pa.string()))
    assert with_declared_books(rows, books, "game_date")["book_kind"].to_pylist() == ["unknown", None]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x,casino,us,,,", "line 2: there is no kind 'casino'"),
        ("x,unknown,us,,,", "line 2: there is no kind 'unknown'"),
        (",dfs,us,,,", "line 2: book is empty"),
        ("x,dfs,us,soon,,", "first_day: 'soon' is not a day"),
        ("x,dfs,us,2024-02-01,2024-01-01,", "2024-02-01..2024-01-01 is no range of days"),
        ("x,dfs,us,,,\nX!,dfs,us,2024-01-01,,", "line 3: the book 'X!' is declared twice"),
    ],
)
def test_a_line_that_cannot_be_meant_is_refused_by_its_number(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_books(declared(tmp_path, line))


def test_quotes_of_declared_books_are_marked_and_a_feed_that_says_itself_is_believed(tmp_path: Path) -> None:
    books = read_books(declared(tmp_path, "newbook,dfs,us,2024-01-01,,"))
    days = [date(2023, 12, 31), *[date(2024, 1, 1)] * 4]
    keys = ["newbook", "NewBook", "newbook", "fanduel", None]
    rows = pa.table({"bookmaker": keys, "game_date": days, "book_kind": [None, None, "exchange", None, None]})
    marked = with_declared_books(rows, books, "game_date")["book_kind"].to_pylist()
    assert marked == [None, "dfs", "exchange", None, None]
    assert with_declared_books(rows, (), "game_date") is rows
