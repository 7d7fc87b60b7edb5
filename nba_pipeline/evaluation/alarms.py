"""Too good is an alarm: results that no honest forecast of NBA points has reached are suspected leakage."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from nba_pipeline.domain.markets import POINTS
from nba_pipeline.evaluation.leaderboard import MARKET_LINE, REFERENCE, RowSet, leaderboard
from nba_pipeline.systems import LINE_SYSTEM_IDS

# Points only; the honest anchors are in docs/models.md.
LOWEST_MAE = 4.35
LOWEST_MAE_SCORERS = 5.00
SCORERS = 8.0
LARGEST_GAIN_ON_LAST_10 = 0.45
LARGEST_GAIN_ON_LINE = 0.15
HIGHEST_HIT_RATE = 0.60
MINIMUM_ROWS = 1_000
HONEST_CORRELATION = 0.75


@dataclass(frozen=True)
class Alarm:
    """A figure of a system that is too good to be honest, or worse than its own before."""

    system_id: str
    text: str

    def __str__(self) -> str:
        return f"{self.system_id}: {self.text}"


def too_good(board: pd.DataFrame, rows: RowSet) -> list[Alarm]:
    """List the figures of a leaderboard that are beyond what is honest; systems with too few rows raise no alarm.

    Args:
        board: A leaderboard with one row per system.
        rows: The rows that it is about.
    """
    if rows.market != POINTS.name or board.empty or rows.prior_games < 10 or rows.tier:
        return []
    alarms: list[Alarm] = []
    for r in board.to_dict("records"):
        name = str(r["system_id"])
        if name == MARKET_LINE or r["n"] < MINIMUM_ROWS:
            continue
        lowest = LOWEST_MAE_SCORERS if rows.min_average >= SCORERS or rows.with_line else LOWEST_MAE
        if r["mae"] < lowest:
            alarms.append(Alarm(name, f"MAE {r['mae']:.3f} is under {lowest}"))
        if r.get("vs_last_10", 0) < -LARGEST_GAIN_ON_LAST_10 and not rows.with_line:
            alarms.append(
                Alarm(name, f"{-r['vs_last_10']:.3f} better than last_10, more than {LARGEST_GAIN_ON_LAST_10}")
            )
        if rows.with_line and name not in LINE_SYSTEM_IDS and r["vs_line"] <= -LARGEST_GAIN_ON_LINE:
            alarms.append(Alarm(name, f"{-r['vs_line']:.3f} better than the line, at least {LARGEST_GAIN_ON_LINE}"))
        if r["bets"] >= MINIMUM_ROWS and r["hit_rate"] > HIGHEST_HIT_RATE:
            alarms.append(
                Alarm(name, f"hit rate {r['hit_rate']:.1%} on {r['bets']} bets is over {HIGHEST_HIT_RATE:.0%}")
            )
    return alarms


def too_good_each(graded: pd.DataFrame, rows: RowSet) -> list[Alarm]:
    """List the figures that are too good, each system's on the rows that it shares with the reference alone.

    A system that came late or was retired so hides nothing of the others; systems with the same rows share a leaderboard. Systems
    that need a line have none of these figures.

    Args:
        graded: Graded rows of any systems.
        rows: Which of them count.
    """
    alarms: list[Alarm] = []
    for systems in _with_the_same_rows(graded, rows):
        board = leaderboard(rows.select(graded[graded["system_id"].isin([*systems, REFERENCE])]))
        alarms += too_good(board[board["system_id"].isin(systems)], rows)
    return sorted(alarms, key=lambda alarm: alarm.system_id)


def _with_the_same_rows(graded: pd.DataFrame, rows: RowSet) -> list[list[str]]:
    """Group the systems that forecast the same rows, of those that count."""
    lineless = graded[~graded["system_id"].isin(LINE_SYSTEM_IDS)]
    counted = lineless[rows.covers(lineless) & lineless["absolute_error"].notna()]
    groups: dict[bytes, list[str]] = {}
    for system, own in counted.groupby("system_id"):
        of_system = pd.util.hash_pandas_object(own[["game_date", "player_id"]], index=False)
        groups.setdefault(of_system.sort_values().to_numpy().tobytes(), []).append(str(system))
    return list(groups.values())


def suspects(features: pd.DataFrame, actual: pd.Series, names: Sequence[str], at_most: int = 5) -> list[str]:
    """Features whose correlation with the outcome is above what history can have, else the highest ones, strongest first."""
    strength = (
        features[list(names)].astype(float).corrwith(actual.astype(float)).abs().dropna().sort_values(ascending=False)
    )
    beyond = strength[strength > HONEST_CORRELATION]
    shown = beyond if len(beyond) else strength.head(at_most)
    return [f"{name} {r:.3f}" for name, r in shown.items()]
