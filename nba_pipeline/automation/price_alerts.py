"""Notes and alerts about books whose prices contradict those of the others: a feed that mixes sides or lines up."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from nba_pipeline.automation.alert_store import Alert, AlertKind
from nba_pipeline.domain.calendar import describe_days
from nba_pipeline.domain.declared_books import EXCLUDED, FILE
from nba_pipeline.tables.predictions.prop_prices import NO_PRICE, OUTLIER, PICKEM, PROP_PRICES
from nba_pipeline.warehouse import Days, Warehouse

# Of sound books 2 prices in 100 are excluded as outlying at most, of feeds that mix sides up 8 to 80 (docs/models.md).
LEAST_OUTLYING, LARGEST_SHARE = 5, 0.05
COLUMNS = ("game_date", "bookmaker", "exclusion", "is_pricing_system")
FIX = (
    "Fix: compare them with what the book shows (`nba-pipeline export nba_predictions.prop_prices FIRST LAST`) and correct the"
    f" feed, or leave the book out with a line BOOK,{EXCLUDED},,FIRST,LAST in {FILE} of the home, and run"
)


@dataclass(frozen=True)
class BookPrices:
    """The prices of a book on some days, and the days of those that are excluded as outlying."""

    book: str
    prices: int
    outlying: Mapping[date, int]

    @property
    def excluded(self) -> int:
        """How many prices are excluded as outlying."""
        return sum(self.outlying.values())


def contradicted_books(warehouse: Warehouse, first: date, last: date) -> list[BookPrices]:
    """List the books of which several prices, and a share that sound books do not reach, are excluded as outlying.

    Args:
        warehouse: The warehouse.
        first: The first day.
        last: The last day, inclusive.
    """
    rows = warehouse.read({"prices": (PROP_PRICES, Days(first, last, COLUMNS))})["prices"]
    counted = rows.group_by(list(COLUMNS)).aggregate([([], "count_all")]).to_pylist()
    prices: Counter[str] = Counter()
    outlying: dict[str, Counter[date]] = {}
    for row in counted:
        if not row["is_pricing_system"] or row["exclusion"] in (PICKEM, NO_PRICE):
            continue
        prices[row["bookmaker"]] += row["count_all"]
        if row["exclusion"] == OUTLIER:
            outlying.setdefault(row["bookmaker"], Counter())[row["game_date"]] += row["count_all"]
    found = [BookPrices(book, prices[book], days) for book, days in sorted(outlying.items())]
    return [b for b in found if b.excluded >= max(LEAST_OUTLYING, LARGEST_SHARE * b.prices)]


def price_notes(books: Sequence[BookPrices]) -> list[str]:
    """Describe each book in a sentence with what to do."""
    return [
        f"{b.excluded} of {b.prices} prices of {b.book} contradict the other books, on"
        f" {describe_days(sorted(b.outlying))}, and are excluded as outlying. {FIX} `nba-pipeline backfill {min(b.outlying)}"
        f" {max(b.outlying)}`"
        for b in books
    ]


def price_alerts(books: Sequence[BookPrices]) -> list[Alert]:
    """Return an alert per book."""
    return [
        Alert(AlertKind.PRICE, f"prices of {b.book}", note) for b, note in zip(books, price_notes(books), strict=True)
    ]
