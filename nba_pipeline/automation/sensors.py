"""The sensors, off until switched on in the UI. They keep no cursor: what to do follows from what is there, so that nothing is
lost or done twice after a restart, and the key of a run names its cause."""

import os
from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from nba_pipeline.automation import observations as looking
from nba_pipeline.automation import reconcile, selections
from nba_pipeline.automation.alert_rules import Published
from nba_pipeline.automation.alert_store import Desk
from nba_pipeline.automation.file_cleanup import tidy
from nba_pipeline.automation.notifiers import notifiers
from nba_pipeline.automation.reconcile import Owner
from nba_pipeline.automation.retries import Refusal, repaired, retries
from nba_pipeline.automation.run_requests import run_request
from nba_pipeline.automation.schedule_rules import Ask, by_days, named
from nba_pipeline.automation.staging_cleanup import NOTHING_STAGED, connection_of, sweep
from nba_pipeline.common import clock
from nba_pipeline.common.errors import SourceError
from nba_pipeline.config.settings import Settings
from nba_pipeline.engine.readiness import unmet
from nba_pipeline.engine.refusals import lacks_only_upstream
from nba_pipeline.orchestration import jobs
from nba_pipeline.sources.fingerprints import DAILY_FEEDS, current, grows
from nba_pipeline.sources.state_db import State
from nba_pipeline.tables.catalog import CATALOG

REPAIR_DAYS = 30
BUSY = "automated runs wait or run; looking again when they are over"
Answer = dg.SensorResult | dg.SkipReason


def look_for_changes(settings: Settings, who: Owner) -> tuple[list[Ask], str]:
    """What `who` asks for, and a sentence on what there is."""
    today = clock.today()
    source, state, warehouse = settings.open_source(), State(settings.home), settings.open_warehouse()
    held, built = current(source, state, today), state.built()
    tables = {f.name: selections.fed_by([f.name]) for f in DAILY_FEEDS}
    published = Published.of(warehouse.ledger([t for names in tables.values() for t in names]).to_pylist()).published
    ready = {
        (feed, day)
        for feed, names in tables.items()
        for day in {d for t, d in published if t in names}
        if all((t, day) in published for t in names)
    }
    began = min((d for _, d in ready), default=None)
    found = reconcile.changes(held, built, ready, began, today)
    if found.adopted:
        by_feed: dict[str, dict] = {}
        for (feed, day), digest in found.adopted.items():
            by_feed.setdefault(feed, {})[day] = digest
        state.remember_built("", by_feed)
    asks = reconcile.asks(found, held, built, today, who, grows=grows(source))
    older = f"; {found.older} feed days before {began} are not asked for" if found.older else ""
    return asks, f"{named(asks)} differ from what the tables were built of{older}"


def _changes(context: dg.SensorEvaluationContext, who: Owner) -> Answer:
    if looking.going_on(context.instance):
        return dg.SkipReason(BUSY)
    try:
        asks, said = look_for_changes(Settings.from_environment(), who)
    except SourceError as e:
        return dg.SkipReason(f"the source cannot be read: {e.what}")
    if not asks:
        return dg.SkipReason(said)
    return dg.SensorResult(run_requests=[run_request(a, who) for a in asks])


@dg.sensor(
    job_name=jobs.WHOLE_GRAPH,
    minimum_interval_seconds=120,
    description="New or changed rows of the source become runs of exactly their days, in the tables that they reach.",
)
def landing(context: dg.SensorEvaluationContext) -> Answer:
    return _changes(context, "landing")


@dg.sensor(
    job_name=jobs.WHOLE_GRAPH,
    minimum_interval_seconds=600,
    description="Results of the last three days that came late or were corrected: facts and grades again, never forecasts.",
)
def corrections(context: dg.SensorEvaluationContext) -> Answer:
    return _changes(context, "corrections")


@dg.sensor(
    job_name=jobs.WHOLE_GRAPH,
    minimum_interval_seconds=60,
    description="Failures that may pass by themselves (lock, network, 5xx) are tried again after 5, 15 and 45 minutes; days that "
    "lacked others run once those are published. What breaks its contract waits until its input changes.",
)
def failed_partitions(context: dg.SensorEvaluationContext) -> Answer:
    settings, now = Settings.from_environment(), clock.now()
    known = looking.runs(context.instance, now)
    failed = looking.not_done_since(known.failed, settings)
    requests = []
    for ask, run in retries(failed, known.going_on | known.succeeded, now):
        request = run_request(ask, "failed_partitions")
        chain = {looking.ORIGIN: run.origin, looking.ATTEMPT: str(run.attempt + 1)}
        requests.append(request.with_replaced_attrs(tags={**request.tags, **chain}))
    if not looking.going_on(context.instance):
        requests += [run_request(a, "failed_partitions") for a in repairs(settings)]
    if not requests:
        return dg.SkipReason(
            f"{len(failed)} failed runs of the last days whose days no later run published; none is due for another try"
        )
    return dg.SensorResult(run_requests=requests)


def repairs(settings: Settings) -> list[Ask]:
    """Runs of days that were refused only because they lacked others, and lack them no more, with all tables below."""
    warehouse, today = settings.open_warehouse(), clock.today()
    ledger = warehouse.ledger()
    refusals = [
        Refusal(e["table_id"], e["day"], e["run_id"])
        for e in ledger.to_pylist()
        if e["state"] == "refused" and e["day"] >= today - timedelta(days=REPAIR_DAYS) and lacks_only_upstream(e)
    ]
    lacking = {
        t: list(unmet(CATALOG[t].reads, ledger, sorted(r.day for r in refusals if r.table == t)))
        for t in {r.table for r in refusals}
    }
    ready = repaired(refusals, lacking)
    runs_of = {(r.table, r.day): r.run_id for r in refusals}
    asks = []
    for tables, start, end in by_days({d: selections.below(names) for d, names in sorted(ready.items())}):
        cause = max(runs_of[t, d] for d, names in ready.items() if start <= d <= end for t in names)
        why = "what these days lacked has been published"
        asks.append(Ask(tables, start, end, why, f"repaired {start} {end} {cause}"))
    return asks


@dg.sensor(
    minimum_interval_seconds=3600,
    description="Removes what killed processes left: drafts of files in the home, BigQuery staging tables whose run has ended.",
)
def housekeeping(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Asks for no run: what it does is done when it returns."""
    settings = Settings.from_environment()
    removed = tidy(settings.home, clock.now())
    location = settings.bigquery
    staged = NOTHING_STAGED
    if location is not None:
        staged = _names(
            "dropped", "staging tables", [v.table.name for v in sweep(connection_of(location), context.instance)]
        )
    return dg.SkipReason(f"{_names('removed', 'abandoned drafts', removed)}; {staged}")


def _names(verb: str, what: str, names: Sequence[str]) -> str:
    return f"{verb} {len(names)} {what}" + (f": {', '.join(names)}" if names else "")


@dg.sensor(
    minimum_interval_seconds=60,
    description="Failed runs, refused days, incomplete days, late forecasts and grades, figures that are too good, sources out: "
    "each is said once, and once more when it is over, in the log, a chat or by e-mail.",
)
def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Asks for no run: messages have gone out when it returns."""
    settings, now = Settings.from_environment(), clock.now()
    present, kinds = looking.present_alerts(settings, context.instance, now)
    done = Desk(State(settings.home), notifiers(os.environ)).report(kinds, present, now)
    said = "one message sent" if done.sent else f"no message: {done.why_not}"
    return dg.SkipReason(f"{len(present)} alerts hold, {done.opened} are new, {done.resolved} are over; {said}")


SENSORS = [landing, corrections, failed_partitions, housekeeping, alerts]
