"""The market's view of a game as of the cut-off: medians over books of their latest and of their first quotes."""

import ibis

from nba_pipeline.asof.cutoffs import captured_in_time
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import medians

QUOTED = (
    *("game_id", "bookmaker", "captured_at", "documented_pre_game"),
    *("spread_home", "total", "moneyline_home", "moneyline_away"),
)
MEASURES = ("spread_home", "total", "decimal_home", "decimal_away")


def game_line_consensus(quotes: ir.Table, games: ir.Table) -> ir.Table:
    """Return one row per game_id with a line by its cut-off.

    Shapes: `quotes` as nba_raw.game_lines; `games` has (game_id, cutoff_at), one row per game. Quotes without a capture time
    count only where the source documents them as closing lines, and only for games without a timed quote; they never
    are opening lines. Result: spread_home, total, decimal_home, decimal_away, opening_spread_home, opening_total, books,
    captured_at.
    """
    quotes = quotes.select(*QUOTED)
    rows = quotes.inner_join(games, "game_id")
    timed = captured_in_time(quotes.captured_at, games.cutoff_at)
    rows = rows.filter(timed.fill_null(quotes.documented_pre_game)).select(
        quotes.game_id,
        quotes.bookmaker,
        quotes.captured_at,
        quotes.spread_home,
        quotes.total,
        decimal_home=_decimal(quotes.moneyline_home),
        decimal_away=_decimal(quotes.moneyline_away),
        __timed=quotes.captured_at.notnull(),
    )
    any_timed = rows["__timed"].cast("int64").max().over(ibis.window(group_by=rows.game_id))
    rows = rows.mutate(__any_timed=any_timed).filter(lambda t: t["__timed"] | (t["__any_timed"] == 0))
    latest = _one_per_book(rows, newest=True)
    first = _one_per_book(rows.filter(rows["__timed"]), newest=False)
    now = medians(latest, MEASURES, by=("game_id",))
    then = medians(first, ("spread_home", "total"), by=("game_id",))
    facts = latest.group_by("game_id").aggregate(books=latest.bookmaker.nunique(), captured_at=latest.captured_at.max())
    return (
        facts.inner_join(now, "game_id")
        .left_join(then, "game_id")
        .select(facts, *[now[m] for m in MEASURES], opening_spread_home=then.spread_home, opening_total=then.total)
    )


def seen_from(teams: ir.Table, market: ir.Table) -> dict[str, ir.Value]:
    """The game's lines seen from the team: a spread changes its sign for the visitors, a total does not."""

    def oriented(spread_home: ir.FloatingValue) -> ir.FloatingValue:
        return teams.home_game.ifelse(spread_home, 0.0 - spread_home)

    spread, opening = oriented(market.spread_home), oriented(market.opening_spread_home)
    return {
        "game_spread": spread,
        "game_total": market.total,
        "moneyline": american_odds(teams.home_game.ifelse(market.decimal_home, market.decimal_away)),
        "implied_team_total": market.total / 2 - spread / 2,
        "opening_spread": opening,
        "opening_total": market.opening_total,
        "spread_movement": spread - opening,
        "total_movement": market.total - market.opening_total,
        "game_line_books": market.books.fill_null(0),
        "game_line_captured_at": market.captured_at,
    }


def american_odds(decimal: ir.FloatingValue) -> ir.FloatingValue:
    """Decimal odds as American odds: 1.5 -> -200, 3.0 -> +200."""
    return (decimal >= 2).ifelse((decimal - 1) * 100, -100 / (decimal - 1))


def _decimal(american: ir.FloatingValue) -> ir.FloatingValue:
    """American odds as decimal odds, which a median may average; NULL for a number that is not American odds."""
    value = (american > 0).ifelse(1 + american / 100, 1 - 100 / american.nullif(0.0))
    return (american.abs() >= 100).ifelse(value, None)


def _one_per_book(rows: ir.Table, *, newest: bool) -> ir.Table:
    """The newest or the oldest quote of each book; of quotes captured at one time, the most complete one."""
    time = rows.captured_at.desc() if newest else rows.captured_at.asc()
    ties = [ibis.desc(rows[m], nulls_first=False) for m in MEASURES]
    order = ibis.window(group_by=[rows.game_id, rows.bookmaker], order_by=[time, *ties])
    return rows.mutate(__place=ibis.row_number().over(order)).filter(lambda t: t["__place"] == 0).drop("__place")
