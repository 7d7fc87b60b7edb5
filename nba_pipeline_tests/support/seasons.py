"""Rows of an invented season, as training and forecasting read them."""

import numpy as np
import pandas as pd

from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.tables.predictions.versions import MODEL_FEATURES

SEED = 11
FORM = ("avg_last_3", "avg_last_5", "avg_last_10", "avg_season", "ewma", "form")


def season(days: int = 80, players: int = 60, *, seed: int = SEED, lined: bool = True) -> pd.DataFrame:
    """One row per player and day: skill and minutes differ by player, outcomes are skewed counts around them."""
    rng = np.random.default_rng(seed)
    n = days * players
    skill = np.tile(rng.gamma(3.0, 4.0, players), days)
    minutes = np.clip(np.tile(rng.normal(24, 7, players), days), 5, 40)
    rows = pd.DataFrame({name: rng.normal(0, 1, n) for name in MODEL_FEATURES.names})
    rows["playoff_game"] = 0.0
    for name in [c for c in MODEL_FEATURES.names if c.startswith("minutes_")]:
        rows[name] = minutes + rng.normal(0, 2, n)
    for market in MARKETS:
        for form in FORM:
            rows[f"{market}_{form}"] = np.maximum(skill + rng.normal(0, 1.5, n), 0)
        rows[f"{market}_std_last_10"] = 2 + np.sqrt(skill)
        rows[f"{market}_per_minute"] = rows[f"{market}_per_minute_year"] = skill / minutes
    actual = rng.negative_binomial(6, 6 / (6 + skill * np.where(np.arange(n) % 2, 1.1, 0.9))).astype(float)
    line = np.floor(skill + rng.normal(0, 0.7, n)) + 0.5
    return rows.assign(
        game_date=np.repeat(pd.date_range("2023-11-01", periods=days), players),
        season="2023-24",
        player_id=np.tile(np.arange(1, players + 1), days),
        team="BOS",
        games_played_season=np.repeat(np.arange(days), players).astype(float),
        minutes_played=minutes,
        actual=actual,
        line=np.where(skill >= 10, line, np.nan) if lined else np.nan,
        market_line=np.where(skill >= 10, line, np.nan) if lined else np.nan,
        market_over=np.where(np.arange(n) % 3 == 0, 0.52, np.nan) if lined else np.nan,
    )
