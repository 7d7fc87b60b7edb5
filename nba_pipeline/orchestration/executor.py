"""The executor of all jobs: tables below a table that refused days run too, for the days that they can compute.

Dagster's own executor leaves out every step below a failed one, for all days of the run: two bad days would cost all tables
below them the whole range. Here a step starts as soon as what it reads has an output. A table that refused days has one
(see `step_events`) although its step fails, since its other days are published; the tables below find in the ledger
which days they cannot compute, refuse these and name what they wait for. A table that fails for another reason has no output,
and stops the tables below as ever. The run fails at its end, with a summary in its log. A run that is interrupted in this process
ends as canceled.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import dagster as dg
from dagster._core.events import DagsterEvent
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.execution.step_dependency_config import StepDependencyConfig

from nba_pipeline.common.errors import WarehouseError
from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration import interrupts
from nba_pipeline.orchestration.ahead import preparing_ahead
from nba_pipeline.orchestration.compiling import compiling
from nba_pipeline.orchestration.failures import StepFailure, step_failure
from nba_pipeline.orchestration.run_summary import summary
from nba_pipeline.orchestration.tags import table_of
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline.warehouse.snapshot import take_snapshot

CONFIG = {"step_dependency_config": {"require_upstream_step_success": False}}


class RefusalTolerantExecutor(dg.Executor):
    """Runs the steps as another executor does, and logs a summary where days were refused."""

    def __init__(self, inner: dg.Executor) -> None:
        self._inner = inner

    @property
    def retries(self) -> RetryMode:
        return self._inner.retries

    @property
    def step_dependency_config(self) -> StepDependencyConfig:
        return self._inner.step_dependency_config

    def execute(self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan) -> Iterator[DagsterEvent]:
        failures: list[StepFailure] = []
        run, tables = plan_context.dagster_run, [table_of(step) for step in execution_plan.step_keys_to_execute]
        # The connection ends first, and with it an operation that an interruption left open: other threads would wait for it.
        with (
            _events_held(plan_context.instance),
            compiling(Settings.from_environment(), tables),
            preparing_ahead(run.run_id, tables, run.tags),
            _warehouse_kept_open(),
        ):
            try:
                for event in self._inner.execute(plan_context, execution_plan):
                    if event.is_step_failure:
                        failures.append(step_failure(event))
                    yield event
                    if interrupts.is_requested():
                        raise KeyboardInterrupt
            except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
                if interrupts.is_requested():
                    plan_context.instance.report_run_canceling(run, "Interrupted by Ctrl-C or SIGTERM.")
                raise
        text = summary(failures, run.tags)
        if text:
            plan_context.log.error(text)
        _take_snapshot(plan_context)


def _events_held(instance: dg.DagsterInstance) -> AbstractContextManager[None]:
    """Let the event log of this machine store what a step reports at its end together."""
    storage = instance.event_log_storage
    if not type(storage).__module__.startswith("nba_pipeline."):
        return nullcontext()
    from nba_pipeline.orchestration.event_log.sqlite import BatchedSqliteEventLogStorage

    return storage.holding() if isinstance(storage, BatchedSqliteEventLogStorage) else nullcontext()


def _warehouse_kept_open() -> AbstractContextManager[None]:
    """Let the tables of the run share one connection to the embedded warehouse."""
    settings = Settings.from_environment()
    warehouse = settings.open_warehouse() if settings.bigquery is None else None
    return warehouse.keeping() if isinstance(warehouse, DuckDBWarehouse) else nullcontext()


def _take_snapshot(plan_context: PlanOrchestrationContext) -> None:
    """Renew the read copy where the settings ask for it; where that fails it is logged, and the days stay published."""
    settings = Settings.from_environment()
    warehouse = settings.open_warehouse() if settings.snapshot_after_run else None
    if not isinstance(warehouse, DuckDBWarehouse):
        return
    try:
        copy = take_snapshot(warehouse, settings.read_copy)
    except WarehouseError as e:
        plan_context.log.error(f"the read copy was not renewed, clients read the earlier one: {e}")
    else:
        plan_context.log.info(f"{copy.path} is a copy of the warehouse as this run left it")


@dg.executor(name="in_process", config_schema=dg.in_process_executor.config_schema.config_type)
def refusal_tolerant_executor(context: dg.InitExecutorContext) -> RefusalTolerantExecutor:
    """Run all steps in one process, one after the other; takes the configuration of Dagster's in-process executor."""
    config = {**context.executor_config, **CONFIG}
    create = dg.in_process_executor.executor_creation_fn
    assert create is not None
    return RefusalTolerantExecutor(create(context._replace(executor_config=config)))
