"""The option `backfill --dry-run`: the runs that a backfill would make, and how long they may take."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from nba_pipeline.cli.backfill import load_definitions
from nba_pipeline.cli.console import console, print_json
from nba_pipeline.common import clock
from nba_pipeline.common.throughput import in_words
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import ranges
from nba_pipeline.orchestration import backfill as runs
from nba_pipeline.orchestration.backfill_plan import Step, history_steps, missing_steps
from nba_pipeline.orchestration.instance import opened
from nba_pipeline.orchestration.run_history import grouped, range_runs

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
    ledger = settings.open_warehouse().ledger()
    steps = history_steps(selected, start, end, ledger)
    history = len(steps)
    steps += (
        missing_steps(selected, start, end, ledger) if missing else [Step(tuple(selected), start, end, "requested")]
    )
    planned = table_days(steps)
    rate = _rate(settings)
    seconds = round(planned / rate * 3600) if rate and planned else None
    if as_json:
        print_json(
            {
                "start": start,
                "end": end,
                "tables": selected,
                "steps": [_as_json(s) | {"history": i < history} for i, s in enumerate(steps)],
                "table_days": planned,
                "estimated_seconds": seconds,
            }
        )
        return True
    for i, s in enumerate(steps):
        kind = "history" if i < history else "range"
        console.print(f"{kind}: {s.start}..{s.end} ({s.days:,} days), {len(s.tables)} tables: {s.why}", highlight=False)
        console.print(f"  {', '.join(t.split('.')[1] for t in s.tables)}", highlight=False)
    brought = {d for s in steps[:history] for d in (s.start, s.end)}
    if brought:
        (first, last) = ranges(brought)[0][0], max(brought)
        console.print(f"history to be brought: {first}..{last}", highlight=False)
    time_left = f"about {in_words(timedelta(seconds=seconds))}" if seconds is not None else "unknown time"
    why = "at the rate of earlier runs of this home" if rate else "no earlier run of this home tells the rate"
    console.print(f"{planned:,} table-days, {time_left} ({why}); nothing was run", highlight=False)
    return True


def table_days(steps: Sequence[Step]) -> int:
    """Count the table-days of steps."""
    return sum(s.days * len(s.tables) for s in steps)


def _as_json(step: Step) -> dict[str, Any]:
    return {
        "tables": list(step.tables),
        "start": step.start,
        "end": step.end,
        "days": step.days,
        "why": step.why,
    }


def _rate(settings: Settings) -> float | None:
    """Table-days an hour over the latest finished runs of the home; None without one."""
    if not settings.dagster_home.exists():
        return None
    with opened(settings) as instance:
        finished = [b for b in grouped(range_runs(instance, RUNS_LOOKED_AT), clock.now()) if not b.running]
    spans = [(b.pace.done, (b.pace.ended[-1][0] - b.pace.began).total_seconds()) for b in finished if b.pace.ended]
    done, seconds = sum(n for n, _ in spans), sum(s for _, s in spans)
    return done / seconds * 3600 if done and seconds > 0 else None
