"""The only place that builds Definitions: all tables, the daily report, the jobs, what launches them, one resource."""

import warnings

import dagster as dg

warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

from nba_pipeline.analytics import (  # noqa: E402
    player_game_summary,
    team_defense_game_summary,
    team_offense_game_summary,
    upcoming_player_game_context,
    upcoming_team_game_context,
)
from nba_pipeline.automation import jobs, schedules, sensors  # noqa: E402
from nba_pipeline.grading import prediction_accuracy, system_daily_performance  # noqa: E402
from nba_pipeline.precompute import (  # noqa: E402
    player_composite_factors,
    player_daily_cache,
    player_shot_zone_analysis,
    team_defense_zone_analysis,
)
from nba_pipeline.predictions import (  # noqa: E402
    ml_feature_store_v2,
    player_prop_predictions,
    prediction_models,
    prop_prices,
)
from nba_pipeline.raw import (  # noqa: E402
    game_lines,
    injury_reports,
    player_boxscores,
    player_prop_lines,
    schedule,
    shots,
    team_boxscores,
)
from nba_pipeline.reporting.daily_report import daily_report  # noqa: E402
from nba_pipeline.table_asset import Pipeline  # noqa: E402
from nba_pipeline.verification.replay_check import replay_of_a_day  # noqa: E402

ASSETS = [
    schedule.schedule,
    player_boxscores.player_boxscores,
    team_boxscores.team_boxscores,
    shots.shots,
    player_prop_lines.player_prop_lines,
    game_lines.game_lines,
    injury_reports.injury_reports,
    player_game_summary.player_game_summary,
    team_offense_game_summary.team_offense_game_summary,
    team_defense_game_summary.team_defense_game_summary,
    upcoming_team_game_context.upcoming_team_game_context,
    upcoming_player_game_context.upcoming_player_game_context,
    team_defense_zone_analysis.team_defense_zone_analysis,
    player_shot_zone_analysis.player_shot_zone_analysis,
    player_daily_cache.player_daily_cache,
    player_composite_factors.player_composite_factors,
    ml_feature_store_v2.ml_feature_store_v2,
    prediction_models.prediction_models,
    player_prop_predictions.player_prop_predictions,
    prop_prices.prop_prices,
    prediction_accuracy.prediction_accuracy,
    system_daily_performance.system_daily_performance,
]

defs = dg.Definitions(
    assets=[*ASSETS, daily_report],
    asset_checks=[replay_of_a_day],
    jobs=jobs.JOBS,
    schedules=schedules.SCHEDULES,
    sensors=sensors.SENSORS,
    resources={"pipeline": Pipeline()},
    executor=dg.in_process_executor,
)
