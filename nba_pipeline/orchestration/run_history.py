"""Runs over ranges of days, read from Dagster's run storage."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import dagster as dg

from nba_pipeline.common.throughput import Pace
from nba_pipeline.orchestration.failures import step_failure
from nba_pipeline.orchestration.recovery import UNFINISHED
from nba_pipeline.orchestration.tags import (
    BACKFILL,
    PARTITION,
    RANGE_END,
    RANGE_START,
    TITLE,
    TOTAL,
    hidden_tag,
    step_key,
)

UI_BACKFILL = "dagster/backfill"


SCHEDULE, SENSOR = "dagster/schedule_name", "dagster/sensor_name"


LOOK_BACK_RUNS = 500

# The dataset of the assets that are pages, not tables.
PAGES = "nba_reports"


GOING_ON = frozenset(s.value.lower() for s in UNFINISHED)


ENDS = {dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE}


@dataclass(frozen=True)
class TableEnd:
    """A table's step ended: when, how many of its days were refused or lost, and the step."""

    at: datetime
    failed_days: int
    step: str = ""


@dataclass(frozen=True)
class RangeRun:
    """One run over a range of days: its group (runs of one backfill share it), tables, days and what has ended so far."""

    group: str
    title: str
    state: str
    start: date
    end: date
    tables: int
    began: datetime
    until: datetime
    ends: tuple[TableEnd, ...]
    planned: int | None = None

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


@dataclass(frozen=True)
class Backfill:
    """Runs that belong together."""

    id: str
    title: str
    state: str
    start: date
    end: date
    pace: Pace

    def as_json(self) -> dict:
        rate, left = self.pace.per_hour, self.pace.left
        return {
            "id": self.id,
            "title": self.title,
            "state": self.state,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "began": self.pace.began.isoformat(),
            "table_days": self.pace.total,
            "done": self.pace.done,
            "failed": self.pace.failed,
            "remaining": self.pace.remaining,
            "per_hour": rate,
            "seconds_left": left.total_seconds() if left is not None and self.running else None,
        }

    @property
    def running(self) -> bool:
        return self.state in GOING_ON


def grouped(runs: Iterable[RangeRun], now: datetime) -> list[Backfill]:
    """One backfill per group, newest first. A backfill of the command line knows its total before its last run began."""
    groups: dict[str, list[RangeRun]] = {}
    for run in sorted(runs, key=lambda r: r.began):
        groups.setdefault(run.group, []).append(run)
    backfills = [_backfill(group, members, now) for group, members in groups.items()]
    return sorted(backfills, key=lambda b: b.pace.began, reverse=True)


def _backfill(group: str, runs: Sequence[RangeRun], now: datetime) -> Backfill:
    ended = [(end.at, run.days) for run in runs for end in run.ends]
    failed = sum(end.failed_days for run in runs for end in run.ends)
    running = [r for r in runs if r.state in GOING_ON]
    at = now if running else max(r.until for r in runs)
    planned = [r.planned for r in runs if r.planned is not None]
    total = max(planned) if planned else sum(r.tables * r.days for r in runs)
    completed = sum(days for _, days in ended) - failed
    state = running[0].state if running else runs[-1].state
    pace = Pace(total, completed, failed, runs[0].began, at, sorted(ended))
    latest = runs[-1]
    return Backfill(group, latest.title, state, latest.start, latest.end, pace)


def _steps(run: dg.DagsterRun) -> set[str]:
    """Return the steps of a run that compute tables."""
    if run.asset_selection:
        keys = {".".join(k.path) for k in run.asset_selection if k.path[0] != PAGES}
    else:
        from nba_pipeline.tables.catalog import CATALOG  # start-up time: runs of this release have a selection

        keys = set(CATALOG)
    return {step_key(k) for k in keys}


def range_runs(instance: dg.DagsterInstance, backfills: int) -> list[RangeRun]:
    """The runs of the latest so many backfills; events of others are not read."""
    ranges: list[RangeRun] = []
    groups: set[str] = set()
    for record in instance.get_run_records(limit=LOOK_BACK_RUNS):
        run, tags = record.dagster_run, record.dagster_run.tags
        first, last = tags.get(RANGE_START, tags.get(PARTITION)), tags.get(RANGE_END, tags.get(PARTITION))
        if first is None or last is None:
            continue
        group = hidden_tag(tags, BACKFILL) or tags.get(UI_BACKFILL) or run.run_id
        if group not in groups and len(groups) == backfills:
            continue
        groups.add(group)
        steps = _steps(run)
        began = datetime.fromtimestamp(record.start_time or record.create_timestamp.timestamp(), UTC)
        until = datetime.fromtimestamp(record.end_time, UTC) if record.end_time else began
        days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
        planned = hidden_tag(tags, TOTAL)
        ranges.append(
            RangeRun(
                group=group,
                title=_title(tags),
                state=run.status.value.lower(),
                start=date.fromisoformat(first),
                end=date.fromisoformat(last),
                tables=len(steps),
                began=began,
                until=until,
                ends=tuple(_ends(instance, run.run_id, steps, days)),
                planned=int(planned) if planned else None,
            )
        )
    return ranges


def _title(tags: Mapping[str, str]) -> str:
    for tag, word in ((SCHEDULE, "schedule"), (SENSOR, "sensor")):
        if tag in tags:
            return f"{word} {tags[tag]}"
    if UI_BACKFILL in tags:
        return "backfill of the UI"
    return "backfill" if TITLE in tags else "run"


def _ends(instance: dg.DagsterInstance, run_id: str, known: set[str], days: int) -> Iterable[TableEnd]:
    for record in instance.get_records_for_run(run_id, of_type=ENDS).records:
        entry = record.event_log_entry
        event = entry.dagster_event
        if event is None or event.step_key not in known:
            continue
        lost = 0
        if event.event_type == dg.DagsterEventType.STEP_FAILURE:
            lost = step_failure(event).refused_days or days
        yield TableEnd(datetime.fromtimestamp(entry.timestamp, UTC), lost, event.step_key)
