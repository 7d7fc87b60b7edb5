"""The record of a season: every system with intervals, calibration, and the recorded calls by month, market, tier and book."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from nba_pipeline.common import duckdb as duck
from nba_pipeline.evaluation.metrics import tier
from nba_pipeline.reporting import rolling
from nba_pipeline.reporting.data import Interval, Record
from nba_pipeline.reporting.rows import records
from nba_pipeline.tables.grading.call_grades import CALL_GRADES
from nba_pipeline.tables.grading.prediction_accuracy import PREDICTION_ACCURACY
from nba_pipeline.tables.predictions.calls import SNAPSHOTS
from nba_pipeline.warehouse import Days, Warehouse

BINS = 10
ACCURACY = (*rolling.COLUMNS, "season_average", "p_over", "p_push")
CALLS = (
    "game_date",
    "player_id",
    "market",
    "snapshot",
    "bookmaker",
    "outcome",
    "profit",
    "closing_value",
    "backfilled",
)
GROUPS = ("all", "month", "market", "tier", "book")

CALIBRATION = f"""
WITH rows AS (
    SELECT system_id, p_over / nullif(1 - p_push, 0) AS p, (actual_value > line)::INT AS is_over
    FROM graded WHERE p_over IS NOT NULL AND actual_value IS NOT NULL AND actual_value <> line
), binned AS (SELECT *, least(floor(p * {BINS}), {BINS - 1}) AS bin FROM rows WHERE p IS NOT NULL)
SELECT system_id, bin, count(*) AS n, avg(p) AS forecast, avg(is_over) AS observed
FROM binned GROUP BY ALL ORDER BY ALL
"""

# One call per player and market: the last snapshot, as it is the one whose price is nearest to the close.
CALLED = f"""
WITH averages AS (
    SELECT game_date, player_id, market, any_value(season_average) AS season_average FROM graded GROUP BY ALL
), last AS (
    SELECT * FROM calls QUALIFY row_number() OVER (
        PARTITION BY game_date, player_id, market
        ORDER BY list_position({list(SNAPSHOTS)}, snapshot) DESC) = 1
)
SELECT last.*, strftime(game_date, '%Y-%m') AS month, coalesce(bookmaker, 'no price') AS book, season_average
FROM last LEFT JOIN averages USING (game_date, player_id, market)
"""


@dataclass(frozen=True)
class Bin:
    """Forecasts of a system with a probability of the over in one tenth: how many, their mean, and the share that went over."""

    n: int
    forecast: float
    observed: float


@dataclass(frozen=True)
class CallRecord:
    """Recorded calls of one group: decided bets, profit per unit at real prices, and closing line value."""

    kind: str
    name: str
    n: int
    bets: int
    hit_rate: Interval | None
    priced: int
    roi: Interval | None
    closing: Interval | None


@dataclass(frozen=True)
class Season:
    """The figures of a season page."""

    label: str
    first: date
    last: date
    records: tuple[Record, ...]
    calibration: dict[str, list[Bin]]
    calls: tuple[CallRecord, ...]
    backfilled: int


def read_season(warehouse: Warehouse, label: str, first: date, last: date) -> Season:
    """Read and score a season.

    Args:
        warehouse: The warehouse to read from.
        label: Label of the season, such as 2024-25.
        first: First day.
        last: Last day.
    """
    inputs = warehouse.read(
        {"graded": (PREDICTION_ACCURACY, Days(first, last, ACCURACY)), "calls": (CALL_GRADES, Days(first, last, CALLS))}
    )
    with duck.connect() as db:
        db.register("graded", inputs["graded"])
        db.register("calls", inputs["calls"])
        bins = db.execute(CALIBRATION).df()
        calls = db.execute(CALLED).df()
    return Season(
        label=label,
        first=first,
        last=last,
        records=rolling.records(rolling.daily_sums(inputs["graded"]), first, last),
        calibration={
            str(system): [Bin(int(r["n"]), r["forecast"], r["observed"]) for r in records(own)]
            for system, own in bins.groupby("system_id")
        },
        calls=tuple(_call_records(calls)),
        backfilled=int(calls["backfilled"].sum()) if len(calls) else 0,
    )


def _call_records(calls: pd.DataFrame) -> Sequence[CallRecord]:
    """Score the calls altogether and by every group, groups in the order of their names."""
    if calls.empty:
        return ()
    calls = calls.assign(all="all calls", tier=tier(calls["season_average"]).fillna("unknown"))
    return [
        _call_record(kind, str(name), own)
        for kind in GROUPS
        for name, own in calls.groupby(kind, sort=True, observed=True)
    ]


def _call_record(kind: str, name: str, own: pd.DataFrame) -> CallRecord:
    decided = own["outcome"].isin(["win", "loss"])
    priced = own["profit"].notna()
    return CallRecord(
        kind=kind,
        name=name,
        n=len(own),
        bets=int(decided.sum()),
        hit_rate=_mean((own["outcome"] == "win").astype(float).where(decided), own["game_date"]),
        priced=int(priced.sum()),
        roi=_mean(own["profit"], own["game_date"]),
        closing=_mean(own["closing_value"], own["game_date"]),
    )


def _mean(values: pd.Series, days: pd.Series) -> Interval | None:
    """Average the known values, with the interval by resampling whole days; None without any."""
    known = values.notna()
    if not known.any():
        return None
    by_day = (
        pd.DataFrame({"top": values[known].astype(float), "day": days[known]})
        .groupby("day")["top"]
        .agg(["sum", "size"])
    )
    return rolling.interval(*(by_day[c].to_numpy(dtype=np.float64) for c in ("sum", "size")))
