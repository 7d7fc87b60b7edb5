"""The option `backfill --dry-run`: the runs that a backfill would make, and how long they may take."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from nba_pipeline.cli.backfill import load_definitions
from nba_pipeline.cli.console import console, print_json
from nba_pipeline.common import clock
from nba_pipeline.common.throughput import hourly, in_words
from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration import backfill as runs
from nba_pipeline.orchestration.backfill_plan import Step, plan
from nba_pipeline.orchestration.instance import opened
from nba_pipeline.orchestration.recovery import recorded_only
from nba_pipeline.orchestration.run_history import RangeRun, grouped, range_runs
from nba_pipeline.orchestration.tags import table_of
from nba_pipeline.orchestration.work import work

RUNS_LOOKED_AT = 20


def preview_backfill(start: date, end: date, expressions: Sequence[str], missing: bool, as_json: bool) -> bool:
    """Print the runs of a backfill without running them; always True.

    Args:
        start: First day.
        end: Last day, inclusive.
        expressions: Selections; none selects every table.
        missing: Plan only days that are missing, refused or unfinished.
        as_json: Print JSON.
    """
    settings = Settings.from_environment()
    selected = runs.select(expressions, list(load_definitions().assets or ()))  # pyright: ignore[reportArgumentType]
    ledger, rate = settings.open_warehouse().ledger(), None
    if settings.dagster_home.exists():
        with opened(settings) as instance:
            ledger, rate = recorded_only(ledger, instance), _rate(instance)
    planned = plan(selected, start, end, ledger, missing=missing)
    seconds = round(sum(map(sum, planned.work.values())) / rate * 3600) if rate and planned.steps else None
    if as_json:
        print_json(
            {
                "start": start,
                "end": end,
                "tables": selected,
                "steps": [_as_json(s) | {"history": s in planned.history} for s in planned.steps],
                "table_days": planned.table_days,
                "estimated_seconds": seconds,
            }
        )
        return True
    for s in planned.steps:
        kind = "history" if s in planned.history else "range"
        console.print(f"{kind}: {s.start}..{s.end} ({s.days:,} days), {len(s.tables)} tables: {s.why}", highlight=False)
        console.print(f"  {', '.join(t.split('.')[1] for t in s.tables)}", highlight=False)
    brought = {d for s in planned.history for d in (s.start, s.end)}
    if brought:
        console.print(f"history to be brought: {min(brought)}..{max(brought)}", highlight=False)
    time_left = f"about {in_words(timedelta(seconds=seconds))}" if seconds is not None else "unknown time"
    why = "at the rate of earlier runs of this home" if rate else "no earlier run of this home tells the rate"
    console.print(f"{planned.table_days:,} table-days, {time_left} ({why}); nothing was run", highlight=False)
    return True


def _as_json(step: Step) -> dict[str, Any]:
    return {
        "tables": list(step.tables),
        "start": step.start,
        "end": step.end,
        "days": step.days,
        "why": step.why,
    }


def _rate(instance: dg.DagsterInstance) -> float | None:
    """Work an hour over the latest finished runs of the home; None without one."""
    return work_an_hour(range_runs(instance, RUNS_LOOKED_AT), clock.now())


def work_an_hour(runs: Sequence[RangeRun], now: datetime) -> float | None:
    """Return the work an hour of finished runs, from the begin of each backfill to its last end; None without any.

    Args:
        runs: Runs of some backfills.
        now: The time of the evaluation.
    """
    finished = {b.id: b.pace for b in grouped(runs, now) if not b.running and b.pace.ended}
    elapsed = sum((p.ended[-1][0] - p.began for p in finished.values()), timedelta())
    done = [(r, e) for r in runs if r.group in finished for e in r.ends if not e.failed_days]
    return hourly(sum(work(table_of(e.step), r.start, r.end) for r, e in done), elapsed) or None
