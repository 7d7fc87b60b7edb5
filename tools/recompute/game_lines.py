"""Lines of games from quotes: where they opened, stood at the cut-off and closed, as medians over books."""

import pandas as pd

from tools.recompute.quotes import implied

QUOTES = "nba_raw.game_lines"
GAME = ["game_id", "game_date"]
POINTS = ["spread_home", "total"]
MEASURES = [*POINTS, "implied_home", "implied_away"]


def lines_of_games(quotes: pd.DataFrame, games: pd.DataFrame) -> pd.DataFrame:
    """Sum up the quotes that count by the cut-off. One row per game.

    Args:
        quotes: Rows of nba_raw.game_lines.
        games: game_id, game_date and cutoff_at. One row per game.

    Returns:
        `opening_`, `cutoff_` and `closing_` spread_home and total; spread_home, total, implied_home and implied_away of the
        close, else of the cut-off; the times; `books`; `moved`, whether the lines can tell a movement.
    """
    counts = quotes.book_kind.isin(["sportsbook", "aggregate"]) & ~quotes.contradicted.fillna(False).astype(bool)
    rows = quotes[counts].merge(games[[*GAME, "cutoff_at"]], on=GAME)
    timed = rows.captured_at.notna()
    rows = rows[(timed & (rows.captured_at <= rows.cutoff_at)) | (~timed & rows.documented_pre_game)]
    rows = rows.assign(implied_home=implied(rows.moneyline_home), implied_away=implied(rows.moneyline_away))
    timed = rows[rows.captured_at.notna()]
    latest = _of_each_book(timed, newest=True)
    moments = {
        "opening": _medians(_of_each_book(timed, newest=False)),
        "cutoff": _medians(latest[~(latest.ended_at <= latest.cutoff_at)]),
        "closing": _medians(_of_each_book(rows[rows.documented_pre_game], newest=True)),
    }
    found = rows[GAME].drop_duplicates()
    for moment, figures in moments.items():
        found = found.merge(figures.add_prefix(f"{moment}_").reset_index(), on=GAME, how="left")
    closed = found.closing_books.notna()
    times = timed.groupby([*GAME, "bookmaker"]).captured_at.nunique().groupby(GAME).max()
    watched = found[GAME].merge(times.rename("times").reset_index(), on=GAME, how="left").times > 1
    return found.assign(
        **{m: found[f"closing_{m}"].fillna(found[f"cutoff_{m}"]) for m in MEASURES},
        books=found.closing_books.fillna(found.cutoff_books),
        captured_at=found.cutoff_captured_at.mask(closed),
        moved=closed | watched.to_numpy(),
    )


def _of_each_book(rows: pd.DataFrame, *, newest: bool) -> pd.DataFrame:
    """Keep the newest or the oldest quote of each book; of several at one time the one with figures, and the higher ones."""
    order = rows.sort_values(
        ["captured_at", *MEASURES], ascending=[not newest, *([False] * len(MEASURES))], na_position="last"
    )
    return order.groupby([*GAME, "bookmaker"], as_index=False).head(1)


def _medians(rows: pd.DataFrame) -> pd.DataFrame:
    groups = rows.groupby(GAME)
    return groups[MEASURES].median().assign(books=groups.bookmaker.nunique(), captured_at=groups.captured_at.max())


def seen_from_teams(rows: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Turn the lines of games to the side of each team: visitors have the opposite spread.

    Args:
        rows: Sides of games with game_id, game_date and home_game.
        lines: Rows of `lines_of_games`.

    Returns:
        The columns of nba_analytics.upcoming_team_game_context, one row per row of `rows` in its order.
    """
    market = rows[GAME].merge(lines, on=GAME, how="left", validate="m:1").set_axis(rows.index)
    sign = rows.home_game.map({True: 1.0, False: -1.0})
    spread, opening = sign * market.spread_home, sign * market.opening_spread_home
    moved = market.moved.astype("boolean").fillna(False).astype(bool)
    chance = market.implied_home.where(rows.home_game, market.implied_away)
    return pd.DataFrame(
        {
            "game_spread": spread,
            "game_total": market.total,
            "moneyline": (100 / chance - 100).where(chance <= 0.5, -100 * chance / (1 - chance)),
            "implied_team_total": market.total / 2 - spread / 2,
            "opening_spread": opening,
            "opening_total": market.opening_total,
            "opening_captured_at": market.opening_captured_at,
            "cutoff_spread": sign * market.cutoff_spread_home,
            "cutoff_total": market.cutoff_total,
            "cutoff_captured_at": market.cutoff_captured_at,
            "closing_spread": sign * market.closing_spread_home,
            "closing_total": market.closing_total,
            "spread_movement": (spread - opening).where(moved),
            "total_movement": (market.total - market.opening_total).where(moved),
            "game_line_books": market.books.fillna(0),
            "game_line_captured_at": market.captured_at,
        }
    )
