"""What the one law of a forecast is worth beside lines and prices, walk-forward on a published home.

    python benchmarks/law.py WAREHOUSE [--market points] [--season 2023-24 2024-25] [--days 400]

WAREHOUSE is the DuckDB file of a home whose feature store is published. Every month is forecast by what was trained on the rows
of the days before it (`ablation.walk_forward`). L: played rows with a line at the cut-off. Intervals (95 %) come from drawing
whole game days again. Prices are those of quotes in force at the cut-off that `prop_prices` does not exclude.
"""

from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ablation import arguments, interval, read_rows, read_table, sql_of, walk_forward
from rich.console import Console
from rich.table import Table as Grid

from nba_pipeline.common import duckdb as duck
from nba_pipeline.domain.books import feed_expression
from nba_pipeline.evaluation.bootstrap import DayBootstrap
from nba_pipeline.evaluation.metrics import calibration_error
from nba_pipeline.systems.distribution import Law
from nba_pipeline.systems.pricing import decimal_odds, distance_from_others, price, stated_centre
from nba_pipeline.tables.predictions.prop_prices import OUTLYING_PRICE, PRICED, exclusion
from nba_pipeline.tables.shared import consensus_lines as lines

PRICING = "line_aware_v1"
KEY = ["game_date", "player_id"]
TIERS = (0, 10, 20, 30, np.inf)
AWAY = {"points": 2.0, "pra": 3.0}
DECILES = 10
DRAWS, ERROR_DRAWS, SEED, NORMAL_95 = 1_000, 200, 1, 1.96
MOST_OF_LINE = 4  # no law has a notable chance of an outcome beyond this multiple of the longest line


def law_of(rows: pd.DataFrame) -> Law:
    return Law(*(rows[c].to_numpy(dtype=float) for c in ("mean", "sd", "skewness")))


def by_day(values: np.ndarray, rows: pd.DataFrame, digits: int = 3) -> str:
    """Mean and 95 % interval by game day."""
    return interval(pd.Series(values, index=pd.MultiIndex.from_frame(rows[KEY])), digits)


def log_loss(p: np.ndarray, happened: np.ndarray) -> np.ndarray:
    return -np.log(np.where(happened, p, 1 - p))


def law_grid(made: pd.DataFrame, market: str, title: str) -> Grid:
    grid = Grid(title=title, title_justify="left")
    names = (
        "system",
        "N",
        "slope / outcomes",
        "bias",
        "CRPS",
        "in 80 %",
        "by tier of line",
        "below median",
        "log-loss",
        "ECE (by chance)",
    )
    for name in (*names, "|median - y| - |line - y|", "log-loss - market's"):
        grid.add_column(name, justify="right", no_wrap=True)
    for system in sorted(PRICED, key=lambda s: s != PRICING):
        rows = made[(made["system_id"] == system) & made["line"].notna() & made["mean"].notna()].reset_index(drop=True)
        grid.add_row(system, *_law_measures(rows, market))
    return grid


def _law_measures(rows: pd.DataFrame, market: str) -> list[str]:
    law, y, line = law_of(rows), rows["actual"].to_numpy(dtype=float), rows["line"].to_numpy(dtype=float)
    away = AWAY.get(market, 1.0)
    low, high = np.maximum(line - away, 0.5), line + away
    below, above = (law.probability_over(at)[0].mean() for at in (low, high))
    outcomes = (y > low).mean() - (y > high).mean()
    bounds = law.quantiles()
    inside = (y >= bounds[0.10]) & (y <= bounds[0.90])
    tier = pd.cut(line, np.quantile(line, [0, 0.25, 0.5, 0.75, 1]).tolist(), include_lowest=True, duplicates="drop")
    decided, p = y != line, law.decided_over(line)
    over = y > line
    market_p = rows["market_over"].to_numpy(dtype=float)
    beside = decided & ~np.isnan(market_p) & (rows["market_line"].to_numpy(dtype=float) == line)
    against = (log_loss(p, over) - log_loss(np.where(beside, market_p, 0.5), over))[beside]
    return [
        f"{len(rows):,}",
        f"{(below - above) / outcomes:.3f}",
        f"{(law.mean - y).mean():+.3f}",
        f"{law.crps(y).mean():.4f}",
        f"{inside.mean():.3f}",
        " ".join(f"{v:.3f}" for v in pd.Series(inside.astype(float)).groupby(tier, observed=True).mean()),
        f"{(y < bounds[0.50]).mean():.3f}",
        f"{log_loss(p, over)[decided].mean():.5f}",
        f"{calibration_error(p[decided], over[decided]):.4f} ({chance_error(p[decided]):.4f})",
        by_day(np.abs(bounds[0.50] - y) - np.abs(line - y), rows),
        f"{by_day(against, rows[beside], 4)} (N {beside.sum():,})" if beside.any() else "no prices",
    ]


def chance_error(p: np.ndarray) -> float:
    """The calibration error that chance alone makes of these probabilities: its 97.5 % quantile where each of them is true."""
    draw = np.random.default_rng(SEED)
    return float(np.quantile([calibration_error(p, draw.random(len(p)) < p) for _ in range(ERROR_DRAWS)], 0.975))


def read_quotes(warehouse: Path, market: str) -> pd.DataFrame:
    """Quotes in force at the cut-off with real prices."""
    db = duck.connect(warehouse, read_only=True)
    quotes, context = (
        read_table(db, "nba_raw.player_prop_lines"),
        read_table(db, "nba_analytics.upcoming_player_game_context"),
    )
    games = context.select("game_date", "game_id", "player_id", "cutoff_at")
    current = lines.beside_other_books(lines.in_force(quotes.filter(quotes.market == market), games))
    columns = ("bookmaker", "line", "over_odds", "under_odds", "book_kind", "known_at", "cutoff_at", "price_distance")
    rows = db.execute(sql_of(current.select(*KEY, *columns, supplier=feed_expression(current.bookmaker)))).df()
    return rows.assign(game_date=pd.to_datetime(rows["game_date"]))


def candidates(quotes: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The quotes beside the forecasts, without those that are no prices to bet at, valued on both sides."""
    joined = rows.merge(quotes.rename(columns={"line": "quoted"}), on=KEY)
    named = joined.rename(columns={"line": "consensus", "quoted": "line"})
    names = [
        "line",
        "consensus",
        "sd",
        "over_odds",
        "under_odds",
        "book_kind",
        "known_at",
        "cutoff_at",
        "price_distance",
    ]
    table: Any = ibis.memtable(named[names].reset_index(names="place"))
    reason = exclusion(table, table.consensus, table.sd, table.cutoff_at)
    kept = ibis.duckdb.connect().execute(table.filter(reason.isnull()).select("place"))["place"]
    good = named.loc[sorted(kept)].reset_index(drop=True)
    values = price(law_of(good), *(good[c].to_numpy(dtype=float) for c in ("line", "over_odds", "under_odds")))
    centre = stated_centre(law_of(good), good["line"].to_numpy(dtype=float), values.market_p_over)
    distance = distance_from_others(
        good.groupby(KEY).ngroup().to_numpy(dtype=np.int64), good["supplier"].to_numpy(dtype=str), centre
    )
    valued = good.assign(ev_over=values.ev_over, ev_under=values.ev_under)
    return valued[~(distance > OUTLYING_PRICE)].reset_index(drop=True)


def sides(priced: pd.DataFrame) -> pd.DataFrame:
    """The best price of each side of each player: value, realized profit of one unit, and the best at the consensus line."""
    found = []
    for side, sign in (("over", 1.0), ("under", -1.0)):
        won = sign * (priced["actual"] - priced["line"])
        profit = np.select(
            [won > 0, won < 0], [decimal_odds(priced[f"{side}_odds"].to_numpy(dtype=float)) - 1, -1.0], 0.0
        )
        mine = priced.assign(
            side=side, ev=priced[f"ev_{side}"], profit=profit, worse=sign * (priced["line"] - priced["consensus"])
        )
        mine = mine[mine["ev"].notna()].sort_values("ev", ascending=False, kind="stable")
        best = mine.drop_duplicates(KEY)
        plain = mine[mine["line"] == mine["consensus"]].drop_duplicates(KEY)[[*KEY, "ev", "profit"]]
        found.append(best.merge(plain, on=KEY, how="left", suffixes=("", "_at_consensus")))
    return pd.concat(found, ignore_index=True)


def price_grids(best: pd.DataFrame, title: str) -> list[Grid]:
    head = Grid(title=f"{title}: best prices", title_justify="left")
    for name in (
        "sides",
        "worse line by 1 and more",
        "of these worth less than at the consensus",
        "return",
        "- at the consensus",
    ):
        head.add_column(name, justify="right")
    both = best[best["profit_at_consensus"].notna()]
    worse = both["worse"] >= 1
    head.add_row(
        f"{len(best):,}",
        f"{worse.mean():.3f}",
        f"{(worse & (both['ev'] < both['ev_at_consensus'])).mean():.3f}",
        by_day(best["profit"].to_numpy(dtype=float), best),
        by_day((both["profit"] - both["profit_at_consensus"]).to_numpy(dtype=float), both),
    )
    return [head, decile_grid(best, f"{title}: claimed and realized value by decile")]


def decile_grid(best: pd.DataFrame, title: str) -> Grid:
    """Claimed value beside the realized return, by decile of the claim, and how many deciles true claims would hold."""
    decile = deciles(best)
    table = Grid(title=title, title_justify="left")
    for name in ("N", "claimed", "realized", "claim inside", "overs"):
        table.add_column(name, justify="right")
    inside = 0
    for _, rows in best.groupby(decile):
        claimed = rows["ev"].mean()
        realized = DayBootstrap(rows["game_date"].to_numpy()).mean(rows["profit"].to_numpy(dtype=float))
        holds = realized.low <= claimed <= realized.high
        inside += holds
        shown = f"{realized.value:+.4f} [{realized.low:+.4f}, {realized.high:+.4f}]"
        overs = (rows["side"] == "over").mean()
        table.add_row(f"{len(rows):,}", f"{claimed:+.4f}", shown, "yes" if holds else "no", f"{overs:.0%}")
    held = held_if_true(best, decile)
    table.caption = (
        f"{inside} of {DECILES} inside. Of {DECILES} deciles, a law that is exactly right holds {held.mean():.1f} on average, "
        f"all in {(held == DECILES).mean():.0%} and {inside} or fewer in {(held <= inside).mean():.1%} of {DRAWS:,} draws of "
        f"outcomes from the laws. Realized on claimed: slope {by_claim(best)}"
    )
    return table


def deciles(best: pd.DataFrame) -> np.ndarray:
    return np.argsort(np.argsort(best["ev"].to_numpy(), kind="stable")) * DECILES // max(len(best), 1)


def by_claim(best: pd.DataFrame) -> str:
    """Slope of the realized return on the claimed value, 1 where claims need no shrinking, days drawn again."""
    ev, profit = best["ev"].to_numpy(dtype=float), best["profit"].to_numpy(dtype=float)
    slope = DayBootstrap(best["game_date"].to_numpy()).slope(ev, profit)
    return f"{slope.value:.2f} [{slope.low:.2f}, {slope.high:.2f}]"


def held_if_true(best: pd.DataFrame, decile: np.ndarray) -> np.ndarray:
    """How many deciles have their claim in a 95 % interval by day where every claim is true, by draw of the outcomes.

    Args:
        best: Rows of `sides`; both sides of a player share one outcome, drawn from his law.
        decile: Decile of the claim of each row.
    """
    player = best.groupby(KEY).ngroup().to_numpy()
    first = np.unique(player, return_index=True)[1]
    law, most = law_of(best.iloc[first]), int(best["line"].max() * MOST_OF_LINE)
    at_most = np.stack([1 - law.probability_over(np.full(len(first), k + 0.5))[0] for k in range(most)], axis=1)
    sign = np.where(best["side"] == "over", 1.0, -1.0)
    odds = np.where(best["side"] == "over", best["over_odds"], best["under_odds"]).astype(float)
    pays, line, claim = decimal_odds(odds) - 1, best["line"].to_numpy(dtype=float), best["ev"].to_numpy(dtype=float)
    day = best.groupby("game_date").ngroup().to_numpy()
    place, days = decile * (day.max() + 1) + day, day.max() + 1
    count = np.bincount(place, minlength=DECILES * days).reshape(DECILES, days)
    chance, held = np.random.default_rng(SEED), np.zeros(DRAWS, dtype=int)
    for draw in range(DRAWS):
        outcome = (at_most < chance.random(len(first))[:, None]).sum(axis=1)[player]
        won = sign * (outcome - line)
        gap = np.select([won > 0, won < 0], [pays, -1.0], 0.0) - claim
        total = np.bincount(place, gap, DECILES * days).reshape(DECILES, days)
        mean = total.sum(axis=1) / count.sum(axis=1)
        error = np.sqrt(((total - count * mean[:, None]) ** 2).sum(axis=1)) / count.sum(axis=1)
        held[draw] = (np.abs(mean) <= NORMAL_95 * error).sum()
    return held


def main() -> None:
    wanted = arguments(__doc__, "2023-24", "2024-25").parse_args()
    console = Console(width=230)
    rows = read_rows(wanted.warehouse, wanted.market)
    lined = rows["season"].isin(wanted.season) & rows["line"].notna()
    months = sorted(rows.loc[lined, "game_date"].dt.to_period("M").unique())
    made, _, _ = walk_forward(rows, wanted.market, months, wanted.days)
    made = made.merge(rows[[*KEY, "market_line", "market_over"]], on=KEY, how="left")
    quotes = read_quotes(wanted.warehouse, wanted.market)
    for season in wanted.season:
        here = made[made["season"] == season]
        console.print(law_grid(here, wanted.market, f"{wanted.market}, {season}, L"))
        mine = here[(here["system_id"] == PRICING) & here["mean"].notna()]
        priced = candidates(quotes, mine)
        if priced.empty:
            console.print(f"{wanted.market}, {season}: no real prices")
            continue
        for grid in price_grids(sides(priced), f"{wanted.market}, {season}, {PRICING}"):
            console.print(grid)


if __name__ == "__main__":
    main()
