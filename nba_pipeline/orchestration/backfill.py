"""Running ranges of days through Dagster: the days to run, their runs, and the results."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

import dagster as dg

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration import interrupts
from nba_pipeline.orchestration.backfill_plan import Step, with_all_below
from nba_pipeline.orchestration.compiling import compiling
from nba_pipeline.orchestration.failures import step_failure
from nba_pipeline.orchestration.jobs import WHOLE_GRAPH
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.local_run import execute
from nba_pipeline.orchestration.recovery import Claim
from nba_pipeline.orchestration.tags import (
    BACKFILL,
    PROCESS,
    RANGE_END,
    RANGE_START,
    TITLE,
    TOTAL,
    shown_tags,
    step_key,
)
from nba_pipeline.tables.catalog import CATALOG, graph_order, suggestion

_EVALUATED = dg.DagsterEventType.ASSET_CHECK_EVALUATION.value


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        run_id: The id of the run.
        success: Whether every step succeeded.
        refusing: The tables that refused days.
        error: What a table failed of but refused days; empty without one.
        failed_checks: Checks of the whole run that failed, such as `replay`, with table and finding.
    """

    run_id: str
    success: bool
    refusing: tuple[str, ...]
    error: str
    failed_checks: tuple[str, ...] = ()


def select(expressions: Sequence[str], assets: Sequence[dg.AssetsDefinition]) -> list[str]:
    """Table ids, in graph order, that match any of the expressions: a table, a dataset, or Dagster's selection syntax."""
    ordered = graph_order()
    if not expressions:
        return ordered
    chosen: set[str] = set()
    for text in expressions:
        matching = {t for t in ordered if text in (t, t.split(".")[1], t.split(".")[0])}
        if not matching:
            try:
                keys = dg.AssetSelection.from_string(text).resolve(assets)
            except (dg.DagsterError, ValueError) as e:
                raise ConfigurationError(
                    f"--select {text!r} is not a table, a dataset or a selection", _selectable(text)
                ) from e
            matching = {".".join(k.path) for k in keys} & set(ordered)
        if not matching:
            raise ConfigurationError(f"--select {text!r} selects nothing", _selectable(text))
        chosen |= matching
    return [t for t in ordered if t in chosen]


def _selectable(text: str) -> str:
    return f"{suggestion(text)}; a table with everything below it is '{with_all_below(graph_order()[0])}'"


def run_step(step: Step, defs: dg.Definitions, instance: dg.DagsterInstance, tags: Mapping[str, str]) -> Outcome:
    """Run one step in this process, recorded in the instance like any other run, with these tags."""
    keys = [asset_key(CATALOG[t].table) for t in step.tables]
    run_id = str(uuid4())
    with compiling(Settings.from_environment(), step.tables):  # also while the run is recorded, before its first step
        result = execute(
            defs.resolve_job_def(WHOLE_GRAPH),
            instance,
            run_id,
            keys,
            {
                RANGE_START: step.start.isoformat(),
                RANGE_END: step.end.isoformat(),
                TITLE: step.why,
                PROCESS: Claim.of_this_process(run_id).to_tag(),
                **shown_tags(step.tables, step.start, step.end, graph_order()),
                **tags,
            },
        )
    failures = {
        e.step_key: step_failure(e) for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_FAILURE
    }
    table_of = {step_key(t): t for t in step.tables}
    refusing = [k for k, failure in failures.items() if failure.refused_days]
    errors = [failure.message for k, failure in failures.items() if k not in refusing]
    errors += outside_of_steps(result.all_events)
    return Outcome(
        run_id=result.run_id,
        success=result.success,
        refusing=tuple(table_of[k] for k in refusing if k in table_of),
        error="\n".join(errors),
        failed_checks=failed_checks(result.all_events),
    )


def failed_checks(events: Sequence[dg.DagsterEvent]) -> tuple[str, ...]:
    """Return the checks of a whole run that failed, with table and finding; a check of a day that fails refuses the day."""
    found = [e.event_specific_data for e in events if e.event_type_value == _EVALUATED]
    return tuple(
        f"{'.'.join(check.asset_key.path)}: {check.check_name}: {check.description or 'failed'}"
        for check in found
        if isinstance(check, dg.AssetCheckEvaluation)
        and not (check.passed or check.partition)
        and check.severity == dg.AssetCheckSeverity.ERROR
    )


def outside_of_steps(events: Sequence[dg.DagsterEvent]) -> list[str]:
    """Return what ended a run that was not one of its steps, in words; nothing for a run that was canceled."""
    ended = [e.job_failure_data for e in events if e.event_type == dg.DagsterEventType.RUN_FAILURE]
    return [data.error.to_string().strip() for data in ended if data.error and not data.first_step_failure_event]


def run_steps(
    steps: Sequence[Step], defs: dg.Definitions, instance: dg.DagsterInstance, before_run: Callable[[Step], None]
) -> list[Outcome]:
    """Run the steps and return their outcomes; refused days end nothing, any other error and an interruption end it.

    Args:
        steps: The runs, in order.
        defs: The definitions that hold the job of all tables.
        instance: The instance that records the runs.
        before_run: Called before each run.
    """
    outcomes: list[Outcome] = []
    tags = {BACKFILL: uuid4().hex, TOTAL: str(sum(s.days * len(s.tables) for s in steps))}
    for step in steps:
        before_run(step)
        outcomes.append(run_step(step, defs, instance, tags))
        if outcomes[-1].error or interrupts.is_requested():
            break
    return outcomes
