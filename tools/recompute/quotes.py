"""Lines of players from quotes: which quote of a book is in force at the cut-off, and what the books agree on."""

import numpy as np
import pandas as pd

QUOTES = "nba_raw.player_prop_lines"
PLAYER = ["game_date", "player_id", "market"]
# Keys of books whose prices come from one supplier: one opinion, and so one vote.
SUPPLIERS = {
    **dict.fromkeys(("betrivers", "sugarhouse", "unibet", "unibetus"), "kambi"),
    **dict.fromkeys(("pointsbet", "pointsbetus"), "pointsbet"),
}
LAST = 1e9


def implied(odds: pd.Series) -> pd.Series:
    """Return the break-even probability of American odds: -110 is 0.524, +120 is 0.455."""
    return (-odds / (100 - odds)).where(odds < 0, 100 / (odds + 100)).where(odds.abs() >= 100)


def decimal(odds: pd.Series) -> pd.Series:
    """Return the decimal odds of American ones: +150 is 2.5, -150 is 1.667."""
    return 1 + (odds / 100).where(odds > 0, 100 / -odds)


def in_force(quotes: pd.DataFrame, players: pd.DataFrame, *, closes: bool = False) -> pd.DataFrame:
    """Choose the main quote of each book at the cut-off.

    Args:
        quotes: Rows of nba_raw.player_prop_lines.
        players: game_date, game_id, player_id and cutoff_at. One row per player and day.
        closes: Whether documented closes from after the scheduled tip-off count, as at the close of a game.

    Returns:
        One quote per player, market and book, with `known_at` and the book's first line, `first_line`.
    """
    own = players[["game_date", "player_id", "game_id", "cutoff_at"]].rename(columns={"game_id": "own_game"})
    rows = quotes[(quotes.line_kind == "main") & quotes.book_kind.isin(["sportsbook", "dfs"])]
    rows = rows[rows.player_id.notna()].astype({"player_id": "int64"}).merge(own, on=["game_date", "player_id"])
    rows = rows[rows.game_id.isna() | (rows.game_id == rows.own_game)]
    timed = rows.captured_at.notna()
    counts = (timed & (rows.captured_at <= rows.cutoff_at)) | (~timed & rows.documented_pre_game)
    if closes:
        counts |= rows.evaluation_only.fillna(False).astype(bool)
    rows = rows[counts & ~(rows.ended_at <= rows.cutoff_at)]
    open_end = rows.last_seen_at.isna() | (rows.last_seen_at > rows.cutoff_at)
    odds = {side: rows[side].mask(rows.contradicted) for side in ("over_odds", "under_odds")}
    gap = (implied(odds["over_odds"]) - implied(odds["under_odds"])).abs().fillna(LAST)
    known = rows.captured_at.where(open_end, rows.last_seen_at)
    rows = rows.assign(**odds, gap=gap, known_at=known, gone=~(open_end & rows.captured_at.notna()))
    book = [*PLAYER, "bookmaker"]
    first = rows.sort_values(["captured_at", "gap", "line"], na_position="last").groupby(book, as_index=False).head(1)
    first = first.assign(first_line=first.line.where(first.captured_at.notna()))[[*book, "first_line"]]
    order = ["gone", "known_at", "gap", "line"]
    latest = rows.sort_values(order, ascending=[True, False, True, True], na_position="last")
    return latest.groupby(book, as_index=False).head(1).merge(first, on=book).reset_index(drop=True)


def consensus(current: pd.DataFrame) -> pd.DataFrame:
    """Take the lower median over books of the quotes in force: of sportsbooks, or of pick'em operators where there are no others.

    Returns:
        line, opening_line, books, line_source, captured_at, market_line, market_over, best_over_odds and best_under_odds.
        One row per day, player and market.
    """
    unsound = is_outlying(current) | is_contradictory(current)
    current = current.assign(**{side: current[side].mask(unsound) for side in ("over_odds", "under_odds")})
    real = current.book_kind == "sportsbook"
    chosen = current[real | ~real.groupby([current[k] for k in PLAYER]).transform("any")]
    votes = one_vote_each(chosen)
    votes = votes.assign(logit=logit_of_over(votes))
    votes = votes.assign(priced_line=votes.line.where(votes.logit.notna()))
    groups = votes.groupby(PLAYER)
    lines = pd.DataFrame(
        {
            "line": groups.line.agg(lower_median),
            "opening_line": groups.first_line.agg(lower_median),
            "books": groups.bookmaker.nunique(),
            "line_source": groups.book_kind.max(),
            "captured_at": groups.known_at.max(),
            "market_line": groups.priced_line.mean().fillna(groups.line.mean()),
            "market_over": 1 / (1 + np.exp(-groups.logit.mean())),
        }
    ).reset_index()
    at_line = chosen[chosen.book_kind == "sportsbook"].merge(lines[[*PLAYER, "line"]], on=[*PLAYER, "line"])
    prices = at_line.groupby(PLAYER, as_index=False).agg(
        best_over_odds=("over_odds", "max"), best_under_odds=("under_odds", "max")
    )
    return lines.merge(prices, on=PLAYER, how="left")


def is_outlying(current: pd.DataFrame) -> pd.Series:
    """Tell whether a quote's chance of the over is more than 0.4 logits from the median of the suppliers at its line."""
    rows = current.assign(logit=logit_of_over(current), position=np.arange(len(current)))
    place = [*PLAYER, "cutoff_at", "line"]
    middle = one_vote_each(rows).groupby(place, as_index=False).agg(middle=("logit", "median"))
    beside = rows.merge(middle, on=place, how="left").sort_values("position")
    return pd.Series((beside.logit - beside.middle).abs().to_numpy() > 0.4, current.index)


def is_contradictory(current: pd.DataFrame) -> pd.Series:
    """Tell whether both prices of a quote together imply less than 1."""
    return implied(current.over_odds) + implied(current.under_odds) < 1


def one_vote_each(quotes: pd.DataFrame) -> pd.DataFrame:
    """Keep the latest quote of each supplier of prices, the first by the book's name of several."""
    rows = quotes.assign(supplier=supplier(quotes))
    rows = rows.sort_values(["known_at", "bookmaker"], ascending=[False, True], na_position="last")
    return rows.groupby([*PLAYER, "supplier"], as_index=False).head(1)


def supplier(quotes: pd.DataFrame) -> pd.Series:
    """Name the supplier of each book's prices: the book itself where it has prices of its own."""
    key = quotes.bookmaker.str.lower().str.replace("[^a-z0-9]", "", regex=True)
    return key.map(SUPPLIERS).fillna(quotes.bookmaker)


def logit_of_over(quotes: pd.DataFrame) -> pd.Series:
    """Return the logit of the over without margin; unknown for pick'em operators and for odds that are no pair."""
    over, under = implied(quotes.over_odds), implied(quotes.under_odds)
    pair = (over + under).between(1 - 1e-9, 1.12) & (quotes.book_kind == "sportsbook")
    return pd.Series(np.log(over / under), quotes.index).where(pair)


def lower_median(values: pd.Series) -> float:
    """Return the middle value, of two the lower, so that a book quotes it."""
    known = np.sort(values.dropna().to_numpy())
    return float(known[(len(known) - 1) // 2]) if len(known) else float("nan")


def of_market(lines: pd.DataFrame, rows: pd.DataFrame, market: str, names: dict[str, str]) -> pd.DataFrame:
    """Look up the consensus of a market for rows of players and days.

    Args:
        lines: Rows of `consensus`.
        rows: Rows with game_date and player_id.
        market: The market.
        names: Columns of `lines` and their names in the result.

    Returns:
        One row per row of `rows`, in its order.
    """
    here = lines[lines.market == market].rename(columns=names)[["game_date", "player_id", *names.values()]]
    found = rows[["game_date", "player_id"]].merge(here, on=["game_date", "player_id"], how="left", validate="m:1")
    return found[list(names.values())].set_axis(rows.index)
