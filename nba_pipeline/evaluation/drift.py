"""Too bad is an alarm, too: a system that forecasts worse of late than before, beyond what chance does.

The last 30 days of grades stand against the earlier ones. Errors are compared as differences to the mean of the last ten games
on the same rows, so that days that are hard for all systems are none; coverage says whether the 80 % intervals still hold 80 %.
Each system is compared with the reference alone: which other systems there are changes nothing.
Both count where the 95 % intervals do not touch and the difference matters.
"""

from collections.abc import Iterator
from datetime import timedelta

import pandas as pd

from nba_pipeline.evaluation.alarms import MINIMUM_ROWS, Alarm
from nba_pipeline.evaluation.bootstrap import DayBootstrap, Estimate
from nba_pipeline.evaluation.leaderboard import REFERENCE, RowSet

RECENT = timedelta(days=30)
LEAST_ERROR, LEAST_COVERAGE = 0.10, 0.04
NOMINAL = 0.80


def too_bad(graded: pd.DataFrame, rows: RowSet) -> list[Alarm]:
    """List the systems whose error or coverage got worse; those with too few rows before or since raise no alarm.

    Args:
        graded: Graded rows of all systems; the last days are counted from the last of them.
        rows: Which of them count.
    """
    last_before = pd.to_datetime(graded["game_date"]).max() - RECENT
    alarms: list[Alarm] = []
    for system in sorted({str(s) for s in graded["system_id"].unique()} - {REFERENCE}):
        groups = {str(name): r for name, r in rows.beside_reference(graded, system).groupby("system_id")}
        if groups.keys() == {system, REFERENCE}:
            errors = {name: r["absolute_error"].to_numpy(dtype=float) for name, r in groups.items()}
            alarms += _worse(system, groups[system].assign(excess=errors[system] - errors[REFERENCE]), last_before)
    return alarms


def _worse(system: str, rows: pd.DataFrame, last_before: pd.Timestamp) -> Iterator[Alarm]:
    late = pd.to_datetime(rows["game_date"]) > last_before
    if min(late.sum(), (~late).sum()) < MINIMUM_ROWS:
        return
    before, since = _mean(rows[~late], "excess"), _mean(rows[late], "excess")
    if since.low > before.high and since.value - before.value >= LEAST_ERROR:
        said = f"the error against {REFERENCE} went from {before.value:+.3f} to {since.value:+.3f}"
        yield Alarm(system, f"{said} in the last {RECENT.days} days")
    before, since = _mean(rows[~late], "within_80"), _mean(rows[late], "within_80")
    worse = abs(since.value - NOMINAL) - abs(before.value - NOMINAL)
    if (since.low > before.high or since.high < before.low) and worse >= LEAST_COVERAGE:
        said = f"{since.value:.1%} of the actual values are within the 80 % intervals, before {before.value:.1%},"
        yield Alarm(system, f"{said} in the last {RECENT.days} days")


def _mean(rows: pd.DataFrame, column: str) -> Estimate:
    return DayBootstrap(rows["game_date"].to_numpy()).mean(rows[column].to_numpy(dtype=float))
