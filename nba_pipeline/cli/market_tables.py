"""The market as a rival, and the results of recorded calls, as console tables."""

import pandas as pd
from rich.table import Table as Grid

from nba_pipeline.cli.leaderboard_tables import grid_of, interval, number
from nba_pipeline.evaluation.metrics import FEWEST_SHOWN


def market_grid(board: pd.DataFrame) -> Grid:
    """Lay out the chances of every system beside those of the market without its margin."""
    title = "Chances of the over beside the market without margin, on the rows that it prices; negative: better than the market"
    names = (
        "decided overs",
        "log-loss",
        "Brier",
        "calibration error",
        "vs market",
        "95 %",
        "at the close",
        "vs close",
        "95 %",
    )
    grid = grid_of(title, "system", *names)
    for r in board.to_dict("records"):
        grid.add_row(
            str(r["system_id"]),
            number(r, "n", ",.0f"),
            number(r, "log_loss", ".4f"),
            number(r, "brier", ".4f"),
            number(r, "calibration_error", ".3f"),
            number(r, "vs_market", "+.4f"),
            interval(r, "vs_market", "+.4f"),
            number(r, "n_close", ",.0f"),
            number(r, "vs_close", "+.4f"),
            interval(r, "vs_close", "+.4f"),
        )
    return grid


def bucket_grid(buckets: pd.DataFrame, system: str) -> Grid:
    """Lay out forecast, market and outcome of one system by bucket of the line and of the market's price."""
    title = f"{system}: chance of the over by line and by the market's price; buckets of {FEWEST_SHOWN} rows and more"
    grid = grid_of(title, "by", "bucket", "N", "forecast", "market", "observed", "95 %")
    for r in buckets[buckets["system_id"] == system].to_dict("records"):
        grid.add_row(
            str(r["by"]),
            str(r["bucket"]),
            number(r, "n", ",.0f"),
            number(r, "forecast", ".3f"),
            number(r, "market", ".3f"),
            number(r, "observed", ".3f"),
            interval(r, "observed", ".3f"),
        )
    return grid


def recorded_calls_grid(results: pd.DataFrame) -> Grid:
    """Lay out returns and closing line value of the recorded calls."""
    title = f"Recorded calls at their own prices; figures of {FEWEST_SHOWN} priced bets and more"
    names = ("", "calls", "no price", "after cut-off", "decided", "hit rate", "priced", "claimed", "ROI", "95 %")
    grid = grid_of(title, "by", *names, "closed", "closing value", "95 %", "line")
    for r in results.to_dict("records"):
        grid.add_row(
            str(r["by"]),
            str(r["group"]),
            number(r, "calls", ",.0f"),
            number(r, "without_price", ",.0f"),
            number(r, "backfilled", ",.0f"),
            number(r, "decided", ",.0f"),
            number(r, "hit_rate", ".1%"),
            number(r, "priced", ",.0f"),
            number(r, "claimed", "+.1%"),
            number(r, "roi", "+.1%"),
            interval(r, "roi", "+.1%"),
            number(r, "closed", ",.0f"),
            number(r, "closing_value", "+.3f"),
            interval(r, "closing_value", "+.3f"),
            number(r, "closing_value_points", "+.2f"),
        )
    return grid
