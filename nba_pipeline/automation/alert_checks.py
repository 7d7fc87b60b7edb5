"""Reports alerts as evaluations of the checks of their tables, so that the checks in the UI show everything that is wrong.

A check fails with the texts of its open alerts and passes when the last one is resolved. A check that was never judged, such as
those of the grades of an invented market, has no evaluation.
"""

from collections.abc import Collection, Iterator, Sequence

import dagster as dg

from nba_pipeline.automation import observations
from nba_pipeline.automation.alert_delivery import LINES_A_MESSAGE
from nba_pipeline.automation.alert_store import Alert, AlertKind, AlertStore, OpenAlert
from nba_pipeline.common import clock
from nba_pipeline.orchestration import watch_checks
from nba_pipeline.orchestration.assets import Pipeline
from nba_pipeline.orchestration.failures import coded_failures
from nba_pipeline.orchestration.watch_checks import WATCH_CHECKS, WatchCheck, watch_check_specs

KIND_OF = {
    watch_checks.ON_TIME: AlertKind.FRESHNESS,
    watch_checks.NO_GAPS: AlertKind.GAP,
    watch_checks.PLAUSIBLE: AlertKind.ALARM,
    watch_checks.STEADY: AlertKind.DRIFT,
    watch_checks.STEADY_FEATURES: AlertKind.FEATURE,
    watch_checks.KNOWN_STATES: AlertKind.STATE,
    watch_checks.WHOLE_SEASON: AlertKind.SEASON,
    watch_checks.DECLARED_BOOKS: AlertKind.BOOK,
    watch_checks.AGREEING_PRICES: AlertKind.PRICE,
    watch_checks.LISTED_PLAYERS: AlertKind.QUOTED,
    watch_checks.LINEUPS_CAPTURED: AlertKind.LINEUPS,
}
OF_GRADES = frozenset(
    {watch_checks.PLAUSIBLE, watch_checks.STEADY, watch_checks.STEADY_FEATURES, watch_checks.AGREEING_PRICES}
)


def check_of(alert: Alert | OpenAlert) -> WatchCheck | None:
    """Return the check that an alert fails; None for runs, sources, and refused days, whose own checks fail."""
    of_kind = [c for c in WATCH_CHECKS if KIND_OF[c.name] == alert.kind]
    if alert.kind == AlertKind.FRESHNESS:
        return next(c for c in of_kind if c.table == alert.key.split()[1])
    return of_kind[0] if of_kind else None


def evaluation(check: WatchCheck, alerts: Sequence[Alert | OpenAlert]) -> dg.AssetCheckEvaluation:
    """Return the evaluation of a check: failed while any of the alerts is about it.

    Args:
        check: The check.
        alerts: All alerts that hold.
    """
    texts = sorted(a.text for a in alerts if check_of(a) == check)
    return dg.AssetCheckEvaluation(
        asset_key=check.key.asset_key,
        check_name=check.name,
        passed=not texts,
        description="\n".join(_listed(texts)) or "no alert is open",
        metadata={"alerts": len(texts)},
        severity=check.severity,
    )


def _listed(texts: Sequence[str]) -> list[str]:
    """Return the texts as a list in Markdown, which the UI reads descriptions as; a long one is cut."""
    left = len(texts) - LINES_A_MESSAGE
    more = [f"and {left} more: `nba-pipeline alerts`"] if left > 0 else []
    return [f"- {text}" for text in [*texts[:LINES_A_MESSAGE], *more]]


def report(instance: dg.DagsterInstance, judged: Collection[AlertKind], alerts: Sequence[OpenAlert]) -> int:
    """Report to Dagster, outside any run, the checks whose verdict or texts changed; return how many.

    Args:
        instance: The Dagster instance.
        judged: The kinds of alerts that were judged now; others keep the alerts that were open before.
        alerts: The open alerts.
    """
    reported = 0
    for check in WATCH_CHECKS:
        now, before = evaluation(check, alerts), _latest(instance, check)
        is_unknown = before is None and now.passed and KIND_OF[check.name] not in judged
        if is_unknown or (before is not None and (before.passed, before.description) == (now.passed, now.description)):
            continue
        instance.report_runless_asset_event(now)
        reported += 1
    return reported


def _latest(instance: dg.DagsterInstance, check: WatchCheck) -> dg.AssetCheckEvaluation | None:
    record = instance.get_latest_asset_check_evaluation_record(check.key)
    entry = record.event if record is not None else None
    event = entry.dagster_event if entry is not None else None
    if event is None or event.event_type != dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        return None
    return event.asset_check_evaluation_data


@dg.multi_asset_check(
    name="watch_checks",
    specs=watch_check_specs(),
    can_subset=True,
    description="Judges now what the sensor `alerts` judges; sends no message.",
)
def evaluate_watch_checks(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> Iterator[dg.AssetCheckResult]:
    """Evaluate the selected checks now; one that cannot be judged has no result."""
    settings, selected = pipeline.settings, [c for c in WATCH_CHECKS if c.key in context.selected_asset_check_keys]
    with coded_failures(settings.home):
        anew = any(c.name in OF_GRADES for c in selected)
        observed = observations.observe_alerts(settings, context.instance, clock.now(), anew=anew)
        kept = [a for a in AlertStore(settings.open_state()).open_alerts() if a.kind not in observed.kinds]
    for check in selected:
        found = evaluation(check, [*observed.alerts, *kept])
        if KIND_OF[check.name] in observed.kinds or not found.passed:
            yield dg.AssetCheckResult(
                asset_key=found.asset_key,
                check_name=found.check_name,
                passed=found.passed,
                description=found.description,
                metadata=found.metadata,
                severity=found.severity,
            )
