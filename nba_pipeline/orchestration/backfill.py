"""Running ranges of days through Dagster: the days to run, their runs, and the results."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

import dagster as dg

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.orchestration.backfill_plan import Step, with_all_below
from nba_pipeline.orchestration.failures import step_failure
from nba_pipeline.orchestration.jobs import WHOLE_GRAPH
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.recovery import PROCESS, Claim
from nba_pipeline.orchestration.tags import BACKFILL, RANGE_END, RANGE_START, TITLE, TOTAL, step_key
from nba_pipeline.tables.catalog import CATALOG, graph_order


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `error` is empty unless a table failed for another reason than refused days."""

    run_id: str
    success: bool
    refusing: tuple[str, ...]
    not_run: tuple[str, ...]
    error: str


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


def _selectable(tables: Sequence[str]) -> str:
    return f"use one of: {', '.join(tables)}; or with everything below it, such as '{with_all_below(tables[0])}'"


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
    failures = {
        e.step_key: step_failure(e) for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_FAILURE
    }
    ran = {e.step_key for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_START}
    table_of = {step_key(t): t for t in step.tables}
    refusing = [k for k, failure in failures.items() if failure.refused_days]
    errors = [failure.message for k, failure in failures.items() if k not in refusing]
    return Outcome(
        run_id=result.run_id,
        success=result.success,
        refusing=tuple(table_of[k] for k in refusing if k in table_of),
        not_run=tuple(t for k, t in table_of.items() if k not in ran),
        error="\n".join(errors),
    )


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
