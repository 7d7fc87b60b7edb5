"""The sensors, off until switched on in the UI.

They keep no cursor: what to run follows from the state of the source, the tables and the runs, so that nothing is lost or run
twice after a restart, and the key of a run names its cause.
"""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from nba_pipeline.automation import alert_checks, alert_events, observations, reconcile, selections
from nba_pipeline.automation.alert_rules import Published
from nba_pipeline.automation.alert_store import AlertStore, Delivery
from nba_pipeline.automation.file_cleanup import remove_abandoned_drafts
from nba_pipeline.automation.heartbeat import beat
from nba_pipeline.automation.notifiers import notifiers
from nba_pipeline.automation.reconcile import Owner
from nba_pipeline.automation.retries import Refusal, repaired, retries
from nba_pipeline.automation.run_requests import run_request
from nba_pipeline.automation.schedule_rules import RunPlan, by_days, describe_days_of
from nba_pipeline.automation.staging_cleanup import NOTHING_STAGED, connection_of, sweep
from nba_pipeline.common import clock
from nba_pipeline.common.errors import AlertError, SourceError
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import latest_day
from nba_pipeline.engine.readiness import unmet
from nba_pipeline.engine.refusals import lacks_only_upstream
from nba_pipeline.orchestration import jobs, reconciliation
from nba_pipeline.sources.fingerprints import DAILY_FEEDS, current, grows
from nba_pipeline.sources.state_db import SourceState
from nba_pipeline.tables.catalog import CATALOG

REPAIR_DAYS = 30
BUSY = "runs requested by automation are unfinished; evaluated again when they end"
SensorAnswer = dg.SensorResult | dg.SkipReason


def plan_changes(settings: Settings, by: Owner) -> tuple[list[RunPlan], str]:
    """Compare the source with what the tables were built from.

    Args:
        settings: The settings, for the source, the home and the warehouse.
        by: The sensor or schedule to plan for.

    Returns:
        The runs that `by` owns, and a summary of the differences.
    """
    today = clock.today()
    source, state, warehouse = settings.open_source(), SourceState(settings.open_state()), settings.watch_warehouse()
    rows, built = current(source, state, today), state.built()
    tables = {f.name: selections.fed_by([f.name]) for f in DAILY_FEEDS}
    published = Published.of(warehouse.ledger([t for names in tables.values() for t in names]).to_pylist()).published
    ready = {
        (feed, day)
        for feed, names in tables.items()
        for day in {d for t, d in published if t in names}
        if all((t, day) in published for t in names)
    }
    began = min((d for _, d in ready), default=None)
    changes = reconcile.changes(rows, built, ready, began, today)
    if changes.adopted:
        by_feed: dict[str, dict] = {}
        for (feed, day), digest in changes.adopted.items():
            by_feed.setdefault(feed, {})[day] = digest
        state.record_built("", by_feed)
    found = reconcile.run_plans(changes, rows, built, today, by, grows=grows(source))
    plans = [plan for plan in found if plan.end <= latest_day()]
    older = f"; {changes.older} changed feed days before {began} are ignored" if changes.older else ""
    return plans, f"{describe_days_of(plans)} differ from what the tables were built from{older}"


def _request_changes(context: dg.SensorEvaluationContext, by: Owner) -> SensorAnswer:
    if observations.unfinished_runs(context.instance):
        return dg.SkipReason(BUSY)
    try:
        plans, summary = plan_changes(Settings.from_environment(), by)
    except SourceError as e:
        return dg.SkipReason(f"the source cannot be read: {e.what}")
    if not plans:
        return dg.SkipReason(summary)
    return dg.SensorResult(run_requests=[run_request(plan, by) for plan in plans])


@dg.sensor(
    job_name=jobs.WHOLE_GRAPH,
    minimum_interval_seconds=120,
    description="Runs exactly the days whose source rows are new or changed, in the tables that depend on them.",
)
def landing(context: dg.SensorEvaluationContext) -> SensorAnswer:
    return _request_changes(context, "landing")


@dg.sensor(
    job_name=jobs.WHOLE_GRAPH,
    minimum_interval_seconds=600,
    description="Reruns facts and grades of the last three days when results arrive late or are corrected; never forecasts.",
)
def corrections(context: dg.SensorEvaluationContext) -> SensorAnswer:
    return _request_changes(context, "corrections")


@dg.sensor(
    job_name=jobs.WHOLE_GRAPH,
    minimum_interval_seconds=60,
    description="Retries transient failures (lock, network, server errors) after 5, 15 and 45 minutes, and runs days that lacked "
    "upstream days once those are published. Days that fail their contract wait until their input changes.",
)
def failed_partitions(context: dg.SensorEvaluationContext) -> SensorAnswer:
    settings, now = Settings.from_environment(), clock.now()
    runs = observations.observe_runs(context.instance, now)
    failed = observations.not_published_since(runs.failed, settings)
    requests = []
    for plan, run in retries(failed, runs.unfinished | runs.succeeded, now):
        request = run_request(plan, "failed_partitions")
        chain = {observations.ORIGIN: run.origin, observations.ATTEMPT: str(run.attempt + 1)}
        requests.append(request.with_replaced_attrs(tags={**request.tags, **chain}))
    if not observations.unfinished_runs(context.instance):
        requests += [run_request(plan, "failed_partitions") for plan in plan_repairs(settings)]
    if not requests:
        return dg.SkipReason(
            f"{len(failed)} failed runs of the last two days have days that no later run published; no retry is due"
        )
    return dg.SensorResult(run_requests=requests)


def plan_repairs(settings: Settings) -> list[RunPlan]:
    """Plan days that were refused only for missing upstream days that are published by now, with all tables below."""
    warehouse = settings.watch_warehouse()
    refusals = [
        Refusal(e["table_id"], e["day"], e["run_id"])
        for e in warehouse.ledger(start=clock.today() - timedelta(days=REPAIR_DAYS)).to_pylist()
        if e["state"] == "refused" and lacks_only_upstream(e)
    ]
    if not refusals:
        return []
    ledger = warehouse.ledger()
    lacking = {
        t: list(unmet(CATALOG[t].reads, ledger, sorted(r.day for r in refusals if r.table == t)))
        for t in {r.table for r in refusals}
    }
    ready = repaired(refusals, lacking)
    runs_of = {(r.table, r.day): r.run_id for r in refusals}
    plans = []
    for tables, start, end in by_days({d: selections.below(names) for d, names in sorted(ready.items())}):
        cause = max(runs_of[t, d] for d, names in ready.items() if start <= d <= end for t in names)
        why = "the upstream days that were missing are published"
        plans.append(RunPlan(tables, start, end, why, f"repaired {start} {end} {cause}"))
    return plans


@dg.sensor(
    minimum_interval_seconds=3600,
    description="Removes what killed processes left: drafts of files in the home, BigQuery staging tables whose run has ended.",
)
def housekeeping(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Clean up and request no run."""
    settings = Settings.from_environment()
    drafts = remove_abandoned_drafts(settings.home, clock.now())
    location = settings.bigquery
    staging = NOTHING_STAGED
    if location is not None:
        dropped = [v.table.name for v in sweep(connection_of(location), context.instance)]
        staging = _counted("dropped", "staging tables", dropped)
    return dg.SkipReason(f"{_counted('removed', 'abandoned drafts', drafts)}; {staging}")


def _counted(verb: str, things: str, names: Sequence[str]) -> str:
    return f"{verb} {len(names)} {things}" + (f": {', '.join(names)}" if names else "")


@dg.sensor(
    minimum_interval_seconds=3600,
    description="Reports days to Dagster that the warehouse has and Dagster does not know: after a Dagster home was lost, a "
    "copied or restored warehouse, a killed process. Days that only Dagster knows end the evaluation as failed, with the fix.",
)
def reconciliation_of_history(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Report what is unknown to Dagster and request no run."""
    ledger = Settings.from_environment().watch_warehouse().ledger().to_pylist()
    differences = reconciliation.observe(context.instance, ledger)
    reported = reconciliation.record(context.instance, differences)
    if problems := list(reconciliation.errors(differences)):
        raise dg.Failure("\n".join(problems))
    return dg.SkipReason(f"reported {reported} table-days to Dagster that only the ledger had")


@dg.sensor(
    minimum_interval_seconds=300,
    description="Looks for what docs/automation.md lists under Alerts: failed runs, refused and incomplete days, late forecasts "
    "and grades, suspected leakage, forecasts that got worse, features that drift, source outages, games of unknown state, "
    "seasons with games missing, undeclared books, quoted players without a team, line-ups that were not captured. Sends one "
    "message when an alert opens and one when it is resolved, to the log, a chat, by e-mail or through apprise, and tells the "
    "monitor that alerts are looked for.",
)
def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Send the messages that are due and request no run."""
    settings, now = Settings.from_environment(), clock.now()
    observed = observations.observe_alerts(settings, context.instance, now)
    store = AlertStore(settings.open_state(), notifiers(settings.alerts))
    before = store.open_alerts()
    delivery = store.report(observed.kinds, observed.alerts, now)
    after = store.open_alerts()
    alert_events.show(context.instance, before, after)
    alert_checks.report(context.instance, observed.kinds, after)
    for name, value in observed.notes.items():
        store.put_note(name, value)
    outcome = "one message sent" if delivery.sent else f"no message: {delivery.why_not}"
    counts = f"{len(observed.alerts)} alerts hold, {delivery.opened} opened, {delivery.resolved} resolved"
    return dg.SkipReason(f"{counts}; {outcome}{_sign_of_life(settings, delivery)}")


def _sign_of_life(settings: Settings, delivery: Delivery) -> str:
    """Tell the monitor, if there is one, that alerts are looked for and arrive; return what became of it."""
    if settings.alerts.heartbeat is None:
        return ""
    if delivery.undelivered:
        return "; no sign of life to the monitor, since a message is not delivered"
    try:
        beat(settings.alerts.heartbeat)
    except AlertError as e:
        return f"; {e}"
    return "; the monitor was told"


SENSORS = [landing, corrections, failed_partitions, housekeeping, reconciliation_of_history, alerts]
