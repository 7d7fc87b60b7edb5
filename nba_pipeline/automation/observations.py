"""Reads what sensors decide on: runs from Dagster, days from the ledger, games from the source, figures from the grades."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from nba_pipeline.automation import alert_rules as watch
from nba_pipeline.automation import selections
from nba_pipeline.automation.alert_rules import Alert, Published
from nba_pipeline.automation.alert_store import Desk
from nba_pipeline.automation.game_slate import slate
from nba_pipeline.automation.retries import FORGOTTEN_AFTER, FailedRun
from nba_pipeline.common import clock
from nba_pipeline.common.errors import SourceError
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.domain.markets import POINTS
from nba_pipeline.engine.waivers import read_waivers
from nba_pipeline.evaluation.alarms import too_good
from nba_pipeline.evaluation.leaderboard import COLUMNS, RowSet, leaderboard
from nba_pipeline.orchestration.assets import asset_key
from nba_pipeline.orchestration.backfill import failure_message
from nba_pipeline.orchestration.recovery import UNFINISHED
from nba_pipeline.orchestration.tags import BY, PARTITION, RANGE_END, RANGE_START
from nba_pipeline.sources.state_db import State
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.warehouse import Days

ORIGIN, ATTEMPT = "nba_pipeline/origin", "nba_pipeline/attempt"
ALARM_DAYS = 150
LONGEST_QUOTE = 300
JUDGED = "grades that the alarm lines were held against"


def going_on(instance: dg.DagsterInstance) -> int:
    """How many runs that automation asked for wait or run."""
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    return sum(BY in r.tags for r in runs)


@dataclass(frozen=True)
class Runs:
    """The failed runs of the last days, and the chains of tries of which one runs, waits, or has succeeded."""

    failed: tuple[FailedRun, ...]
    going_on: frozenset[str]
    succeeded: frozenset[str]


def runs(instance: dg.DagsterInstance, now: datetime) -> Runs:
    since = now - FORGOTTEN_AFTER
    failed = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    records = instance.get_run_records(dg.RunsFilter(statuses=failed, updated_after=since))
    others = instance.get_run_records(
        dg.RunsFilter(statuses=[*UNFINISHED, dg.DagsterRunStatus.SUCCESS], updated_after=since)
    )
    going = frozenset(r.dagster_run.tags.get(ORIGIN, "") for r in others if r.dagster_run.status in UNFINISHED)
    done = frozenset(r.dagster_run.tags.get(ORIGIN, "") for r in others if r.dagster_run.status not in UNFINISHED)
    told = tuple(
        f for r in records if r.dagster_run.status == dg.DagsterRunStatus.FAILURE for f in _failed(instance, r)
    )
    return Runs(told, going, done)


def _failed(instance: dg.DagsterInstance, record: dg.RunRecord) -> Iterator[FailedRun]:
    run = record.dagster_run
    start, end = run.tags.get(RANGE_START), run.tags.get(RANGE_END)
    day = run.tags.get(PARTITION)
    if not (start and end) and not day:
        return
    names: set[str] = set()
    refused, said = False, ""
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        event = entry.get_dagster_event()
        data = event.step_failure_data
        said = said or " ".join(failure_message(event).split())[:LONGEST_QUOTE]
        refused |= data.user_failure_data is not None
        error = data.error
        while error is not None:
            names.add((error.cls_name or "").rsplit(".", 1)[-1])
            error = error.cause
    selected = run.asset_selection or set()
    tables = tuple(t for t in graph_order() if asset_key(CATALOG[t].table) in selected) or tuple(graph_order())
    yield FailedRun(
        run_id=run.run_id,
        ended=datetime.fromtimestamp(record.end_time or record.update_timestamp.timestamp(), UTC),
        tables=tables,
        start=date.fromisoformat(start or day or ""),
        end=date.fromisoformat(end or day or ""),
        errors=frozenset(n for n in names if n and not n.startswith("Dagster")),
        refused=refused,
        origin=run.tags.get(ORIGIN, run.run_id),
        attempt=int(run.tags.get(ATTEMPT, "0")),
        said=said,
    )


def not_done_since(failed: Sequence[FailedRun], settings: Settings) -> list[FailedRun]:
    """The failed runs of which a later run has not published every day of every table."""
    if not failed:
        return []
    first, last = min(r.start for r in failed), max(r.end for r in failed)
    held = Published.of(settings.open_warehouse().ledger(start=first, end=last).to_pylist())
    return [r for r in failed if not watch.done_since(r, held)]


def present_alerts(settings: Settings, instance: dg.DagsterInstance, now: datetime) -> tuple[list[Alert], list[str]]:
    """All alerts that hold now, and the kinds that could be judged.

    Looked at are the last days, and those that alerts are open about: however old, these are over when the day is mended or
    waived, not before.
    """
    today = clock.eastern(now).date()
    state = State(settings.home)
    open_about = watch.days_of(Desk(state, ()).open_alerts())
    days = sorted({*days_between(today - timedelta(days=watch.GAP_DAYS), today), *open_about})
    entries = settings.open_warehouse().ledger(start=days[0], end=days[-1]).to_pylist()
    waivers = read_waivers(settings.home, graph_order(), today)
    held = Published.of(e for e in entries if e["day"] in days).without(waivers)
    known = runs(instance, now)
    troubles = dict(state.outages())
    kinds = [watch.REFUSED, watch.RUN, watch.OUTAGE]
    found = watch.refusals(held) + watch.failed_runs(known.failed, known.succeeded, held)
    try:
        games = slate(settings.open_source(), days)
    except SourceError as e:
        troubles["source"] = e.what
    else:
        kinds += [watch.FRESHNESS, watch.GAP]
        began = min((d for _, d in held.published), default=None)
        found += watch.freshness(now, games, held)
        found += watch.gaps(now, games, held, selections.daily(), began, waivers)
    found += watch.outages(troubles)
    graded = max((str(e["recorded_at"]) for (t, _), e in held.published.items() if t == selections.GRADES), default="")
    invented = settings.source == "simulator"  # its market is easier to beat than a real one
    if not invented and graded != state.note(JUDGED):
        kinds.append(watch.ALARM)
        found += watch.alarms(_too_good(settings, today))
        state.put_note(JUDGED, graded)
    return found, kinds


def _too_good(settings: Settings, today: date) -> list[str]:
    """The alarm lines of the leaderboard of the last months."""
    contract = CATALOG[selections.GRADES].table
    days = Days(today - timedelta(days=ALARM_DAYS), today, tuple(COLUMNS))
    graded = settings.open_warehouse().read({"graded": (contract, days)})["graded"].to_pandas()
    rows = RowSet(market=POINTS.name)
    selected = rows.select(graded[graded["market"] == POINTS.name])
    return [] if selected.empty else too_good(leaderboard(selected), rows)
