"""From which season on a system's figures are clean: no constant of it was chosen by looking at that season.

What is fitted month by month sees earlier days only, in every season. Constants in the code were chosen once, and figures of the
seasons that they were chosen on flatter the system. `CHOSEN_ON` declares them; a constant that is chosen anew moves its entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from nba_pipeline.domain.calendar import EPOCH

FIRST_YEAR = EPOCH.year


@dataclass(frozen=True)
class ChosenOn:
    """Last seasons that the constants of a system were chosen on, by the year of their beginning; None: on none.

    `error` is of the constants that move its mean, `law` of those of its distribution around the mean: shift, line law.
    """

    error: int | None
    law: int | None


_LAW = 2024  # the law's shift and the prior of the slope beside lines (to 2023-24), which rows scale the spread (to 2024-25)
_RULE, _ZONES, _LEARNED = ChosenOn(None, _LAW), ChosenOn(2022, _LAW), ChosenOn(2023, _LAW)
CHOSEN_ON: Mapping[str, ChosenOn] = {
    "last_5": _RULE,
    "last_10": _RULE,
    "season_average": _RULE,
    "ewma": _RULE,
    "moving_average": _RULE,
    "zone_matchup_v1": _ZONES,  # weights of the zones: 2021-22 and 2022-23
    "similarity_balanced_v1": _ZONES,  # closeness, and the weight of recent form: 2021-22 and 2022-23
    "xgboost_v1": _LEARNED,  # features, balance of the form, trees: 2022-23 and 2023-24
    "ridge_v1": _LEARNED,
    "ensemble_v1": _LEARNED,
    "line_aware_v1": _LEARNED,
}


def with_clean_seasons(board: pd.DataFrame) -> pd.DataFrame:
    """Add `error_clean_from` and `law_clean_from` to a leaderboard: labels of seasons, None for a row that is no system."""
    chosen = [CHOSEN_ON.get(str(name)) for name in board["system_id"]]

    def column(part: Literal["error", "law"]) -> pd.Series:
        seasons = [None if c is None else _first_clean(getattr(c, part)) for c in chosen]
        return pd.Series(seasons, index=board.index, dtype=object)

    return board.assign(error_clean_from=column("error"), law_clean_from=column("law"))


def _first_clean(last_chosen: int | None) -> str:
    year = FIRST_YEAR if last_chosen is None else last_chosen + 1
    return f"{year}-{(year + 1) % 100:02d}"
