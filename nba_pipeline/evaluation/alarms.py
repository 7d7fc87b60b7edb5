"""Too good is an alarm: results that no honest forecast of NBA points has reached are suspected leakage."""

from collections.abc import Sequence

import pandas as pd

from nba_pipeline.domain.markets import POINTS
from nba_pipeline.evaluation.leaderboard import MARKET_LINE, RowSet
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


def too_good(board: pd.DataFrame, rows: RowSet) -> list[str]:
    """A sentence for every figure of a leaderboard that is beyond what is honest; none where it has too few rows to say."""
    if rows.market != POINTS.name or board.empty or rows.prior_games < 10 or rows.tier:
        return []
    said = []
    for r in board.to_dict("records"):
        name = str(r["system_id"])
        if name == MARKET_LINE or r["n"] < MINIMUM_ROWS:
            continue
        lowest = LOWEST_MAE_SCORERS if rows.min_average >= SCORERS or rows.with_line else LOWEST_MAE
        if r["mae"] < lowest:
            said.append(f"{name}: MAE {r['mae']:.3f} is under {lowest}")
        if r.get("vs_last_10", 0) < -LARGEST_GAIN_ON_LAST_10 and not rows.with_line:
            said.append(f"{name}: {-r['vs_last_10']:.3f} better than last_10, more than {LARGEST_GAIN_ON_LAST_10}")
        if rows.with_line and name not in LINE_SYSTEM_IDS and r["vs_line"] <= -LARGEST_GAIN_ON_LINE:
            said.append(f"{name}: {-r['vs_line']:.3f} better than the line, at least {LARGEST_GAIN_ON_LINE}")
        if r["bets"] >= MINIMUM_ROWS and r["hit_rate"] > HIGHEST_HIT_RATE:
            said.append(f"{name}: hit rate {r['hit_rate']:.1%} on {r['bets']} bets is over {HIGHEST_HIT_RATE:.0%}")
    return said


def suspects(features: pd.DataFrame, actual: pd.Series, names: Sequence[str], at_most: int = 5) -> list[str]:
    """Features whose correlation with the outcome is above what history can have, else the highest ones, strongest first."""
    strength = (
        features[list(names)].astype(float).corrwith(actual.astype(float)).abs().dropna().sort_values(ascending=False)
    )
    beyond = strength[strength > HONEST_CORRELATION]
    shown = beyond if len(beyond) else strength.head(at_most)
    return [f"{name} {r:.3f}" for name, r in shown.items()]
