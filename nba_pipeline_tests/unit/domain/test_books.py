"""What a book is on a day: one registry, in Python and in SQL alike."""

from datetime import date, timedelta

import ibis
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.domain import books

DAY = date(2024, 1, 5)


def in_sql(key: str, day: date) -> str | None:
    kind = books.kind_expression(ibis.literal(key), ibis.date(day))
    with duck.connect() as db:
        (value,) = db.execute(str(ibis.to_sql(kind, dialect="duckdb"))).fetchone() or (None,)
    return value


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("prizepicks", "dfs"),
        ("underdog", "dfs"),
        ("pick6", "dfs"),
        ("betr_us_dfs", "dfs"),
        ("Betr_US_DFS", "dfs"),
        ("novig", "exchange"),
        ("prophetx", "exchange"),
        ("betopenly", "exchange"),
        ("polymarket", "exchange"),
        ("BetOnline.ag", "sportsbook"),
        ("pointsbet(us)", "sportsbook"),
        ("consensus", "aggregate"),
        ("new_book_2027", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_key_means_a_book_however_it_is_written(key: str, kind: str) -> None:
    assert books.kind_of(key, DAY) == kind
    assert in_sql(key, DAY) == kind


def test_a_book_that_ended_is_unknown_afterwards() -> None:
    last = date(2023, 12, 31)
    for day, kind in ((last, "sportsbook"), (last + timedelta(days=1), "unknown")):
        assert books.kind_of("barstool", day) == kind
        assert in_sql("barstool", day) == kind


def test_keys_of_one_supplier_say_so() -> None:
    feeds = {b.key: b.feed for b in books.BOOKS}
    assert feeds["betrivers"] == feeds["unibet_us"] != ""
    assert feeds["pointsbet"] == feeds["pointsbetus"] != feeds["betrivers"]
    assert feeds["draftkings"] == ""


def test_no_key_means_two_books_on_one_day() -> None:
    for entries in books.registry().values():
        assert len({(b.kind, b.feed) for b in entries if b.holds(DAY)}) <= 1


def test_unknown_books_are_named_once() -> None:
    quoted = [("fanduel", DAY), ("b2", DAY), ("b1", DAY), ("b2", DAY), ("foxbet", DAY)]
    assert books.unknown_books(quoted) == ["b1", "b2", "foxbet"]
