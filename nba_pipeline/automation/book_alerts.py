"""Alerts about books: those that the registry does not have, and those with days on which every quote was rejected."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from nba_pipeline.automation.alert_store import Alert, AlertKind
from nba_pipeline.domain.books import unknown_books
from nba_pipeline.domain.calendar import describe_days
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
    def rejected_days(self) -> dict[str, list[date]]:
        """By book, the days of which no quote was kept and several were rejected."""
        found: dict[str, list[date]] = {}
        for (book, day), reasons in sorted(self.rejected.items()):
            if (book, day) not in self.kept and sum(reasons.values()) >= LEAST_REJECTED:
                found.setdefault(book, []).append(day)
        return found

    def frequent_reason(self, book: str, days: Sequence[date]) -> str:
        """The most frequent reason for which the quotes of a book were rejected on these days."""
        total: Counter[str] = Counter()
        for day in days:
            total.update(self.rejected[book, day])
        return max(sorted(total), key=lambda reason: total[reason])


def count_books(warehouse: Warehouse, first: date, last: date) -> BookCounts:
    """Count the quotes of every book on these days, of players and of games."""
    kept: Counter[tuple[str, date]] = Counter()
    rejected: dict[tuple[str, date], Counter[str]] = {}
    for table in QUOTES:
        rows = warehouse.read({"rows": (table, Days(first, last, ("game_date", "bookmaker")))})["rows"]
        counted = rows.group_by(["bookmaker", "game_date"]).aggregate([([], "count_all")]).to_pylist()
        for row in counted:
            kept[row["bookmaker"], row["game_date"]] += row["count_all"]
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
    """Return (key, sentence) of every finding, each with what to do."""
    found = [
        (f"book {name}", f"the book {name} is in no registry, so that its {n} quotes take part in nothing; {DECLARE}")
        for name, n in sorted(counts.unknown.items())
    ]
    found += [
        (
            f"book {name} rejected",
            f"every quote of {name} was rejected on {describe_days(days)}: {counts.frequent_reason(name, days)}; "
            "nba-pipeline quarantine shows them",
        )
        for name, days in sorted(counts.rejected_days.items())
    ]
    return found


def book_alerts(counts: BookCounts) -> list[Alert]:
    """Return an alert per book that is unknown, and per book with days on which every quote was rejected."""
    return [Alert(AlertKind.BOOK, key, text) for key, text in sentences(counts)]
