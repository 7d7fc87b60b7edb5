"""How the columns of the feature store reach the systems: rules read a market's form under names without the market."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nba_pipeline.common.frames import beside
from nba_pipeline.systems import LEARNERS
from nba_pipeline.systems.protocol import Floats

if TYPE_CHECKING:
    import pandas as pd

# What a rule calls a column of form, and how the column ends in the feature store.
FORM: Mapping[str, str] = {
    "last_5": "avg_last_5",
    "last_10": "avg_last_10",
    "season_average": "avg_season",
    "ewma": "ewma",
    "std_last_10": "std_last_10",
}


def form_of(rows: pd.DataFrame, market: str, name: str) -> Floats:
    """A column of the market's form as floats."""
    return rows[f"{market}_{FORM[name]}"].to_numpy(dtype=float)


def rule_rows(rows: pd.DataFrame, market: str) -> pd.DataFrame:
    """The rows as rules read them: `games` and the market's form beside the features."""
    games = rows["games_played_season"].to_numpy(dtype=float)
    return beside(rows, games=games, **{name: form_of(rows, market, name) for name in FORM})


def system_features(system_id: str, market: str) -> tuple[str, ...]:
    """The columns that a system's artifact is bound to. Rules and combinations need the market's form alone."""
    for learner in LEARNERS:
        if learner.system_id == system_id:
            return learner.features(market)
    return tuple(f"{market}_{name}" for name in FORM.values())
