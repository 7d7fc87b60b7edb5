"""Too bad is an alarm, too: a system that forecasts worse of late than before, beyond what chance does.

The last 30 days of grades stand against the earlier ones. Errors are compared as differences to the mean of the last ten games
on the same rows, so that days that are hard for all systems are none; coverage says whether the 80 % intervals still hold 80 %.
Both count where the 95 % intervals do not touch and the difference matters.
"""

from datetime import timedelta

import pandas as pd

from nba_pipeline.evaluation.alarms import MINIMUM_ROWS, Alarm
from nba_pipeline.evaluation.bootstrap import DayBootstrap, Estimate
from nba_pipeline.evaluation.leaderboard import REFERENCE

RECENT = timedelta(days=30)
LEAST_ERROR, LEAST_COVERAGE = 0.10, 0.04
NOMINAL = 0.80


def too_bad(rows: pd.DataFrame) -> list[Alarm]:
    """List the systems whose error or coverage got worse; those with too few rows before or since raise no alarm.

    Args:
        rows: Graded rows of `RowSet.select`, which are the same for every system.
    """
    systems = {str(name): r.reset_index(drop=True) for name, r in rows.groupby("system_id")}
    if REFERENCE not in systems:
        return []
    reference = systems.pop(REFERENCE)["absolute_error"].astype(float)
    alarms: list[Alarm] = []
    for name, of_system in systems.items():
        r = of_system.assign(excess=of_system["absolute_error"].astype(float) - reference)
        days = pd.to_datetime(r["game_date"])
        late = days > days.max() - RECENT
        if min(late.sum(), (~late).sum()) < MINIMUM_ROWS:
            continue
        before, since = _mean(r[~late], "excess"), _mean(r[late], "excess")
        if since.low > before.high and since.value - before.value >= LEAST_ERROR:
            said = f"the error against {REFERENCE} went from {before.value:+.3f} to {since.value:+.3f}"
            alarms.append(Alarm(name, f"{said} in the last {RECENT.days} days"))
        before, since = _mean(r[~late], "within_80"), _mean(r[late], "within_80")
        worse = abs(since.value - NOMINAL) - abs(before.value - NOMINAL)
        if (since.low > before.high or since.high < before.low) and worse >= LEAST_COVERAGE:
            said = f"{since.value:.1%} of the actual values are within the 80 % intervals, before {before.value:.1%},"
            alarms.append(Alarm(name, f"{said} in the last {RECENT.days} days"))
    return alarms


def _mean(rows: pd.DataFrame, column: str) -> Estimate:
    return DayBootstrap(rows["game_date"].to_numpy()).mean(rows[column].to_numpy(dtype=float))
