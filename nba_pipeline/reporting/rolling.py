"""How the systems did on the days before a day: sums per day and system, and intervals by resampling whole days."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from nba_pipeline import duck
from nba_pipeline.evaluation.leaderboard import RESAMPLES, SEED
from nba_pipeline.reporting.data import Interval, Record

PRIOR_GAMES = 10
FEWEST_DAYS = 7
BENCHMARK = "last_10"
COLUMNS = (
    "game_date",
    "player_id",
    "market",
    "system_id",
    "prior_games",
    "signed_error",
    "absolute_error",
    "within_80",
    "line",
    "actual_value",
    "outcome",
)

DAILY_SUMS = f"""
WITH rows AS (
    SELECT *, max(absolute_error) FILTER (system_id = '{BENCHMARK}')
        OVER (PARTITION BY game_date, player_id, market) AS benchmark_error
    FROM graded
), judged AS (
    SELECT *, absolute_error IS NOT NULL AND benchmark_error IS NOT NULL AND prior_games >= {PRIOR_GAMES} AS counts
    FROM rows
)
SELECT game_date, market, system_id,
    count(*) FILTER (counts) AS n,
    sum(absolute_error) FILTER (counts) AS absolute,
    sum(signed_error) FILTER (counts) AS signed,
    sum(within_80::INT) FILTER (counts) AS within,
    sum(absolute_error - benchmark_error) FILTER (counts) AS beyond_benchmark,
    count(line) FILTER (counts) AS lined,
    sum(absolute_error - abs(line - actual_value)) FILTER (counts AND line IS NOT NULL) AS beyond_line,
    count(*) FILTER (outcome = 'win') AS wins,
    count(*) FILTER (outcome IN ('win', 'loss')) AS decided
FROM judged GROUP BY ALL ORDER BY ALL
"""


def daily_sums(graded: pa.Table) -> pd.DataFrame:
    """One row per day, market and system: what the means and shares of any window of days are made of.

    Errors count on rows of players who played, had ten earlier games that season and were forecast by `last_10` too.
    """
    with duck.connect() as db:
        db.register("graded", graded)
        sums = db.execute(DAILY_SUMS).df()
    return sums.assign(game_date=sums["game_date"].dt.date).fillna(0)


def records(sums: pd.DataFrame, first: date, last: date) -> tuple[Record, ...]:
    """Every market's systems over the days from first to last, both included: best error first."""
    window = sums[(sums["game_date"] >= first) & (sums["game_date"] <= last)]
    return tuple(sorted(_records(window), key=lambda r: (r.market, r.mae.mean, r.system)))


def _records(window: pd.DataFrame) -> Iterator[Record]:
    for (market, system), days in window.groupby(["market", "system_id"], sort=True):
        total = days.select_dtypes("number").sum()
        if not total["n"]:
            continue
        yield Record(
            market=str(market),
            system=str(system),
            n=int(total["n"]),
            mae=ratio_interval(days["absolute"], days["n"]),
            bias=float(total["signed"] / total["n"]),
            coverage=float(total["within"] / total["n"]),
            difference=ratio_interval(days["beyond_benchmark"], days["n"]),
            n_with_line=int(total["lined"]),
            market_difference=ratio_interval(days["beyond_line"], days["lined"]) if total["lined"] else None,
            bets=int(total["decided"]),
            hit_rate=ratio_interval(days["wins"], days["decided"]) if total["decided"] else None,
        )


def ratio_interval(sums: pd.Series, counts: pd.Series) -> Interval:
    """Σ sums / Σ counts, with the 95 % interval that comes of drawing whole days, since rows of one day are not independent.

    Fewer than seven days with rows give no interval: drawing from a handful of days says nothing of the others.
    """
    filled = counts.to_numpy(dtype=float) > 0
    top, bottom = sums.to_numpy(dtype=float)[filled], counts.to_numpy(dtype=float)[filled]
    mean = float(top.sum() / bottom.sum())
    if len(top) < FEWEST_DAYS:
        return Interval(mean, None, None, len(top))
    drawn = np.random.default_rng(SEED).integers(0, len(top), (RESAMPLES, len(top)))
    low, high = np.quantile(top[drawn].sum(axis=1) / bottom[drawn].sum(axis=1), [0.025, 0.975])
    return Interval(mean, float(low), float(high), len(top))
