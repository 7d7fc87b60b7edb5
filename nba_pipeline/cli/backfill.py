"""The command `backfill`."""

import json
import shlex
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from typing import Any

import click
import dagster as dg

from nba_pipeline.cli.console import console, narrate_on_stderr, print_json, table_days
from nba_pipeline.common.throughput import counted, rate_in_words
from nba_pipeline.config.home import moving_last_day
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import describe_days
from nba_pipeline.engine.refusals import lacks_only_upstream
from nba_pipeline.orchestration import backfill as runs
from nba_pipeline.orchestration import interrupts, reconciliation, recovery
from nba_pipeline.orchestration.backfill_plan import Plan, Step, joined, plan, refusals
from nba_pipeline.orchestration.instance import prepared
from nba_pipeline.orchestration.interrupts import stopping_on_signals
from nba_pipeline.warehouse import Warehouse


@dataclass(frozen=True)
class Request:
    """What a backfill was asked for.

    Attributes:
        start: The first day.
        end: The last day.
        expressions: The texts of the selections.
        missing: Whether only missing days run.
        tables: The selected tables.
        table_days: The number of table-days to run, with the history before the range.
    """

    start: date
    end: date
    expressions: tuple[str, ...]
    missing: bool
    tables: tuple[str, ...]
    table_days: int


def load_definitions() -> dg.Definitions:
    from nba_pipeline.definitions import defs

    return defs


def run_backfill(
    start: date, end: date, expressions: Sequence[str], missing: bool, as_json: bool = False, at_once: bool = False
) -> bool:
    """Plan and run; True when every run succeeded, no day was refused and no check failed.

    Args:
        start: First day.
        end: Last day, inclusive.
        expressions: Selections; none selects every table.
        missing: Run only days that are missing, refused or unfinished.
        as_json: Print JSON on standard output, and progress on standard error.
        at_once: Let tables whose history is missing run once over history and range; not with `missing`.
    """
    if as_json:
        narrate_on_stderr()
    settings = Settings.from_environment()
    settings.open_source()
    warehouse = settings.open_warehouse()
    with ExitStack() as until_ended:
        with moving_last_day(settings.home, end):
            defs = load_definitions()
            selected = runs.select(expressions, list(defs.assets or ()))  # pyright: ignore[reportArgumentType]
            instance = until_ended.enter_context(prepared(settings))
            planned, unrecorded = _plan(instance, warehouse, selected, start, end, missing)
        if at_once:
            planned = joined(planned)
        if not planned.steps:
            console.print(f"nothing to do: all {len(selected)} tables are published on {start}..{end}")
            if unrecorded:
                console.print(f"{unrecorded:,} table-days are unknown to Dagster: run `nba-pipeline reconcile`")
            if as_json:
                print_json(_result((), {}, selected, start, end, 0.0, complete=True))
            return True
        asked = Request(start, end, tuple(expressions), missing, tuple(selected), planned.table_days)
        return _run(asked, planned, defs, instance, warehouse, as_json)


def _run(
    asked: Request,
    planned: Plan,
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    warehouse: Warehouse,
    as_json: bool,
) -> bool:
    """Run what was planned, and print what became of it; True when all runs succeeded, no day was refused and no check failed."""
    selected, start, end = asked.tables, asked.start, asked.end
    began = time.monotonic()

    def say(step: Step) -> None:
        console.print(
            f"run: {len(step.tables)} tables, {step.start}..{step.end} ({step.days} days): {step.why}", highlight=False
        )

    with stopping_on_signals(lambda: _last_words(asked)):
        with table_days(planned.table_days, work=planned.work):
            outcomes = runs.run_steps(planned.steps, defs, instance, say)
        if interrupts.is_requested():
            _say_interrupted(asked, outcomes, warehouse)
            if as_json:
                seconds = time.monotonic() - began
                print_json(_result(outcomes, {}, selected, start, end, seconds, complete=False) | {"interrupted": True})
            return False
    seconds = time.monotonic() - began
    complete = report_outcomes(outcomes, warehouse, asked, seconds)
    if as_json:
        refused = refusals(warehouse.ledger(selected, start, end), selected)
        print_json(_result(outcomes, refused, selected, start, end, seconds, complete=complete))
    return complete


def _plan(
    instance: dg.DagsterInstance, warehouse: Warehouse, selected: Sequence[str], start: date, end: date, missing: bool
) -> tuple[Plan, int]:
    """Return the runs to make, and how many published table-days Dagster does not know (with `missing`)."""
    for run in recovery.end_dead_runs(instance):
        console.print(f"run {run} marked as ended: its process no longer exists", highlight=False)
    everything = warehouse.ledger()
    ledger = recovery.recorded_only(everything, instance)
    unrecorded = reconciliation.observe(instance, everything.to_pylist()).unrecorded if missing else ()
    return plan(selected, start, end, ledger, missing=missing), len(unrecorded)


def _result(
    outcomes: Sequence[runs.Outcome],
    refused: Mapping[str, Mapping[date, str]],
    selected: Sequence[str],
    start: date,
    end: date,
    seconds: float,
    *,
    complete: bool,
) -> dict[str, Any]:
    """Return the JSON of a backfill: its runs, and the reasons of every refused day by table."""
    return {
        "start": start,
        "end": end,
        "tables": list(selected),
        "runs": [vars(o) for o in outcomes],
        "refused": {t: {str(d): json.loads(why) for d, why in by_day.items()} for t, by_day in refused.items()},
        "seconds": round(seconds, 1),
        "complete": complete,
    }


def _last_words(asked: Request) -> str:
    """Return the sentence and the command for a process that is ended in the middle of a step, when the ledger cannot be read."""
    options = (" --missing" if asked.missing else "") + "".join(
        f" --select {shlex.quote(t)}" for t in asked.expressions
    )
    return (
        "interrupted in the middle of a step: what was published stays, completely, and nothing else was changed; to go on, run\n"
        f"  nba-pipeline backfill {asked.start} {asked.end}{options}"
    )


def _say_interrupted(asked: Request, outcomes: Sequence[runs.Outcome], warehouse: Warehouse) -> None:
    """Print what was published and the command that goes on: the same again where it replaces days published earlier.

    Args:
        asked: What was to be run.
        outcomes: How the runs ended that were begun.
        warehouse: The warehouse, for its ledger.
    """
    by_run = Counter(e["run_id"] for e in warehouse.ledger().to_pylist() if e["state"] == "published")
    published = sum(by_run[o.run_id] for o in outcomes)
    in_range = warehouse.ledger(asked.tables, asked.start, asked.end).to_pylist()
    own = {o.run_id for o in outcomes}
    earlier = any(e["state"] == "published" and e["run_id"] not in own for e in in_range)
    options = "" if earlier and not asked.missing else " --missing"
    options += "".join(f" --select {shlex.quote(text)}" for text in asked.expressions)
    click.echo(
        f"interrupted: {published:,} of {asked.table_days:,} table-days were published, completely, and stay; to go on, run\n"
        f"  nba-pipeline backfill {asked.start} {asked.end}{options}",
        err=True,
    )


def report_outcomes(outcomes: Sequence[runs.Outcome], warehouse: Warehouse, asked: Request, seconds: float) -> bool:
    """Print how the runs ended and what repairs it; True when all succeeded, no day was refused and no check failed.

    Args:
        outcomes: How the runs ended that were begun.
        warehouse: The warehouse, for its ledger.
        asked: What was to be run.
        seconds: How long the runs took.
    """
    selected, start, end = asked.tables, asked.start, asked.end
    failed = [o.error for o in outcomes if o.error]
    refused = refusals(warehouse.ledger(selected, start, end), selected)
    what = f"{counted(len(selected), 'table')}, {counted((end - start).days + 1, 'day')}"
    pace = rate_in_words(asked.table_days, seconds)
    ran = counted(asked.table_days, "table-day")
    console.print(f"{what}: {ran} with the history before them, in {seconds:.1f} s ({pace})", highlight=False)
    for error in failed:
        click.echo(f"error: {error}", err=True)
    for table, by_day in refused.items():
        first = min(by_day)
        waits = all(lacks_only_upstream({"reasons": reasons}) for reasons in by_day.values())
        click.echo(
            f"{'waiting' if waits else 'refused'}: {table}: {describe_days(list(by_day))}; "
            f"{first}: {'; '.join(json.loads(by_day[first]))}",
            err=True,
        )
    if refused:
        click.echo(
            "  Fix: see `nba-pipeline quarantine` and the failed checks in the UI, correct the source, then run "
            f"`nba-pipeline backfill {start} {end} --missing`",
            err=True,
        )
    found = [check for o in outcomes for check in o.failed_checks]
    for check in found:
        click.echo(f"failed check: {check}", err=True)
    if found:
        click.echo(
            "  Fix: do not use these tables before `nba-pipeline verify DAY DAY`, with the day named above, finds no difference: "
            "they were computed from data after a cutoff, or code or inputs changed since, and the same days have to run again",
            err=True,
        )
    return not failed and not refused and not found and all(o.success or o.refusing for o in outcomes)
