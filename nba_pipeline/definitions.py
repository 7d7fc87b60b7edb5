"""The only place that builds Definitions: all tables, the daily report, the jobs, what launches them, the resources."""

import warnings

import dagster as dg

warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

from nba_pipeline.automation import schedules, sensors  # noqa: E402
from nba_pipeline.automation.alert_checks import evaluate_watch_checks  # noqa: E402
from nba_pipeline.automation.alert_store import alerts_of  # noqa: E402
from nba_pipeline.config.settings import Settings  # noqa: E402
from nba_pipeline.orchestration import jobs  # noqa: E402
from nba_pipeline.orchestration.assets import Pipeline, table_asset  # noqa: E402
from nba_pipeline.orchestration.executor import refusal_tolerant_executor  # noqa: E402
from nba_pipeline.orchestration.google_resources import google_resources  # noqa: E402
from nba_pipeline.reporting.asset import daily_report_asset  # noqa: E402
from nba_pipeline.tables.catalog import TRANSFORMS  # noqa: E402
from nba_pipeline.verification.asset_check import frame_of_the_seasons, replay_of_a_day  # noqa: E402

SETTINGS = Settings.from_environment()
ASSETS = [table_asset(transform, SETTINGS) for transform in TRANSFORMS]
DAILY_REPORT = daily_report_asset(SETTINGS, alerts_of)

defs = dg.Definitions(
    assets=[*ASSETS, DAILY_REPORT],
    asset_checks=[replay_of_a_day, frame_of_the_seasons, evaluate_watch_checks],
    jobs=jobs.JOBS,
    schedules=schedules.SCHEDULES,
    sensors=sensors.SENSORS,
    resources={"pipeline": Pipeline(), **google_resources(SETTINGS)},
    executor=refusal_tolerant_executor,
)
