"""A price that is worth a call on the over, as a row of prop_prices made by hand."""

from typing import Any

from nba_pipeline_tests.support import day

PRICE: dict[str, Any] = {
    "game_date": day("2024-01-05"),
    "player_id": 7,
    "market": "points",
    "system_id": "line_aware_v1",
    "bookmaker": "dk",
    "line": 19.5,
    "over_odds": -115.0,
    "under_odds": -105.0,
    "p_over": 0.64,
    "p_push": 0.0,
    "ev_over": 0.19,
    "ev_under": -0.30,
    "kelly_over": 0.05,
    "kelly_under": 0.0,
    "best_over": True,
    "best_under": False,
}
