"""The registry of books: what each is, in which region, since when, and how it settles. A book that is not in it is
`unknown`: its quotes are kept and take part in nothing until it is declared, here or in `books.csv` of a home."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared

Kind = Literal["sportsbook", "exchange", "dfs", "aggregate", "unknown"]
SPORTSBOOK, EXCHANGE, DFS, AGGREGATE, UNKNOWN = "sportsbook", "exchange", "dfs", "aggregate", "unknown"
KINDS: tuple[Kind, ...] = (SPORTSBOOK, EXCHANGE, DFS, AGGREGATE, UNKNOWN)
# Whose quotes on players make lines and prices; of these, only sportsbooks have prices that can be bet at.
QUOTING = (SPORTSBOOK, DFS)
# Whose lines on games are counted: an aggregate is itself a mean over sportsbooks.
GAME_QUOTING = (SPORTSBOOK, AGGREGATE)

# When a bet on a player is void: he does not enter the court, or he plays less than a minute.
NOT_ENTERED, UNDER_A_MINUTE = "not_entered", "under_a_minute"
# How a line of whole numbers settles at exactly the line: the stake comes back.
PUSH = "push"


@dataclass(frozen=True)
class Book:
    """A book under the key by which feeds call it.

    `feed` is the source of its prices where several keys show one: they are one opinion, not two. `first` and `last` are the days
    between which the key means this book; None: no bound is known.
    """

    key: str
    kind: Kind
    region: str
    feed: str = ""
    first: date | None = None
    last: date | None = None
    void_rule: str = NOT_ENTERED
    whole_line: str = PUSH

    def holds(self, day: date) -> bool:
        """Whether the key means this book on a day."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


def _of(kind: Kind, region: str, keys: str) -> list[Book]:
    return [Book(key, kind, region) for key in keys.split()]


US_SPORTSBOOKS = """
    betmgm betonlineag betonline.ag betus bovada caesars williamhill_us draftkings fanatics fanduel lowvig mybookieag
    ballybet betanysports betparx espnbet hardrockbet hardrockbet_az hardrockbet_fl hardrockbet_oh bet365 bet365_us
    circasports superbook sisportsbook tipico_us twinspires wynnbet gtbets intertops everygame thescore fourwinds unspecified
"""
FOREIGN_SPORTSBOOKS = """
    pinnacle betfair_sb_uk betvictor betway boylesports casumo coral grosvenor ladbrokes_uk leovegas livescorebet
    livescorebet_eu paddypower skybet sport888 unibet_uk virginbet williamhill onexbet betclic betsson coolbet
    marathonbet nordicbet suprabets tipico_de unibet_eu unibet_fr unibet_it unibet_nl winamax_de winamax_fr betclic_fr
    parionssport_fr pmu_fr codere_it bet365_au betright boombet ladbrokes_au neds playup pointsbetau sportsbet tab tabtouch
    topsport
"""
DFS_OPERATORS = """
    prizepicks underdog pick6 draftkings_pick6 betr_us_dfs betr_picks sleeper dabble dabble_us_dfs parlayplay chalkboard
    vividpicks boomfantasy hotstreak thrivefantasy ownersbox monkeyknifefight nohouseadvantage jockmkt fanduel_picks
    underdog_fantasy prize_picks
"""
EXCHANGES = """
    betopenly novig prophetx prophet_exchange kalshi polymarket sporttrade betfair betfair_ex_uk betfair_ex_eu betfair_ex_au
    matchbook smarkets
"""
BOOKS: tuple[Book, ...] = (
    *_of(SPORTSBOOK, "us", US_SPORTSBOOKS),
    *_of(SPORTSBOOK, "abroad", FOREIGN_SPORTSBOOKS),
    *_of(DFS, "us_dfs", DFS_OPERATORS),
    *_of(EXCHANGE, "exchange", EXCHANGES),
    # Keys of one operator whose prices come from one supplier.
    *(Book(key, SPORTSBOOK, "us", feed="kambi") for key in ("betrivers", "sugarhouse", "unibet", "unibet_us")),
    *(Book(key, SPORTSBOOK, "us", feed="pointsbet") for key in ("pointsbet", "pointsbetus")),
    # Renamed to espnbet in November 2023; feeds used the old key until the end of the year. Later it belongs to no book.
    *(Book(key, SPORTSBOOK, "us", last=date(2023, 12, 31)) for key in ("barstool", "barstoolsportsbook")),
    Book("foxbet", SPORTSBOOK, "us", last=date(2023, 8, 31)),
    *_of(AGGREGATE, "none", "consensus mean_of_books"),
)


def normal_key(key: str) -> str:
    """A book's key without upper case, blanks and punctuation: `BetOnline.ag` and `betonlineag` are one book."""
    return re.sub(r"[^a-z0-9]", "", key.lower())


@cache
def registry() -> Mapping[str, tuple[Book, ...]]:
    """The books by normal key."""
    found: dict[str, tuple[Book, ...]] = {}
    for book in BOOKS:
        key = normal_key(book.key)
        if book not in found.get(key, ()):
            found[key] = (*found.get(key, ()), book)
    return found


def kind_of(key: str, day: date) -> str:
    """What a book is on a day: one of KINDS."""
    return next((b.kind for b in registry().get(normal_key(key), ()) if b.holds(day)), UNKNOWN)


def unknown_books(quoted: Iterable[tuple[str, date]]) -> list[str]:
    """The keys that no book of the registry has on the day of the quote, sorted."""
    return sorted({key for key, day in quoted if kind_of(key, day) == UNKNOWN})


def kind_expression(bookmaker: ir.StringValue, day: ir.DateValue) -> ir.StringValue:
    """`kind_of` for columns."""
    return _kind_of_key(_key_expression(bookmaker), day)


def _key_expression(bookmaker: ir.StringValue) -> ir.StringValue:
    """`normal_key` for a column."""
    return bookmaker.lower().re_replace(r"[^a-z0-9]", "")


def _kind_of_key(key: ir.StringValue, day: ir.DateValue) -> ir.StringValue:
    dated: list[Book] = []
    undated: dict[str, list[str]] = {}
    for name, books in registry().items():
        for book in books:
            if book.first is None and book.last is None:
                undated.setdefault(book.kind, []).append(name)
            else:
                dated.append(book)
    cases = [(key.isin(sorted(set(names))), kind) for kind, names in undated.items()]
    cases += [((key == normal_key(book.key)) & _within(book, day), book.kind) for book in dated]
    return ibis.cases(*cases, else_=UNKNOWN)


def kind_of_quote(quotes: ir.Table) -> ir.StringValue:
    """Return what the book of each quote is: as stated in `book_kind`, else as registered on its `game_date`."""
    return quotes.book_kind.nullif("").coalesce(kind_expression(quotes.bookmaker, quotes.game_date))


def with_kind_of_quote(quotes: ir.Table, feed: ir.Table) -> ir.Table:
    """Replace `book_kind` by `kind_of_quote`; the key of each distinct book is normalised once.

    Args:
        quotes: Quotes with `bookmaker`, `book_kind` and `game_date`.
        feed: The feed that the quotes are from, which the books are read of.
    """
    named = feed.select("bookmaker").distinct()
    keys = named.select(__bookmaker=named.bookmaker, __key=_key_expression(named.bookmaker))
    keyed = shared(quotes.left_join(keys, quotes.bookmaker == keys["__bookmaker"]).select(quotes, keys["__key"]))
    kind = keyed.book_kind.nullif("").coalesce(_kind_of_key(keyed["__key"], keyed.game_date))
    return keyed.mutate(book_kind=kind).select(quotes.columns)


def feed_expression(bookmaker: ir.StringValue) -> ir.StringValue:
    """Return the supplier of a book's prices, else the book itself: what counts as one opinion on a line."""
    feeds: dict[str, list[str]] = {}
    for book in BOOKS:
        if book.feed:
            feeds.setdefault(book.feed, []).append(normal_key(book.key))
    key = _key_expression(bookmaker)
    return ibis.cases(*[(key.isin(sorted(set(keys))), feed) for feed, keys in feeds.items()], else_=bookmaker)


def _within(book: Book, day: ir.DateValue) -> ir.BooleanValue:
    bounds = [day >= ibis.date(book.first)] if book.first else []
    bounds += [day <= ibis.date(book.last)] if book.last else []
    return ibis.and_(*bounds)
