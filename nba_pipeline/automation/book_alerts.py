"""Alerts about books: those that are not declared, and those with days on which (nearly) all quotes were rejected."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from nba_pipeline.automation.alert_store import Alert, AlertKind
from nba_pipeline.domain.books import UNKNOWN, Book, kind_of
from nba_pipeline.domain.calendar import describe_days
from nba_pipeline.domain.declared_books import COLUMNS, FILE, declared_kind
from nba_pipeline.tables.raw.columns import ORDINARY
from nba_pipeline.tables.raw.game_lines import GAME_LINES
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.warehouse import Days, Warehouse

QUOTES = (PLAYER_PROP_LINES, GAME_LINES)
LEAST_REJECTED, LARGEST_SHARE = 5, 0.9
DECLARE = f"Fix: declare it in a line of {FILE} in the home ({','.join(COLUMNS)}), then run"
DECLARED = f"is declared in {FILE} since these days were published. Fix: run"
INCLUDED = f"is registered, and {FILE} excludes it no more since these days were published. Fix: run"


@dataclass(frozen=True)
class BookCounts:
    """Quotes by book and day: those in the tables, and those in quarantine with their reasons.

    `kinds`: the kind of each book in the tables; a book without one has the kind that the registry gives it.
    """

    kept: Mapping[tuple[str, date], int]
    rejected: Mapping[tuple[str, date], Mapping[str, int]] = field(default_factory=dict)
    kinds: Mapping[tuple[str, date], str] = field(default_factory=dict)

    @property
    def unknown(self) -> dict[str, dict[date, int]]:
        """Books that count as unknown, with the number of their quotes by day."""
        found: dict[str, dict[date, int]] = {}
        for (book, day), n in sorted(self.kept.items()):
            if self.kinds.get((book, day), kind_of(book, day)) == UNKNOWN:
                found.setdefault(book, {})[day] = n
        return found

    @property
    def rejected_days(self) -> dict[str, list[date]]:
        """By book, the days of which several quotes were rejected, and no more than a few kept."""
        found: dict[str, list[date]] = {}
        for (book, day), reasons in sorted(self.rejected.items()):
            kept = self.kept.get((book, day), 0)
            # Beside quotes that were kept, those captured after tip-off say nothing against a book.
            n = sum(n for reason, n in reasons.items() if not kept or reason not in ORDINARY)
            if n >= LEAST_REJECTED and n >= LARGEST_SHARE * (n + kept):
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
    kinds: dict[tuple[str, date], str] = {}
    rejected: dict[tuple[str, date], Counter[str]] = {}
    for table in QUOTES:
        rows = warehouse.read({"rows": (table, Days(first, last, ("game_date", "bookmaker", "book_kind")))})["rows"]
        counted = rows.group_by(["bookmaker", "game_date", "book_kind"]).aggregate([([], "count_all")]).to_pylist()
        for row in counted:
            kept[row["bookmaker"], row["game_date"]] += row["count_all"]
            if row["book_kind"] is not None:
                kinds[row["bookmaker"], row["game_date"]] = row["book_kind"]
    quarantined = warehouse.quarantine([t.id for t in QUOTES], first, last, dated=True).to_pylist()
    # A day that ran again has its rejected rows again.
    for _, day, reason, row in {(r["table_id"], r["day"], r["reason"], r["row"]) for r in quarantined}:
        book = json.loads(row).get("bookmaker")
        if isinstance(book, str):
            rejected.setdefault((book, day), Counter())[reason] += 1
    return BookCounts(kept, rejected, kinds)


def sentences(counts: BookCounts, declared: Sequence[Book] = ()) -> Sequence[tuple[str, str]]:
    """Return (key, sentence) of every finding, each with what to do.

    Args:
        counts: Quotes by book and day.
        declared: The books that the home declares.
    """
    found = [
        (f"book {name}", _of_unknown(name, days, declared))
        for name, quotes in sorted(counts.unknown.items())
        if (days := {d: n for d, n in quotes.items() if declared_kind(declared, name, d) != UNKNOWN})
    ]
    for name, days in sorted(counts.rejected_days.items()):
        left = sum(counts.kept.get((name, day), 0) for day in days)
        text = (
            f"{f'all but {left} quotes' if left else 'every quote'} of {name} were rejected on {describe_days(days)}: "
            f"{counts.frequent_reason(name, days)}. Fix: list them with `nba-pipeline quarantine` and correct the source"
        )
        found.append((f"book {name} rejected", text if left else text.replace(" were ", " was ", 1)))
    return found


def _of_unknown(name: str, quotes: Mapping[date, int], declared: Sequence[Book]) -> str:
    run = f"`nba-pipeline backfill {min(quotes)} {max(quotes)}`"
    if all(declared_kind(declared, name, day) for day in quotes):
        return f"the book {name} {DECLARED} {run}"
    if all(kind_of(name, day) != UNKNOWN for day in quotes):
        return f"the book {name} {INCLUDED} {run}"
    total = sum(quotes.values())
    return f"the book {name} is in no registry, so that its {total} quotes take part in nothing. {DECLARE} {run}"


def book_alerts(counts: BookCounts, declared: Sequence[Book] = ()) -> list[Alert]:
    """Return an alert per book that is unknown, and per book with days on which nearly every quote was rejected.

    Args:
        counts: Quotes by book and day.
        declared: The books that the home declares.
    """
    return [Alert(AlertKind.BOOK, key, text) for key, text in sentences(counts, declared)]
