"""Errors of every system by season, the opening weeks apart, from the published grades.

    python benchmarks/seasons.py WAREHOUSE [--market points] [--season 2023-24 2024-25]

Rows: listed players who played, of all systems that forecast every one of them; intervals (95 %) draw whole game days again.
"""

import argparse
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table as Grid

from nba_pipeline.common import duckdb as duck
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.evaluation.bootstrap import DayBootstrap
from nba_pipeline.systems import LINE_SYSTEM_IDS

OPENING = timedelta(days=14)
EARLIER_GAMES = 10
TRAINED = ("ensemble_v1", "ridge_v1", "xgboost_v1")
READ = """
SELECT game_date, player_id, season, system_id, prior_games, signed_error, absolute_error, crps, within_80, pinball_q50, line,
    point_error, abs(line - actual_value) AS line_error
FROM nba_predictions.prediction_accuracy WHERE market = ? AND absolute_error IS NOT NULL
"""
FIRST_DAYS = "SELECT season, min(game_date) AS first FROM nba_raw.schedule WHERE countable GROUP BY season"


def read_rows(warehouse: Path, market: str) -> pd.DataFrame:
    """Read the graded rows of a market, each with its set: opening weeks, rows with ten earlier games, rows with a line."""
    with duck.connect(warehouse, read_only=True) as db:
        rows, first = db.execute(READ, [market]).df(), db.execute(FIRST_DAYS).df()
    rows = rows.merge(first, on="season")
    opening = rows["game_date"] < rows["first"] + OPENING
    return rows.assign(opening=opening)


def sets_of(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Select the sets that are scored apart."""
    lined = rows["line"].notna() & ~rows["opening"]
    plain = rows[~rows["system_id"].isin(LINE_SYSTEM_IDS)]
    return {
        "opening two weeks, trained systems": plain[plain["opening"] & plain["system_id"].isin(TRAINED)],
        "opening two weeks, where every system has a forecast": plain[plain["opening"]],
        "A: ten earlier games": plain[~plain["opening"] & (plain["prior_games"] >= EARLIER_GAMES)],
        "L: with a line, after the opening": rows[lined],
        "all rows with a line, the system that needs one": rows[
            rows["line"].notna() & rows["system_id"].isin(LINE_SYSTEM_IDS)
        ],
    }


def grid(rows: pd.DataFrame, title: str) -> Grid:
    """Lay out the figures of every system on the rows that all of them forecast."""
    on_all = rows.groupby(["game_date", "player_id"])["system_id"].transform("nunique") == rows["system_id"].nunique()
    table = Grid(title=title, title_justify="left")
    for name in ("system", "N", "MAE", "MAE of median", "of point", "CRPS", "bias", "in 80 %", "point - median"):
        table.add_column(name, justify="right", no_wrap=True)
    lined = bool(rows["line"].notna().all())
    for name in ("median - line", "point - line") if lined else ():
        table.add_column(name, justify="right", no_wrap=True)
    scored = sorted((r["absolute_error"].mean(), str(name), r) for name, r in rows[on_all].groupby("system_id"))
    for _, name, r in scored:
        draw = DayBootstrap(r["game_date"].to_numpy())
        median, point = 2 * r["pinball_q50"], r["point_error"]
        errors = (r["absolute_error"], median, point, r["crps"])
        differences = [point - median] + ([median - r["line_error"], point - r["line_error"]] if lined else [])
        table.add_row(
            name,
            f"{len(r):,}",
            *(interval(draw, v, ".3f") for v in errors),
            interval(draw, r["signed_error"], "+.3f"),
            interval(draw, r["within_80"], ".1%"),
            *(interval(draw, v, "+.3f") for v in differences),
        )
    return table


def interval(draw: DayBootstrap, values: pd.Series, form: str) -> str:
    """Format a mean with its interval."""
    mean = draw.mean(np.asarray(values, dtype=float))
    return f"{mean.value:{form}} [{mean.low:{form}}, {mean.high:{form}}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warehouse", type=Path)
    parser.add_argument("--market", default="points", choices=list(MARKETS))
    parser.add_argument("--season", nargs="+", default=["2022-23", "2023-24", "2024-25", "2025-26"])
    wanted = parser.parse_args()
    console = Console(width=270)
    rows = read_rows(wanted.warehouse, wanted.market)
    for season in wanted.season:
        for name, inside in sets_of(rows[rows["season"] == season]).items():
            if len(inside):
                console.print(grid(inside, f"{wanted.market}, {season}, {name}"))


if __name__ == "__main__":
    main()
