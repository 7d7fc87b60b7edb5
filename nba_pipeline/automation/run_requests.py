"""From an ask to a run request of Dagster: one run over a range of days, with tags that say who asked and why."""

import dagster as dg

from nba_pipeline.automation.schedule_rules import Ask, Decision, Skip
from nba_pipeline.automation.selections import MODELS
from nba_pipeline.orchestration.assets import asset_key
from nba_pipeline.orchestration.tags import BY, RANGE_END, RANGE_START
from nba_pipeline.reporting.asset import KEY as REPORT_KEY
from nba_pipeline.tables.catalog import CATALOG

WHY, KEY = "nba_pipeline/why", "nba_pipeline/key"
LONGEST_RUN_SECONDS = 4 * 3600


def run_request(ask: Ask, by: str) -> dg.RunRequest:
    """The run of an ask. The pages of the days are written with their forecasts, prices or grades."""
    keys = [asset_key(CATALOG[t].table) for t in ask.tables]
    with_page = any(t.startswith("nba_predictions.") and t != MODELS for t in ask.tables)
    return dg.RunRequest(
        run_key=ask.key,
        asset_selection=[*keys, REPORT_KEY] if with_page else keys,
        tags={
            RANGE_START: ask.start.isoformat(),
            RANGE_END: ask.end.isoformat(),
            BY: by,
            WHY: ask.why,
            KEY: ask.key,
            "dagster/max_runtime": str(LONGEST_RUN_SECONDS),
        },
    )


def answer(decision: Decision, by: str) -> list[dg.RunRequest] | dg.SkipReason:
    """What a schedule returns for a decision."""
    if isinstance(decision, Skip):
        return dg.SkipReason(decision.reason)
    return [run_request(a, by) for a in decision]
