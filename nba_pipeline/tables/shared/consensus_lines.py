"""The market's lines as of the cut-off: the quote in force at each book, their consensus and its opening.

A quote counts when it was first seen before the cut-off of its game. A quote without a capture time counts only if
the source documents it as the last one before the game. Sportsbooks come first: quotes of DFS operators count
only if no sportsbook quotes the player.
"""

from collections.abc import Sequence

import ibis

from nba_pipeline.asof.cutoffs import captured_in_time
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import medians, shared
from nba_pipeline.domain.books import QUOTING, SPORTSBOOK, feed_expression
from nba_pipeline.tables.shared import exact_sums as exact
from nba_pipeline.tables.shared.odds import implied_probability, is_contradictory, is_possible_pair

BALANCE_UNKNOWN = 10_000.0
LOGIT_PRECISION = 6
# How far, in logits of the over, a price may lie from the median of the suppliers at its line. Of sound books 6 prices in 10,000
# lie farther at most, of a feed that mixed its sides up for two months 16 in 100 of the season's threes.
OUTLYING_LOGIT = 0.4
# The columns of nba_raw.player_prop_lines that a consensus is made of: the others are not even read.
QUOTED = (
    *("game_date", "game_id", "player_id", "market", "bookmaker", "book_kind", "line", "line_kind"),
    *("over_odds", "under_odds", "captured_at", "last_seen_at", "ended_at", "documented_pre_game", "contradicted"),
)
COUNTED = (
    *("game_date", "player_id", "cutoff_at", "market", "bookmaker", "book_kind", "known_at"),
    *("line", "first_line", "over_odds", "under_odds"),
)


def in_force(quotes: ir.Table, games: ir.Table, *, closes: bool = False) -> ir.Table:
    """Main quotes of sportsbooks and DFS operators in force at the cut-off, one per player, market and book: the latest, and
    the most balanced of several. What a book was seen to have withdrawn by then is not in force, and what was last seen before
    the cut-off gives way to what was not seen to end by then; where a book contradicts itself, the line is and has no price. A
    quote counts for the game that it is on; one whose game the source did not resolve, for the player's game of the day.

    Shapes: `quotes` as nba_raw.player_prop_lines; `games` has (game_date, game_id, player_id, cutoff_at), one row per player, day
    and cut-off. Adds `known_at` (when the quote was last known before the cut-off) and the book's first line, `first_line`. With
    `closes`, for grading alone, closes that were captured after the scheduled tip-off (`evaluation_only`) are in force too.
    """
    on_game = (quotes.game_id == games.game_id).fill_null(True)
    known = quotes.inner_join(
        games, [quotes.game_date == games.game_date, quotes.player_id == games.player_id, on_game]
    )
    in_time = captured_in_time(quotes.captured_at, games.cutoff_at).fill_null(quotes.documented_pre_game)
    if closes:
        in_time = in_time | quotes.evaluation_only.fill_null(False)
    seen_late = quotes.last_seen_at.isnull() | (quotes.last_seen_at > games.cutoff_at)
    usable = known.filter(
        (quotes.line_kind == "main")
        & quotes.book_kind.isin(QUOTING)
        & in_time
        & (quotes.ended_at.isnull() | (quotes.ended_at > games.cutoff_at))
    )
    usable = usable.select(
        quotes,
        known_at=seen_late.ifelse(quotes.captured_at, quotes.last_seen_at),
        cutoff_at=games.cutoff_at,
        __stands=seen_late & quotes.captured_at.notnull(),
    )
    usable = usable.mutate(**{c: usable.contradicted.ifelse(None, usable[c]) for c in ("over_odds", "under_odds")})
    vig_gap = (implied_probability(usable.over_odds) - implied_probability(usable.under_odds)).abs()
    book = [usable.game_date, usable.player_id, usable.cutoff_at, usable.market, usable.bookmaker]
    newest = ibis.window(
        group_by=book,
        order_by=[
            ibis.desc(usable["__stands"]),
            ibis.desc(usable.known_at, nulls_first=False),
            vig_gap.fill_null(BALANCE_UNKNOWN),
            usable.line,
        ],
    )
    oldest = ibis.window(group_by=book, order_by=[usable.captured_at, vig_gap.fill_null(BALANCE_UNKNOWN), usable.line])
    first = usable.captured_at.notnull().ifelse(usable.line, None).first().over(oldest)
    ranked = usable.mutate(__place=ibis.row_number().over(newest), first_line=first)
    return ranked.filter(ranked["__place"] == 0).drop("__place", "__stands")


def consensus(quotes: ir.Table, games: ir.Table) -> ir.Table:
    """One row per (game_date, player_id, market) that has a line by the cut-off.

    `line` is the median over books of the quotes in force, the lower of two middle lines, so that a book quotes it; books that
    show the prices of one supplier count once. `opening_line` is the same of the books' first quotes, NULL where no capture
    time is known; `market_over` is the probability of the over without margin that their prices state, each at its own line (mean
    of logits; NULL where no sportsbook gives both prices), and `market_line` the mean of the lines of these prices, of all lines
    where there are none; prices that contradict the other books' at the line (`beside_other_books`) or themselves count as none;
    `books` how many counted; `line_source` sportsbook or dfs; `captured_at` when the newest of them was last known;
    `best_over_odds` and `best_under_odds` the best American prices of sportsbooks that quote exactly this line, NULL where none
    gives a price.
    """
    return _consensus_of(in_force(quotes.select(*QUOTED), games))


def closing(quotes: ir.Table, games: ir.Table) -> ir.Table:
    """The `consensus` at the close, for grading alone: of documented closes captured after the scheduled tip-off, too."""
    return _consensus_of(in_force(quotes.select(*QUOTED, "evaluation_only"), games, closes=True))


def chance_at(current: ir.Table, lines: ir.Table) -> ir.Table:
    """Return the market's chance of the over at given lines: `over`, the mean of logits without margin over the sportsbooks that
    quote exactly this line with both prices, one vote per supplier of prices; no row where none does.

    Args:
        current: Quotes of `in_force`.
        lines: One line per game_date, player_id and market.
    """
    key = ("game_date", "player_id", "market")
    voters = _one_per_feed(_with_sound_prices(current))
    joined = shared(voters.mutate(logit=_logit_of_over(voters)).inner_join(lines, [*key, "line"]))
    known = joined.filter(joined.logit.notnull())
    found = known.group_by(*key).aggregate(logit=exact.mean(known.logit, LOGIT_PRECISION))
    return found.mutate(over=1 / (1 + (-found.logit).exp())).drop("logit")


def beside_other_books(current: ir.Table) -> ir.Table:
    """Measure how far the price of each quote of `in_force` lies from those of the other books at its line.

    Returns:
        The quotes with `price_distance`: the distance from the median of the suppliers of prices, in logits of the over without
        margin; each votes once, at the line of its newest quote. NULL without a possible pair of a sportsbook's prices, and where
        no supplier votes at the line. It is 0 where one supplier alone quotes the line; two that vote there are equally far away.
    """
    key = ("game_date", "player_id", "cutoff_at", "market", "__hundredths")
    hundredths = (current.line * 100).round().cast("int64")  # BigQuery makes no partitions by floats
    quotes = shared(current.mutate(__logit=_logit_of_over(current), __hundredths=hundredths))
    middle = medians(_one_per_feed(quotes), ("__logit",), by=key).rename(__middle="__logit")
    joined = quotes.left_join(middle, key)
    distance = (quotes["__logit"] - middle["__middle"]).abs()
    return joined.select(*[quotes[c] for c in current.columns], price_distance=distance)


def is_outlying(quotes: ir.Table) -> ir.BooleanValue:
    """Return whether the price of a quote of `beside_other_books` contradicts the other books' at its line."""
    return (quotes.price_distance > OUTLYING_LOGIT).fill_null(False)


def _with_sound_prices(current: ir.Table) -> ir.Table:
    """Take off the prices that no bettor can have had: outlying ones, and pairs that imply less than 1 together."""
    quotes = beside_other_books(current)
    unsound = is_outlying(quotes) | is_contradictory(quotes.over_odds, quotes.under_odds)
    return quotes.mutate(**{c: unsound.ifelse(None, quotes[c]) for c in ("over_odds", "under_odds")})


def _consensus_of(current: ir.Table) -> ir.Table:
    current = _with_sound_prices(current.select(*COUNTED))
    player = [current.game_date, current.player_id, current.market]
    real = (current.book_kind == "sportsbook").cast("int64").max().over(ibis.window(group_by=player))
    chosen = current.mutate(__real=real).filter(lambda t: (t["__real"] == 0) | (t.book_kind == "sportsbook"))
    key = ("game_date", "player_id", "market")
    voters = _one_per_feed(chosen)
    middle = medians(voters, ("line", "first_line"), by=key, lower=True)
    logit = _logit_of_over(voters)
    counted = voters.group_by(*key).aggregate(
        books=voters.bookmaker.nunique(),
        line_source=voters.book_kind.max(),
        captured_at=voters.known_at.max(),
        market_line=exact.mean(logit.notnull().ifelse(voters.line, None)).coalesce(exact.mean(voters.line)),
        market_logit=exact.mean(logit, LOGIT_PRECISION),
    )
    counted = counted.mutate(market_over=1 / (1 + (-counted.market_logit).exp())).drop("market_logit")
    lines = shared(counted.inner_join(middle, key).select(counted, line=middle.line, opening_line=middle.first_line))
    prices = _best_prices(chosen, lines)
    return shared(
        lines.left_join(prices, key).select(lines, *[prices[c] for c in ("best_over_odds", "best_under_odds")])
    )


def _logit_of_over(quotes: ir.Table) -> ir.FloatingValue:
    """Return the logit of the over without margin; NULL for pick'em operators and where the prices are no possible pair."""
    ratio = implied_probability(quotes.over_odds) / implied_probability(quotes.under_odds)
    priced = (quotes.book_kind == SPORTSBOOK) & is_possible_pair(quotes.over_odds, quotes.under_odds)
    return priced.ifelse(ratio.ln(), None)


def _one_per_feed(quotes: ir.Table) -> ir.Table:
    """Keep the latest quote of each supplier of prices, by player and market; of several, the first by the book's name."""
    feed = feed_expression(quotes.bookmaker)
    newest = ibis.window(
        group_by=[quotes.game_date, quotes.player_id, quotes.cutoff_at, quotes.market, feed],
        order_by=[ibis.desc(quotes.known_at, nulls_first=False), quotes.bookmaker],
    )
    ranked = quotes.mutate(__place=ibis.row_number().over(newest))
    return ranked.filter(ranked["__place"] == 0).drop("__place")


def _best_prices(quotes: ir.Table, lines: ir.Table) -> ir.Table:
    """Per player and market, the best price of each side at the consensus line. A higher American price always pays more."""
    key = ("game_date", "player_id", "market")
    at_line = quotes.inner_join(lines, [*key, "line"]).select(
        *[quotes[c] for c in (*key, "over_odds", "under_odds")], quotes.book_kind
    )
    real = at_line.filter(at_line.book_kind == "sportsbook")
    return real.group_by(*key).aggregate(best_over_odds=real.over_odds.max(), best_under_odds=real.under_odds.max())


def side_by_side(consensus: ir.Table, columns: Sequence[str], markets: Sequence[str]) -> ir.Table:
    """The consensus with one row per (game_date, player_id) and a column `<column>_<market>` for each of both."""
    by_market = {}
    for market in markets:
        here = consensus.market == market
        by_market |= {f"{c}_{market}": here.ifelse(consensus[c], None).max() for c in columns}
    return shared(consensus.group_by("game_date", "player_id").aggregate(**by_market))
