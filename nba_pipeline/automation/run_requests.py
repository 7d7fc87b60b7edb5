"""Turns run plans into Dagster run requests: one run over a range of days, with tags for the requester and the reason."""

from collections.abc import Sequence

import dagster as dg

from nba_pipeline.automation.schedule_rules import Decision, RunPlan, Skip
from nba_pipeline.automation.selections import MODELS, PREDICTIONS
from nba_pipeline.contracts.checks import CHECKS
from nba_pipeline.domain.calendar import latest_day
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.tags import BY, RANGE_END, RANGE_START, shown_tags
from nba_pipeline.reporting.asset import KEY as REPORT_KEY
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.verification.asset_check import frame_of_the_seasons, replay_of_a_day

WHY, KEY = "nba_pipeline/why", "nba_pipeline/key"
LONGEST_RUN_SECONDS = 4 * 3600


def run_request(plan: RunPlan, by: str) -> dg.RunRequest:
    """Build the run request of a plan; the daily pages are included when forecasts, prices or grades run.

    Args:
        plan: What to run.
        by: The name of the schedule or sensor that requests it.
    """
    tables = [CATALOG[t].table for t in plan.tables]
    keys = [asset_key(t) for t in tables]
    with_page = any(t.dataset == PREDICTIONS and t.id != MODELS for t in tables)
    return dg.RunRequest(
        run_key=plan.key,
        asset_selection=[*keys, REPORT_KEY] if with_page else keys,
        asset_check_keys=_checks_of_a_run(keys),
        tags={
            RANGE_START: plan.start.isoformat(),
            RANGE_END: plan.end.isoformat(),
            BY: by,
            WHY: plan.why,
            KEY: plan.key,
            **shown_tags(plan.tables, plan.start, plan.end, graph_order()),
            "dagster/max_runtime": str(LONGEST_RUN_SECONDS),
        },
    )


def _checks_of_a_run(keys: Sequence[dg.AssetKey]) -> list[dg.AssetCheckKey]:
    """Return the checks that a run of these tables evaluates; by default it would evaluate those between runs, too."""
    of_runs = [*replay_of_a_day.check_keys, *frame_of_the_seasons.check_keys]
    return [*(dg.AssetCheckKey(key, c) for key in keys for c in CHECKS), *(k for k in of_runs if k.asset_key in keys)]


def schedule_result(decision: Decision, by: str) -> list[dg.RunRequest] | dg.SkipReason:
    """Return what a schedule hands to Dagster for a decision.

    Args:
        decision: The plans, or why there is nothing to run.
        by: The name of the schedule.
    """
    if isinstance(decision, Skip):
        return dg.SkipReason(decision.reason)
    if any(plan.end > latest_day() for plan in decision):
        return dg.SkipReason(f"the days of this home end on {latest_day()}; `nba-pipeline backfill` moves the end")
    return [run_request(plan, by) for plan in decision]
