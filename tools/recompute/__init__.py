"""A second, independent computation of the tables: pandas on the landing files, written from the definitions in docs/tables.md.

Each table has a module with `TABLE`, `LEFT_OUT` (columns that are not computed a second time, with the reason) and
`recompute(league) -> DataFrame`, listed in `RECOMPUTED`. None of them imports an expression of the pipeline: what both sides
share is the layout of the landing files and the contract, which names the columns and how many decimals are stored.

    python -m tools.recompute HOME DATA FIRST LAST [TABLE]...
"""

RECOMPUTED = (
    "player_game_summary",
    "team_offense_game_summary",
    "team_defense_game_summary",
    "upcoming_player_game_context",
    "upcoming_team_game_context",
    "team_defense_zone_analysis",
    "player_shot_zone_analysis",
    "player_daily_cache",
    "player_composite_factors",
    "ml_feature_store_v2",
    "player_prop_predictions",
    "prop_prices",
    "calls",
    "prediction_accuracy",
    "system_daily_performance",
    "call_grades",
)
