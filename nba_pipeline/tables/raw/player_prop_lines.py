"""nba_raw.player_prop_lines: bookmakers' quotes on player markets."""

from datetime import UTC, date, datetime

import ibis

from nba_pipeline import asof
from nba_pipeline.asof.cutoffs import captured_as_close, captured_late, documented_close
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal, shared, union
from nba_pipeline.contracts.table import Instant, Rows, Table, column
from nba_pipeline.domain import books
from nba_pipeline.domain.calendar import GAME_ID
from nba_pipeline.domain.identity.spelling import WAYS
from nba_pipeline.domain.player_names import with_lookup
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources import landing as feeds
from nba_pipeline.tables.raw.columns import (
    LINE_CAPTURED_LATE,
    ORDINARY,
    UNSCHEDULED,
    called_off_reason,
    first_reason,
    landing_reason,
    when,
)
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.tables.shared import columns, quote_bounds
from nba_pipeline.tables.shared.keys import GAME

MARKETS = ("points", "rebounds", "assists", "threes", "pra", "pr", "pa", "ra", "blocks", "steals")
MAIN_KINDS = ("standard", "main", "quoted")
COPY = "the same quote is there more than once; the one that was seen last was kept"
MOMENT = (
    *("game_date", "game_id", "player_id", "player_lookup", "market", "bookmaker", "line", "line_kind"),
    "captured_at",
)
PRICES = ("over_odds", "under_odds")
# In place of unknown values, where quotes are told apart.
NO_DAY, NO_CAPTURE = date(1, 1, 1), datetime(1, 1, 1, tzinfo=UTC)


class PlayerPropLines(Rows):
    """Quotes on a player's over/under markets, each with the time it was first captured.
    One row per game, player, market, book, line, kind of line, capture and pair of prices."""

    game_date: date = columns.GAME_DATE
    game_id: str = column("NBA game id; NULL where the source did not resolve it", nullable=True, str_matches=GAME_ID)
    player_id: int = column("NBA person id; NULL where the name could not be resolved", nullable=True, gt=0)
    player_name: str = column("display name", str_matches=r"^.{1,100}$")
    player_lookup: str = columns.PLAYER_LOOKUP
    resolved_by: str = column(
        "rule that resolved the id: source (the source provides the id) or the spelling rule that matched; unknown: not resolved",
        nullable=True,
        hashed=False,
        isin=list(WAYS),
    )
    market: str = column("statistic that is bet on", isin=list(MARKETS))
    bookmaker: str = column("book", str_matches=r"^.{1,60}$")
    book_kind: str = column(
        "sportsbook; exchange; dfs: a pick'em operator without two-way prices; aggregate: a mean of books; unknown: not in "
        "the registry of books and not declared by the home, so the quote is used for no line and no price",
        isin=list(books.KINDS),
    )
    line: float = column("over/under line", precision=2, gt=0, le=150)
    line_kind: str = column("main quote or an alternate", isin=["main", "alternate"])
    over_odds: float = column("American odds of the over", precision=1, nullable=True)
    under_odds: float = column("American odds of the under", precision=1, nullable=True)
    captured_at: Instant = column(
        "time the quote was first seen (UTC); NULL if the source does not state it", nullable=True
    )
    last_seen_at: Instant = column(
        "time the quote was last seen (UTC); NULL if the source does not state it", nullable=True
    )
    ended_at: Instant = column(
        "time the book was first captured without the quote, which it withdrew or moved (UTC); NULL if there is no later capture",
        nullable=True,
    )
    contradicted: bool = column(
        "true if the book shows the same line with other prices at the same time: the line counts, the prices do not"
    )
    documented_pre_game: bool = column("true if the source documents the quote as its last main quote before the game")
    evaluation_only: bool = column(
        "true for a documented close that was captured after the scheduled tip-off, but within what the source's times declare as"
        " before the real one (nba_pipeline.domain.quote_times): for evaluation, read by no line, price or feature; NULL in rows"
        " of earlier releases, which had none",
        nullable=True,
        hashed=False,
    )
    source: str = column("name of the source that captured the quote", nullable=True)


PLAYER_PROP_LINES = Table(
    model=PlayerPropLines,
    name="player_prop_lines",
    dataset="nba_raw",
    key=(*MOMENT, *PRICES),
    partition="game_date",
    cluster=("player_id", "market"),
    on_bad_row="quarantine",
    rules={
        "a line is not a multiple of one half": lambda t: (t.line * 2) == (t.line * 2).round(),
        "American odds lie between -100 and 100": lambda t: (t.over_odds.abs() >= 100) & (t.under_odds.abs() >= 100),
        "the line is above any plausible one of its market": lambda t: quote_bounds.line_is_plausible(t.market, t.line),
        "American odds are outside the plausible range": lambda t: (
            quote_bounds.price_is_plausible(t.line_kind, t.over_odds)
            & quote_bounds.price_is_plausible(t.line_kind, t.under_odds)
        ),
        "the implied probabilities of over and under do not add up to what such a book quotes": lambda t: (
            quote_bounds.pair_is_plausible(t.book_kind, t.over_odds, t.under_odds)
        ),
        "the quote was last seen before it was first seen": lambda t: t.last_seen_at >= t.captured_at,
        "a quote for evaluation only without a capture time": lambda t: (
            ~t.evaluation_only.fill_null(False) | t.captured_at.notnull()
        ),
        "the quote ended before it was last seen": lambda t: t.ended_at >= t.last_seen_at,
    },
)


def build(landing: ir.Table, schedule: ir.Table) -> ir.Table:
    """Type the quotes, mark contradictions, and reject copies and quotes first seen after the scheduled tip-off.

    Documented closes of the minutes after it stay, as evaluation only.
    """
    named = landing.mutate(player_name=landing.player_name.coalesce(landing.player_name_source))
    feed, landing = landing, with_lookup(named, "player_name")
    rows = landing.left_join(schedule, equal(landing, schedule, *GAME))
    times = (landing.first_seen_utc, schedule.tip_off, landing.source)
    close = captured_as_close(*times, landing.is_closing_main)
    typed = rows.select(
        game_date=landing.game_date,
        game_id=landing.game_id,
        player_id=landing.player_id,
        player_name=landing.player_name,
        player_lookup=landing.player_lookup,
        resolved_by=landing.resolved_by,
        market=landing.market,
        bookmaker=landing.bookmaker,
        book_kind=landing.book_kind,
        line=landing.line,
        line_kind=landing.line_kind.isin(MAIN_KINDS).fill_null(False).ifelse("main", "alternate"),
        over_odds=landing.over_odds,
        under_odds=landing.under_odds,
        captured_at=landing.first_seen_utc,
        last_seen_at=landing.last_seen_utc,
        ended_at=landing.ended_utc,
        documented_pre_game=documented_close(landing.is_closing_main, landing.source),
        evaluation_only=close,
        source=landing.source,
        reject_reason=first_reason(
            landing_reason(landing),
            when(landing.game_id.notnull() & schedule.game_id.isnull(), UNSCHEDULED),
            when(captured_late(*times) & ~close, LINE_CAPTURED_LATE),
        ),
    )
    return _marked(books.with_kind_of_quote(typed, feed))


def _marked(quotes: ir.Table) -> ir.Table:
    """The quotes with `contradicted`; copies of a quote but the one that was seen last get a reason to be refused.

    Hardly any moment has several quotes. Only these are compared: to sort all others, too, would be most of the work.
    """
    likely = _likely_moment(quotes)
    counted = quotes.group_by(**likely).aggregate(__quotes=quotes.count())
    several, keyed = counted.filter(counted["__quotes"] > 1), quotes.mutate(**likely)
    compared = _compared(shared(keyed.semi_join(several, list(likely))))
    single = shared(keyed.anti_join(compared, list(likely))).mutate(contradicted=ibis.literal(False))
    return union(single.select(*compared.columns), compared).drop(*likely)


def _likely_moment(quotes: ir.Table) -> dict[str, ir.Value]:
    """Values, never NULL, that are equal in all quotes of a moment; hardly ever in others."""
    return {
        "of_day": quotes.game_date.fill_null(NO_DAY),
        "of_player": quotes.player_lookup.fill_null(""),
        "of_market": quotes.market.fill_null(""),
        "of_book": quotes.bookmaker.fill_null(""),
        "of_line": quotes.line.fill_null(0.0),
        "of_kind": quotes.line_kind,
        "of_capture": quotes.captured_at.fill_null(NO_CAPTURE),
    }


def _compared(quotes: ir.Table) -> ir.Table:
    """The quotes with `contradicted` and the copies refused, from windows over all quotes of a moment."""
    usable = quotes.reject_reason.isnull() & _plausible(quotes)
    priced = quotes.mutate(__over=usable.ifelse(quotes.over_odds, None), __under=usable.ifelse(quotes.under_odds, None))
    moment = ibis.window(group_by=list(MOMENT))
    over_differs, under_differs = (
        (priced[c].max().over(moment) > priced[c].min().over(moment)).fill_null(False) for c in ("__over", "__under")
    )
    order = [
        priced.reject_reason.notnull(),
        ibis.desc(priced.last_seen_at, nulls_first=False),
        ibis.desc(priced.ended_at, nulls_first=False),
        ibis.desc(priced.documented_pre_game),
        ibis.asc(priced.source, nulls_first=False),
        priced.player_name,
    ]
    copies = ibis.window(group_by=[*MOMENT, *PRICES], order_by=order)
    marked = priced.mutate(contradicted=over_differs | under_differs, __copy=ibis.row_number().over(copies))
    reason = first_reason(marked.reject_reason, when(marked["__copy"] > 0, COPY))
    return marked.mutate(reject_reason=reason).drop("__over", "__under", "__copy")


def _plausible(quotes: ir.Table) -> ir.BooleanValue:
    """Whether no bound speaks against the prices: an absurd copy does not contradict a good one."""
    return (
        quote_bounds.price_is_plausible(quotes.line_kind, quotes.over_odds).fill_null(True)
        & quote_bounds.price_is_plausible(quotes.line_kind, quotes.under_odds).fill_null(True)
        & quote_bounds.pair_is_plausible(quotes.book_kind, quotes.over_odds, quotes.under_odds).fill_null(True)
    )


def expected(schedule: ir.Table) -> ir.Table:
    """Return every countable game, with the reason recorded if the source has no lines for it."""
    games = schedule.filter(schedule.countable)
    reason = called_off_reason(games).fill_null("the source has no player lines for the game")
    return games.select(*GAME, reason=reason)


TRANSFORM = Transform(
    PLAYER_PROP_LINES,
    build,
    reads={"schedule": asof.same_day(SCHEDULE)},
    feeds={"landing": feeds.PROP_LINES},
    expected=expected,
    counted="games",
    ordinary_rejects=ORDINARY,
    watched=("player_id", "over_odds", "captured_at"),
)
