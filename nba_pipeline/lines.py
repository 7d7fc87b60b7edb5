"""The market's lines as of the cut-off: the quote of each book that was in force, their consensus, and where it opened.

A quote counts when it was first seen before the cut-off of its game. A quote without a capture time counts only where
the source documents it as the last one before the game. Sportsbooks come first: quotes of DFS operators stand in
only where no sportsbook quotes the player.
"""

import ibis

from nba_pipeline import ibis_types as ir
from nba_pipeline.asof import captured_in_time
from nba_pipeline.relations import medians, shared

BALANCE_UNKNOWN = 10_000.0


def implied_probability(odds: ir.FloatingValue) -> ir.FloatingValue:
    """Break-even probability of American odds: -110 -> 0.524, +120 -> 0.455. The vig is still in it."""
    return (odds < 0).ifelse(-odds / (100.0 - odds), 100.0 / (odds + 100.0))


def in_force(quotes: ir.Table, games: ir.Table) -> ir.Table:
    """Main quotes known by the cut-off, one per player, market and book: the latest, and the most balanced of several.

    Shapes: `quotes` as nba_raw.player_prop_lines; `games` has (game_date, player_id, cutoff_at), one row per player and
    day. Adds `known_at` (when the quote was last known before the cut-off) and the book's first line, `first_line`.
    """
    known = quotes.inner_join(games, ["game_date", "player_id"])
    in_time = captured_in_time(quotes.captured_at, games.cutoff_at)
    seen_late = quotes.last_seen_at.isnull() | (quotes.last_seen_at > games.cutoff_at)
    usable = known.filter((quotes.line_kind == "main") & in_time.fill_null(quotes.documented_pre_game))
    usable = usable.select(
        quotes, known_at=seen_late.ifelse(quotes.captured_at, quotes.last_seen_at), cutoff_at=games.cutoff_at
    )
    vig_gap = (implied_probability(usable.over_odds) - implied_probability(usable.under_odds)).abs()
    book = [usable.game_date, usable.player_id, usable.market, usable.bookmaker]
    newest = ibis.window(
        group_by=book,
        order_by=[ibis.desc(usable.known_at, nulls_first=False), vig_gap.fill_null(BALANCE_UNKNOWN), usable.line],
    )
    oldest = ibis.window(group_by=book, order_by=[usable.captured_at, vig_gap.fill_null(BALANCE_UNKNOWN), usable.line])
    first = usable.captured_at.notnull().ifelse(usable.line, None).first().over(oldest)
    ranked = usable.mutate(__place=ibis.row_number().over(newest), first_line=first)
    return ranked.filter(ranked["__place"] == 0).drop("__place")


def consensus(quotes: ir.Table, games: ir.Table) -> ir.Table:
    """One row per (game_date, player_id, market) that has a line by the cut-off.

    `line` is the median over books of the quotes in force, rounded down to the half; `opening_line` the median of the books'
    first quotes, NULL where no capture time is known; `books` how many; `line_source` sportsbook or dfs; `captured_at`
    when the newest of them was last known.
    """
    current = in_force(quotes, games)
    player = [current.game_date, current.player_id, current.market]
    real = (current.book_kind == "sportsbook").cast("int64").max().over(ibis.window(group_by=player))
    chosen = current.mutate(__real=real).filter(lambda t: (t["__real"] == 0) | (t.book_kind == "sportsbook"))
    key = ("game_date", "player_id", "market")
    middle = medians(chosen, ("line", "first_line"), by=key)
    counted = chosen.group_by(*key).aggregate(
        books=chosen.bookmaker.nunique(), line_source=chosen.book_kind.max(), captured_at=chosen.known_at.max()
    )
    return shared(
        counted.inner_join(middle, key).select(counted, line=_half(middle.line), opening_line=_half(middle.first_line))
    )


def _half(line: ir.FloatingValue) -> ir.FloatingValue:
    """Medians of an even number of books may fall between; the lower half is the line that exists."""
    return (line * 2).floor() / 2
