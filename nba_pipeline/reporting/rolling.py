"""Score the systems over the days before a day: sums per day and system, intervals by resampling whole days."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nba_pipeline.common import duckdb as duck
from nba_pipeline.evaluation.bootstrap import ratio_interval
from nba_pipeline.reporting.data import Interval, Record

if TYPE_CHECKING:  # takes most of a second to load, and definitions read no rows
    import pandas as pd

PRIOR_GAMES = 10
FEWEST_DAYS = 7
MEASURES: tuple[str, ...] = (
    "n",
    "absolute",
    "signed",
    "within",
    "beyond_benchmark",
    "lined",
    "beyond_line",
    "wins",
    "decided",
    "profit",
    "priced",
)
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
    "profit",
)

DAILY_SUMS = f"""
WITH rows AS (
    SELECT *, max(absolute_error) FILTER (system_id = '{BENCHMARK}')
        OVER (PARTITION BY game_date, player_id, market) AS benchmark_error
    FROM graded
), counted AS (
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
    count(*) FILTER (outcome IN ('win', 'loss')) AS decided,
    sum(profit) AS profit,
    count(profit) AS priced
FROM counted GROUP BY ALL ORDER BY ALL
"""


def daily_sums(graded: pa.Table) -> pd.DataFrame:
    """Sum the grades by day, market and system, from which the scores of any window of days follow.

    Errors count on rows of players who played, had ten earlier games that season and a forecast by `last_10`.
    """
    with duck.connect() as db:
        db.register("graded", graded)
        sums = db.execute(DAILY_SUMS).df()
    return sums.assign(game_date=sums["game_date"].dt.date).fillna(0)


def records(sums: pd.DataFrame, first: date, last: date) -> tuple[Record, ...]:
    """Score every market's systems over the days from first to last, both included; lowest error first."""
    import pandas as pd  # deferred, as above

    window = sums[(sums["game_date"] >= first) & (sums["game_date"] <= last)]
    if window.empty:
        return ()
    days, day = np.unique(window["game_date"].to_numpy(), return_inverse=True)
    systems = pd.MultiIndex.from_frame(window[["market", "system_id"]])
    place, names = systems.factorize()
    cube = np.zeros((len(MEASURES), len(days), len(names)))
    cube[:, day, place] = window[list(MEASURES)].to_numpy(dtype=float).T
    scores = [_record(market, system, Sums(cube[:, :, i])) for i, (market, system) in enumerate(names)]
    return tuple(sorted((r for r in scores if r is not None), key=lambda r: (r.market, r.mae.mean, r.system)))


def _record(market: str, system: str, of: Sums) -> Record | None:
    if not of.total("n"):
        return None
    return Record(
        market=market,
        system=system,
        n=int(of.total("n")),
        mae=of.ratio("absolute", "n"),
        bias=of.total("signed") / of.total("n"),
        coverage=of.total("within") / of.total("n"),
        difference=of.ratio("beyond_benchmark", "n"),
        n_with_line=int(of.total("lined")),
        market_difference=of.ratio("beyond_line", "lined") if of.total("lined") else None,
        bets=int(of.total("decided")),
        hit_rate=of.ratio("wins", "decided") if of.total("decided") else None,
        priced_bets=int(of.total("priced")),
        roi=of.ratio("profit", "priced") if of.total("priced") else None,
    )


class Sums:
    """Sums of one system by day, an array of (measures, days), with their means and intervals."""

    def __init__(self, by_day: NDArray[np.float64]) -> None:
        self._by_day = dict(zip(MEASURES, by_day, strict=True))

    def total(self, measure: str) -> float:
        """Sum a measure over the days."""
        return float(self._by_day[measure].sum())

    def ratio(self, top: str, bottom: str) -> Interval:
        """Compute Σ top / Σ bottom with its interval."""
        return interval(self._by_day[top], self._by_day[bottom])


def interval(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> Interval:
    """Compute Σ top / Σ bottom with its 95 % interval by resampling whole days, as rows of one day are dependent.

    Fewer than seven days with rows give no interval: a resample of so few days does not estimate the variance.

    Args:
        top: the sum of each day.
        bottom: the count of each day, in the order of `top`.
    """
    mean = float(top.sum() / bottom.sum())
    if (bottom > 0).sum() < FEWEST_DAYS:
        return Interval(mean, None, None)
    return Interval(mean, *ratio_interval(top, bottom))
