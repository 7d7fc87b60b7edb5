"""Books that a home declares: `books.csv`, for keys that the registry does not have, or has otherwise."""

import csv
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.domain.books import KINDS, UNKNOWN, Book, Kind, normal_key

FILE = "books.csv"
COLUMNS = ("book", "kind", "region", "first_day", "last_day")
# A book whose feed is wrong on some days counts as an unknown one: its quotes are kept and take part in nothing.
EXCLUDED = "excluded"
BY_NAME: dict[str, Kind] = {**{k: k for k in KINDS if k != UNKNOWN}, EXCLUDED: "unknown"}


def read_books(home: Path | None) -> tuple[Book, ...]:
    """Read the books that a home declares; none without a file.

    Raises:
        ConfigurationError: The file lacks a column, or a line has no key, another kind, or days that cannot be read or overlap.
    """
    path = home / FILE if home else None
    if path is None or not path.is_file():
        return ()
    books: list[Book] = []
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if not set(COLUMNS) <= set(rows.fieldnames or ()):
            raise ConfigurationError(
                f"{path}: columns are missing", f"give it the header line {','.join(COLUMNS)},note"
            )
        for number, row in enumerate(rows, start=2):
            where = f"{path}, line {number}"
            book = _book({c: (row[c] or "").strip() for c in COLUMNS}, where)
            if any(_overlap(book, other) for other in books):
                raise ConfigurationError(f"{where}: the book {book.key!r} is declared twice for a day", "keep one line")
            books.append(book)
    return tuple(books)


def declared_kind(books: Iterable[Book], key: str, day: date) -> str | None:
    """Return what a home declares a book to be on a day; None where it declares nothing of it.

    Args:
        books: The declared books.
        key: The key by which a feed calls the book.
        day: The day of the game.
    """
    return next((b.kind for b in books if normal_key(b.key) == normal_key(key) and b.holds(day)), None)


def _book(given: dict[str, str], where: str) -> Book:
    if not normal_key(given["book"]):
        raise ConfigurationError(f"{where}: book is empty", "write the key by which the feed calls the book")
    kind = BY_NAME.get(given["kind"].lower())
    if kind is None:
        raise ConfigurationError(f"{where}: there is no kind {given['kind']!r}", f"choose from {', '.join(BY_NAME)}")
    first, last = (_day(given[c], f"{where}, {c}") for c in ("first_day", "last_day"))
    if first and last and last < first:
        raise ConfigurationError(f"{where}: {first}..{last} is no range of days", "correct the days")
    return Book(given["book"], kind, given["region"] or "none", first=first, last=last)


def _day(text: str, where: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ConfigurationError(
            f"{where}: {text!r} is not a day", "write it as 2024-01-31, or leave it empty"
        ) from None


def _overlap(book: Book, other: Book) -> bool:
    first = max(book.first or date.min, other.first or date.min)
    last = min(book.last or date.max, other.last or date.max)
    return normal_key(book.key) == normal_key(other.key) and first <= last
