"""What is to be said about books: those that the registry does not know, and those whose quotes are all rejected."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from nba_pipeline.automation.alert_store import Alert, AlertKind
from nba_pipeline.domain.books import unknown_books
from nba_pipeline.tables.raw.game_lines import GAME_LINES
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.warehouse import Days, Warehouse

QUOTES = (PLAYER_PROP_LINES, GAME_LINES)
LEAST_REJECTED = 5
DECLARE = "declare what it is in nba_pipeline/domain/books.py"


@dataclass(frozen=True)
class BookCounts:
    """Quotes by book and day: those in the tables, and those in quarantine with their reasons."""

    kept: Mapping[tuple[str, date], int]
    rejected: Mapping[tuple[str, date], Mapping[str, int]] = field(default_factory=dict)

    @property
    def unknown(self) -> dict[str, int]:
        """Books that the registry does not have, with the number of their quotes."""
        names = unknown_books(self.kept)
        return {name: sum(n for (book, _), n in self.kept.items() if book == name) for name in names}

    @property
    def rejected_whole(self) -> dict[tuple[str, date], str]:
        """Books and days of which no quote was kept and several were rejected, with the most frequent reason."""
        return {
            at: max(sorted(reasons), key=lambda r: reasons[r])
            for at, reasons in self.rejected.items()
            if at not in self.kept and sum(reasons.values()) >= LEAST_REJECTED
        }


def count_books(warehouse: Warehouse, first: date, last: date) -> BookCounts:
    """Count the quotes of every book on these days, of players and of games."""
    kept: Counter[tuple[str, date]] = Counter()
    rejected: dict[tuple[str, date], Counter[str]] = {}
    for table in QUOTES:
        rows = warehouse.read({"rows": (table, Days(first, last, ("game_date", "bookmaker")))})["rows"]
        kept.update(zip(rows["bookmaker"].to_pylist(), rows["game_date"].to_pylist(), strict=True))
        # A day that ran again has its rejected rows again.
        quarantined = {
            (r["day"], r["reason"], r["row"]) for r in warehouse.quarantine(table.id, first, last).to_pylist()
        }
        for day, reason, row in quarantined:
            book = json.loads(row).get("bookmaker")
            if day is not None and isinstance(book, str):
                rejected.setdefault((book, day), Counter())[reason] += 1
    return BookCounts(kept, rejected)


def sentences(counts: BookCounts) -> Sequence[tuple[str, str]]:
    """(key, sentence) of everything that is to be said, each with what to do."""
    found = [
        (f"book {name}", f"the book {name} is in no registry, so that its {n} quotes take part in nothing; {DECLARE}")
        for name, n in sorted(counts.unknown.items())
    ]
    found += [
        (
            f"book {name} {day}",
            f"every quote of {name} on {day} was rejected: {reason}; nba-pipeline quarantine --table player_prop_lines",
        )
        for (name, day), reason in sorted(counts.rejected_whole.items())
    ]
    return found


def book_alerts(counts: BookCounts) -> list[Alert]:
    """An alert per book that is unknown, and per book and day all of whose quotes were rejected."""
    return [Alert(AlertKind.BOOK, key, text) for key, text in sentences(counts)]
