"""Reads the state that sensors decide on: runs from Dagster, days from the ledger, games from the source, grades."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from nba_pipeline.automation import alert_rules, selections
from nba_pipeline.automation.alert_rules import Published
from nba_pipeline.automation.alert_store import Alert, AlertKind, AlertStore
from nba_pipeline.automation.book_alerts import book_alerts, count_books
from nba_pipeline.automation.feature_alerts import feature_alerts, published_drift
from nba_pipeline.automation.game_slate import slate
from nba_pipeline.automation.lineup_alerts import missing_lineups
from nba_pipeline.automation.price_alerts import contradicted_books, price_alerts
from nba_pipeline.automation.quote_alerts import quote_alerts, quoted_without_forecast
from nba_pipeline.automation.retries import FORGOTTEN_AFTER, FailedRun
from nba_pipeline.common import clock
from nba_pipeline.common.errors import SourceError
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.domain.declared_books import read_books
from nba_pipeline.domain.markets import POINTS
from nba_pipeline.engine.waivers import read_waivers
from nba_pipeline.orchestration.failures import StepFailure, step_failure
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.recovery import UNFINISHED
from nba_pipeline.orchestration.schedule_review import listed_seasons, unknown_games
from nba_pipeline.orchestration.tags import BY, PARTITION, RANGE_END, RANGE_START
from nba_pipeline.sources.state_db import SourceState
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.warehouse import Days

ORIGIN, ATTEMPT = "nba_pipeline/origin", "nba_pipeline/attempt"
ALARM_DAYS = 150
LONGEST_QUOTE = 300
WHOLE_HISTORY, WEEK = "the whole history was looked at on", timedelta(days=7)
JUDGED = "grades that the alarm lines were held against"


def unfinished_runs(instance: dg.DagsterInstance) -> int:
    """Count the runs requested by automation that wait or run."""
    return sum(BY in run.tags for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)))


@dataclass(frozen=True)
class RunObservations:
    """The failed runs of the last days, and the origins of chains of tries of which one is unfinished or has succeeded."""

    failed: tuple[FailedRun, ...]
    unfinished: frozenset[str]
    succeeded: frozenset[str]


def observe_runs(instance: dg.DagsterInstance, now: datetime) -> RunObservations:
    """Read the runs of the last days from Dagster.

    Args:
        instance: The Dagster instance that recorded the runs.
        now: The time of the evaluation.
    """
    since = now - FORGOTTEN_AFTER
    statuses = [dg.DagsterRunStatus.FAILURE]
    records = instance.get_run_records(dg.RunsFilter(statuses=statuses, updated_after=since))
    others = instance.get_run_records(
        dg.RunsFilter(statuses=[*UNFINISHED, dg.DagsterRunStatus.SUCCESS], updated_after=since)
    )
    origins = [(r.dagster_run.tags.get(ORIGIN, ""), r.dagster_run.status in UNFINISHED) for r in others]
    return RunObservations(
        failed=tuple(failed for record in records for failed in _failed_run(instance, record)),
        unfinished=frozenset(origin for origin, unfinished in origins if unfinished),
        succeeded=frozenset(origin for origin, unfinished in origins if not unfinished),
    )


def _failed_run(instance: dg.DagsterInstance, record: dg.RunRecord) -> Iterator[FailedRun]:
    """Yield the failed run of a record; nothing for a run that is not over days."""
    run = record.dagster_run
    start, end = run.tags.get(RANGE_START), run.tags.get(RANGE_END)
    day = run.tags.get(PARTITION)
    if not (start and end) and not day:
        return
    failures = _step_failures(instance, run.run_id)
    others = [f for f in failures if not f.refused_days]
    selected = run.asset_selection or set()
    tables = tuple(t for t in graph_order() if asset_key(CATALOG[t].table) in selected) or tuple(graph_order())
    yield FailedRun(
        run_id=run.run_id,
        ended=datetime.fromtimestamp(record.end_time or record.update_timestamp.timestamp(), UTC),
        tables=tables,
        start=date.fromisoformat(start or day or ""),
        end=date.fromisoformat(end or day or ""),
        errors=frozenset(f.error for f in failures if f.error),
        refused=bool(failures) and not others,
        transient=any(f.transient for f in failures),
        origin=run.tags.get(ORIGIN, run.run_id),
        attempt=int(run.tags.get(ATTEMPT, "0")),
        message=" ".join((others or failures)[0].message.split())[:LONGEST_QUOTE] if failures else "",
    )


def _step_failures(instance: dg.DagsterInstance, run_id: str) -> list[StepFailure]:
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return [step_failure(entry.get_dagster_event()) for entry in entries]


def not_published_since(failed: Sequence[FailedRun], settings: Settings) -> list[FailedRun]:
    """Return the failed runs of which a later run has not published every day of every table.

    Args:
        failed: The failed runs.
        settings: The settings, for the warehouse.
    """
    if not failed:
        return []
    first, last = min(r.start for r in failed), max(r.end for r in failed)
    ledger = Published.of(settings.watch_warehouse().ledger(start=first, end=last).to_pylist())
    return [r for r in failed if not alert_rules.published_since(r, ledger)]


@dataclass(frozen=True)
class AlertObservations:
    """The alerts that hold now, the kinds that could be evaluated, and what is to be noted once they are reported."""

    alerts: list[Alert]
    kinds: list[AlertKind]
    notes: dict[str, str]


def observe_alerts(
    settings: Settings, instance: dg.DagsterInstance, now: datetime, *, anew: bool = False
) -> AlertObservations:
    """Evaluate all alert rules over the last days and over the days that open alerts are about.

    An alert of an older day thus stays open until that day is complete or waived.

    Args:
        settings: The settings, for the home, the warehouse and the source.
        instance: The Dagster instance that recorded the runs.
        now: The time of the evaluation.
        anew: Whether grades that were held against the alarm lines before are so again.
    """
    today = clock.eastern(now).date()
    state = settings.open_state()
    store, declared = AlertStore(state), state.declarations()
    notes: dict[str, str] = {}
    whole = _whole_history_is_due(store, today)
    days = {*_days_to_look_at(settings, today, whole=whole), *alert_rules.days_of(store.open_alerts())}
    first, last = min(days), max(days)
    entries = settings.watch_warehouse().ledger(start=first, end=last).to_pylist()
    waivers = read_waivers(declared, graph_order(), today)
    ledger = Published.of(e for e in entries if e["day"] in days).without(waivers)
    runs = observe_runs(instance, now)
    failures = dict(SourceState(state).outages())
    warehouse = settings.watch_warehouse()
    kinds = [AlertKind.REFUSED, AlertKind.RUN, AlertKind.OUTAGE, AlertKind.BOOK, AlertKind.STATE]
    kinds += [AlertKind.QUOTED, AlertKind.LINEUPS]
    unknown = unknown_games(warehouse, first, last, waivers)
    alerts = alert_rules.unknown_states((d, g) for d, g in unknown if d in days)
    alerts += alert_rules.refusals(ledger) + alert_rules.failed_runs(runs.failed, runs.succeeded, ledger)
    counts = count_books(warehouse, today - timedelta(days=alert_rules.GAP_DAYS), today)
    alerts += book_alerts(counts, read_books(declared))
    alerts += quote_alerts(quoted_without_forecast(warehouse, today, today))
    alerts += missing_lineups(warehouse, now)
    try:
        source = settings.open_source()
        games = slate(source, sorted(days))
        frames = listed_seasons(source, today, today)
    except SourceError as e:
        failures["source"] = e.what
    else:
        kinds += [AlertKind.FRESHNESS, AlertKind.GAP, AlertKind.SEASON]
        notes |= {WHOLE_HISTORY: today.isoformat()} if whole else {}
        alerts += alert_rules.season_frames(frames)
        began = min((d for _, d in ledger.published), default=None)
        alerts += alert_rules.freshness(now, games, ledger)
        alerts += alert_rules.gaps(now, games, ledger, selections.daily(), began, waivers)
    alerts += alert_rules.outages(failures)
    graded = _grades_to_judge(settings, "" if anew else store.note(JUDGED), ledger)
    if graded is not None:
        kinds += [AlertKind.ALARM, AlertKind.DRIFT, AlertKind.FEATURE, AlertKind.PRICE]
        alerts += _alarms(settings, today)
        alerts += feature_alerts(published_drift(warehouse, today))
        alerts += price_alerts(contradicted_books(warehouse, today - timedelta(days=alert_rules.GAP_DAYS), today))
        notes[JUDGED] = graded
    return AlertObservations(alerts, kinds, notes)


def _whole_history_is_due(store: AlertStore, today: date) -> bool:
    looked = store.note(WHOLE_HISTORY)
    return not looked or today - date.fromisoformat(looked) >= WEEK


def _days_to_look_at(settings: Settings, today: date, *, whole: bool) -> list[date]:
    """Return the last days, or all days since the first published one.

    An alert that is found on an old day stays open, and with it that day is looked at every time.
    """
    first = today - timedelta(days=alert_rules.GAP_DAYS)
    if whole:
        entries = settings.watch_warehouse().ledger().to_pylist()
        first = min((first, *(e["day"] for e in entries if e["state"] == "published")))
    return days_between(first, today)


def _grades_to_judge(settings: Settings, judged: str, ledger: Published) -> str | None:
    """Return the time of the latest grades; None where it is that of the grades that were judged last."""
    if settings.is_simulated:  # figures of an invented market are no evidence of a leak
        return None
    graded = max(
        (str(e["recorded_at"]) for (t, _), e in ledger.published.items() if t == selections.GRADES), default=""
    )
    return None if graded == judged else graded


def _alarms(settings: Settings, today: date) -> list[Alert]:
    """Return the alarms of the grades of the last months: figures that are too good, and systems that got worse."""
    # deferred: takes most of a second to load, and definitions judge nothing
    from nba_pipeline.evaluation.alarms import too_good_each
    from nba_pipeline.evaluation.drift import too_bad
    from nba_pipeline.evaluation.leaderboard import COLUMNS, RowSet

    contract = CATALOG[selections.GRADES].table
    days = Days(today - timedelta(days=ALARM_DAYS), today, tuple(COLUMNS))
    graded = settings.watch_warehouse().read({"graded": (contract, days)})["graded"].to_pandas()
    rows = RowSet(market=POINTS.name)
    return [
        *alert_rules.leakage_alarms(too_good_each(graded, rows)),
        *alert_rules.drifts(too_bad(graded, rows)),
    ]
