"""The market's view of a game: where its lines opened, where they stood at the cut-off, and where they closed."""

import ibis

from nba_pipeline.asof.cutoffs import captured_in_time
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import medians, shared
from nba_pipeline.domain.books import GAME_QUOTING, kind_of_quote
from nba_pipeline.tables.shared.keys import GAME
from nba_pipeline.tables.shared.odds import american_odds, implied_probability

QUOTED = (
    *GAME,
    *("bookmaker", "captured_at", "ended_at", "documented_pre_game"),
    *("spread_home", "total", "moneyline_home", "moneyline_away"),
)
POINTS = ("spread_home", "total")
MEASURES = (*POINTS, "implied_home", "implied_away")


def game_line_consensus(quotes: ir.Table, games: ir.Table) -> ir.Table:
    """Return one row per game on a day with a line by its cut-off; every figure is a median over books.

    Exchanges, unknown books, and lines that their book contradicts at the same time take no part.

    Args:
        quotes: Rows of nba_raw.game_lines.
        games: game_id, game_date and cutoff_at, one row per game and day.

    Returns:
        `spread_home`, `total`, `implied_home` and `implied_away` (probabilities with the vig): the line that the source
        documents as the close, else the latest timed quote. `opening_*` and `cutoff_*`: the first timed quote of each
        book, and the latest unless the book had withdrawn it by the cut-off, with the times `opening_captured_at` and
        `cutoff_captured_at`. `closing_*`: the documented close. `books` and `captured_at` belong to `spread_home`;
        `captured_at` is NULL for a documented close. `moved`: whether a later observation than the opening exists.
    """
    counts = kind_of_quote(quotes).isin(GAME_QUOTING) & ~quotes.contradicted.fill_null(False)
    quotes = quotes.filter(counts).select(*QUOTED)
    in_time = captured_in_time(quotes.captured_at, games.cutoff_at)
    rows = quotes.inner_join(games, list(GAME)).filter(in_time.fill_null(quotes.documented_pre_game))
    rows = rows.select(
        *[quotes[c] for c in GAME],
        quotes.bookmaker,
        quotes.captured_at,
        quotes.documented_pre_game,
        *[quotes[m] for m in POINTS],
        in_force=quotes.ended_at.isnull() | (quotes.ended_at > games.cutoff_at),
        implied_home=implied_probability(quotes.moneyline_home),
        implied_away=implied_probability(quotes.moneyline_away),
    )
    timed = rows.filter(rows.captured_at.notnull())
    opening = _summary(_one_per_book(timed, newest=False), POINTS, "opening")
    latest = _one_per_book(timed, newest=True)
    cutoff = _summary(latest.filter(latest.in_force), MEASURES, "cutoff")
    closing = _summary(_one_per_book(rows.filter(rows.documented_pre_game), newest=True), MEASURES, "closing")
    by_book = timed.group_by(*GAME, "bookmaker").aggregate(times=timed.captured_at.nunique())
    watched = by_book.group_by(*GAME).aggregate(watched=by_book.times.max() > 1)
    joined = rows.select(*GAME).distinct()
    for part in (opening, cutoff, closing, watched):
        joined = shared(joined.left_join(part, list(GAME)).drop(*(f"{c}_right" for c in GAME)))
    closed = joined.closing_books.notnull()
    return shared(
        joined.select(
            *GAME,
            *[f"{moment}_{m}" for moment in ("opening", "cutoff", "closing") for m in POINTS],
            "opening_captured_at",
            "cutoff_captured_at",
            **{m: ibis.coalesce(joined[f"closing_{m}"], joined[f"cutoff_{m}"]) for m in MEASURES},
            books=closed.ifelse(joined.closing_books, joined.cutoff_books),
            captured_at=closed.ifelse(None, joined.cutoff_captured_at),
            moved=closed | joined.watched.fill_null(False),
        )
    )


def _summary(quotes: ir.Table, measures: tuple[str, ...], moment: str) -> ir.Table:
    """Medians over books, the number of books and the newest time, under names of the moment; one row per game and day."""
    facts = quotes.group_by(*GAME).aggregate(books=quotes.bookmaker.nunique(), captured_at=quotes.captured_at.max())
    middle = medians(quotes, measures, by=GAME)
    joined = facts.inner_join(middle, list(GAME)).select(facts, *[middle[m] for m in measures])
    return shared(joined.rename({f"{moment}_{c}": c for c in ("books", "captured_at", *measures)}))


def seen_from(teams: ir.Table, market: ir.Table) -> dict[str, ir.Value]:
    """Return the game's lines seen from the team: a spread changes its sign for the visitors, a total does not."""

    def oriented(spread_home: ir.FloatingValue) -> ir.FloatingValue:
        return teams.home_game.ifelse(spread_home, 0.0 - spread_home)

    spread, opening = oriented(market.spread_home), oriented(market.opening_spread_home)
    return {
        "game_spread": spread,
        "game_total": market.total,
        "moneyline": american_odds(teams.home_game.ifelse(market.implied_home, market.implied_away)),
        "implied_team_total": market.total / 2 - spread / 2,
        "opening_spread": opening,
        "opening_total": market.opening_total,
        "opening_captured_at": market.opening_captured_at,
        "cutoff_spread": oriented(market.cutoff_spread_home),
        "cutoff_total": market.cutoff_total,
        "cutoff_captured_at": market.cutoff_captured_at,
        "closing_spread": oriented(market.closing_spread_home),
        "closing_total": market.closing_total,
        "spread_movement": market.moved.ifelse(spread - opening, None),
        "total_movement": market.moved.ifelse(market.total - market.opening_total, None),
        "game_line_books": market.books.fill_null(0),
        "game_line_captured_at": market.captured_at,
    }


def _one_per_book(rows: ir.Table, *, newest: bool) -> ir.Table:
    """The newest or the oldest quote of each book; of quotes captured at one time, the most complete one."""
    time = rows.captured_at.desc() if newest else rows.captured_at.asc()
    ties = [ibis.desc(rows[m], nulls_first=False) for m in MEASURES]
    order = ibis.window(group_by=[*(rows[c] for c in GAME), rows.bookmaker], order_by=[time, *ties])
    return rows.mutate(__place=ibis.row_number().over(order)).filter(lambda t: t["__place"] == 0).drop("__place")
