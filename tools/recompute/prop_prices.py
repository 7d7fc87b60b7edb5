"""nba_predictions.prop_prices, computed a second time from the forecasts and the quotes of the home."""

import numpy as np
import pandas as pd

from tools.recompute import law, quotes
from tools.recompute.league import League

TABLE = "nba_predictions.prop_prices"
FORECASTS = "nba_predictions.player_prop_predictions"
LEFT_OUT: dict[str, str] = {}
PLAIN = ("last_5", "last_10", "season_average", "ewma")
FORECAST = ["game_date", "player_id", "market", "system_id"]
STALE = pd.Timedelta(hours=12)


def recompute(league: League) -> pd.DataFrame:
    """Price every quote in force by every system with a law of its own. One row per forecast, book and line."""
    made = league.home(FORECASTS)
    made = made[made.predicted_mean.notna() & ~made.system_id.isin(PLAIN)]
    players = made[["game_date", "game_id", "player_id", "as_of"]].drop_duplicates()
    current = quotes.in_force(league.home(quotes.QUOTES), players.rename(columns={"as_of": "cutoff_at"}))
    current = current.assign(odd_one_out=quotes.is_outlying(current))
    offers = current[
        [*quotes.PLAYER, "bookmaker", "line", "book_kind", "over_odds", "under_odds", "known_at", "odd_one_out"]
    ]
    kept = [*FORECAST, "is_pricing_system", "predicted_mean", "predicted_sd", "predicted_skewness", "as_of"]
    rows = made[[*kept, "line"]].rename(columns={"line": "consensus"}).merge(offers, on=quotes.PLAYER)
    real = rows.book_kind == "sportsbook"
    rows = rows.assign(over_odds=rows.over_odds.where(real), under_odds=rows.under_odds.where(real))
    rows = rows.assign(quoted_at=rows.known_at, exclusion=_exclusion(rows))
    rows = pd.concat([rows, _values(rows)], axis=1)
    rows["exclusion"] = rows.exclusion.mask(_contradicts_the_others(rows), "outlying")
    for side in ("over", "under"):
        worth = rows[f"ev_{side}"].where(rows.exclusion.isna())
        order = rows.assign(worth=worth).sort_values(["worth", "line", "bookmaker"], ascending=[False, True, True])
        best = order[order.worth.notna()].groupby(FORECAST).head(1).index
        rows[f"best_{side}"] = rows.index.isin(best)
    return rows


def _exclusion(rows: pd.DataFrame) -> pd.Series:
    """Say why a quote is no candidate for the best price; nothing for a candidate."""
    reasons = np.select(
        [
            rows.book_kind != "sportsbook",
            rows.over_odds.isna() & rows.under_odds.isna(),
            rows.known_at < rows.as_of - STALE,
            ((rows.line - rows.consensus).abs() > 0.5 * rows.predicted_sd) | rows.odd_one_out,
            quotes.is_contradictory(rows),
        ],
        ["pickem", "no_price", "stale", "outlying", "contradictory"],
        "",
    )
    return pd.Series(reasons, rows.index, dtype="object").replace("", None)


def _contradicts_the_others(rows: pd.DataFrame) -> pd.Series:
    """Tell which candidates put the law more than a quarter of its sd from the median of three suppliers and more."""
    mine = rows[rows.exclusion.isna() & rows.market_p_over.notna()]
    centre = law.mean_with_chance(mine, mine.line, mine.market_p_over) / mine.predicted_sd
    mine = mine.assign(centre=centre, supplier=quotes.supplier(mine)).reset_index(names="row")
    votes = mine.groupby([*FORECAST, "supplier"], as_index=False).centre.median()
    middle = votes.groupby(FORECAST, as_index=False).agg(middle=("centre", "median"), voters=("centre", "size"))
    both = mine.merge(middle, on=FORECAST)
    far = both[(both.voters >= 3) & ((both.centre - both.middle).abs() > 0.25)]
    return pd.Series(rows.index.isin(far.row), rows.index)


def _values(rows: pd.DataFrame) -> pd.DataFrame:
    """Return probabilities, fair odds, the book's margin and the value of both sides."""
    over, push = law.over_and_push(rows, rows.line)
    under = 1 - over - push
    book_over, book_under = quotes.implied(rows.over_odds), quotes.implied(rows.under_odds)
    sides = {"over": (over, under, rows.over_odds), "under": (under, over, rows.under_odds)}
    columns = {"p_over": over, "p_push": push, "margin": book_over + book_under - 1}
    columns["market_p_over"] = book_over / (book_over + book_under)
    columns["edge_over"] = over / (1 - push) - columns["market_p_over"]
    for side, (wins, loses, odds) in sides.items():
        gain = quotes.decimal(odds) - 1
        value = wins * gain - loses
        columns[f"ev_{side}"] = value
        columns[f"kelly_{side}"] = ((value / (gain * (wins + loses))).clip(lower=0) / 4).clip(upper=0.05)
        pays = loses / wins.where((wins > 0) & (loses > 0))
        columns[f"fair_{side}_odds"] = (100 * pays).where(pays >= 1, -100 / pays)
    return pd.DataFrame(columns)
