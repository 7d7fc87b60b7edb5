"""Running ranges of days through Dagster: what to run, in which runs, and what came of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import uuid4

import dagster as dg
import pyarrow as pa

from nba_pipeline.common import clock
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.domain.calendar import EPOCH, days_between, ranges
from nba_pipeline.engine.readiness import history_needed, is_unfinished
from nba_pipeline.engine.transform import Transform
from nba_pipeline.orchestration.assets import asset_key
from nba_pipeline.orchestration.jobs import WHOLE_GRAPH
from nba_pipeline.orchestration.recovery import PROCESS, Claim
from nba_pipeline.orchestration.tags import BACKFILL, RANGE_END, RANGE_START, TITLE, TOTAL
from nba_pipeline.tables.catalog import CATALOG, graph_order


@dataclass(frozen=True)
class Step:
    """One run: these tables over these days."""

    tables: tuple[str, ...]
    start: date
    end: date
    why: str

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `error` is empty unless a table failed for another reason than refused days."""

    run_id: str
    success: bool
    refusing: tuple[str, ...]
    not_run: tuple[str, ...]
    error: str


def latest_day() -> date:
    """The last day that has a partition: today, Eastern."""
    return clock.today()


def check_range(start: date, end: date, today: date) -> None:
    """Raise ConfigurationError for a range that no table has."""
    if start > end:
        raise ConfigurationError(f"START {start} is after END {end}", f"give the earlier day first: {end} {start}")
    if start < EPOCH:
        raise ConfigurationError(f"START {start} is before the first partition", f"start at {EPOCH} or later")
    if end > today:
        raise ConfigurationError(f"END {end} is in the future", f"end at {today} (today, Eastern) or earlier")


def select(expressions: Sequence[str], assets: Sequence[dg.AssetsDefinition]) -> list[str]:
    """Table ids, in graph order, that match any of the expressions: a table, a dataset, or Dagster's selection syntax."""
    ordered = graph_order()
    if not expressions:
        return ordered
    chosen: set[str] = set()
    for text in expressions:
        named = {t for t in ordered if text in (t, t.split(".")[1], t.split(".")[0])}
        if not named:
            try:
                keys = dg.AssetSelection.from_string(text).resolve(assets)
            except (dg.DagsterError, ValueError) as e:
                raise ConfigurationError(
                    f"--select {text!r} is not a table, a dataset or a selection", _selectable(ordered)
                ) from e
            named = {".".join(k.path) for k in keys} & set(ordered)
        if not named:
            raise ConfigurationError(f"--select {text!r} selects nothing", _selectable(ordered))
        chosen |= named
    return [t for t in ordered if t in chosen]


def with_all_below(table: str) -> str:
    """The selection of a table and of everything that is computed from it."""
    return f'key:"{table.replace(".", "/")}"+'


def _selectable(tables: Sequence[str]) -> str:
    return f"use one of: {', '.join(tables)}; or with everything below it, such as '{with_all_below(tables[0])}'"


def downstream_closure(tables: set[str], within: Sequence[str]) -> tuple[str, ...]:
    """These tables and every selected table that reads them, directly or not, in graph order."""
    reached = set(tables)
    for table in within:
        if any(t.id in reached for t in CATALOG[table].upstream()):
            reached.add(table)
    return tuple(t for t in within if t in reached)


def history_steps(selected: Sequence[str], start: date, end: date, ledger: pa.Table) -> list[Step]:
    """Runs for days before `start` that the selected tables look back on, directly or not, and that were never published.

    Every table is brought up to `start` without a gap. Tables that look at the day alone (raw tables and facts) share one
    range, so that they are one run.
    """
    published = _published(ledger)
    wanted: dict[str, date] = {}
    lacking: dict[str, set[date]] = {}
    for table in reversed(graph_order()):
        history = days_between(wanted[table], start - timedelta(days=1)) if table in wanted else []
        lacking[table] = set(history) - published.get(table, set())
        days = sorted(lacking[table]) + (days_between(start, end) if table in selected else [])
        for upstream, needed in history_needed(list(CATALOG[table].reads.values()), days).items() if days else ():
            first = min(needed, default=start)
            wanted[upstream.id] = min(first, wanted.get(upstream.id, start))
    forgetful = _tables_of_the_day()
    together = set().union(*(lacking[t] for t in forgetful))
    runs: dict[tuple[date, ...], list[str]] = {}
    for table in graph_order():
        days = together if table in forgetful and lacking[table] else lacking[table]
        if days:
            runs.setdefault(tuple(sorted(days)), []).append(table)
    why = "history that the range looks back on"
    return [Step(tuple(tables), a, b, why) for days, tables in runs.items() for a, b in ranges(days)]


def _tables_of_the_day() -> set[str]:
    """Tables whose rows of a day are computed from that day alone, as are all tables that they read."""
    found: set[str] = set()
    for table in graph_order():
        reads = CATALOG[table].reads.values()
        if all(r.kind == "same_day" and r.table.id in found for r in reads):
            found.add(table)
    return found


def missing_steps(selected: Sequence[str], start: date, end: date, ledger: pa.Table) -> list[Step]:
    """Runs that cover exactly the days that are missing, refused or unfinished, with every selected table below them.

    Unfinished is a day that lacks expected rows because its games were not over when it ran, or for no known reason: all of
    its tables are run, since the schedule and the lines are from before the games, too.
    """
    published = _published(ledger)
    told = ledger.select(["table_id", "day", "state", "absent", "unexplained"]).to_pylist()
    unfinished = {
        e["day"] for e in told if e["table_id"] in selected and e["state"] == "published" and is_unfinished(e)
    }
    by_tables: dict[tuple[str, ...], list[date]] = {}
    for day in days_between(start, end):
        absent = {t for t in selected if day in unfinished or day not in published.get(t, set())}
        if absent:
            by_tables.setdefault(downstream_closure(absent, selected), []).append(day)
    steps = [Step(t, a, b, "missing, refused or unfinished") for t, days in by_tables.items() for a, b in ranges(days)]
    return sorted(steps, key=lambda s: (s.start, s.end))


def _published(ledger: pa.Table) -> dict[str, set[date]]:
    """Days by table that are published and not refused since."""
    found: dict[str, set[date]] = {}
    refused: dict[str, set[date]] = {}
    for e in ledger.select(["table_id", "day", "state"]).to_pylist():
        (found if e["state"] == "published" else refused).setdefault(e["table_id"], set()).add(e["day"])
    return {t: days - refused.get(t, set()) for t, days in found.items()}


def run_step(step: Step, defs: dg.Definitions, instance: dg.DagsterInstance, tags: Mapping[str, str]) -> Outcome:
    """Run one step in this process, recorded in the instance like any other run, with these tags."""
    keys = [asset_key(CATALOG[t].table) for t in step.tables]
    run_id = str(uuid4())
    result = defs.resolve_job_def(WHOLE_GRAPH).execute_in_process(
        instance=instance,
        run_id=run_id,
        asset_selection=keys,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        tags={
            RANGE_START: step.start.isoformat(),
            RANGE_END: step.end.isoformat(),
            TITLE: step.why,
            PROCESS: Claim.of_this_process(run_id).to_tag(),
            **tags,
        },
        raise_on_error=False,
    )
    failures = {e.step_key: e for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_FAILURE}
    ran = {e.step_key for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_START}
    table_of = {step_key(CATALOG[t]): t for t in step.tables}
    refusing = [k for k, e in failures.items() if e.step_failure_data.user_failure_data is not None]
    errors = [failure_message(e) for k, e in failures.items() if k not in refusing]
    return Outcome(
        run_id=result.run_id,
        success=result.success,
        refusing=tuple(table_of[k] for k in refusing if k in table_of),
        not_run=tuple(t for k, t in table_of.items() if k not in ran),
        error="\n".join(errors),
    )


def step_key(transform: Transform) -> str:
    """The name of the table's step in a run."""
    return "__".join(asset_key(transform.table).path)


def failure_message(event: dg.DagsterEvent) -> str:
    """The first error below Dagster's own wrapping, with the table that met it."""
    error = event.step_failure_data.error
    while error is not None and error.cause is not None and (error.cls_name or "").startswith("Dagster"):
        error = error.cause
    table = (event.step_key or "").replace("__", ".", 1)
    said = error.message.strip().removeprefix("nba_pipeline.common.errors.") if error is not None else "failed"
    return f"{table}: {said}"


def run_steps(
    steps: Sequence[Step], defs: dg.Definitions, instance: dg.DagsterInstance, before_run: Callable[[Step], None]
) -> list[Outcome]:
    """Run the steps; after refused days, go on with the tables below for the days that can be computed.

    A run stops below a table that refused a day. The tables that did not get to run are run again over the same range:
    each refuses the days that lack something, and publishes the others. Any other error ends the backfill.
    """
    outcomes: list[Outcome] = []
    waiting = list(steps)
    tags = {BACKFILL: uuid4().hex, TOTAL: str(sum(s.days * len(s.tables) for s in steps))}
    while waiting:
        step = waiting.pop(0)
        before_run(step)
        outcome = run_step(step, defs, instance, tags)
        outcomes.append(outcome)
        if outcome.error:
            break
        if outcome.refusing and outcome.not_run:
            waiting.insert(
                0, Step(outcome.not_run, step.start, step.end, "days that can be computed after refusals above")
            )
    return outcomes


def refusals(ledger: pa.Table, tables: Sequence[str]) -> Mapping[str, dict[date, str]]:
    """Refused days with their reasons, by table."""
    found: dict[str, dict[date, str]] = {t: {} for t in tables}
    for e in ledger.to_pylist():
        if e["state"] == "refused" and e["table_id"] in found:
            found[e["table_id"]][e["day"]] = e["reasons"]
    return {t: days for t, days in found.items() if days}
