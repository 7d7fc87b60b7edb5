"""A run says what went wrong outside of the steps of its tables: errors, and checks of the whole run that failed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import dagster as dg
import pytest

from nba_pipeline.domain.calendar import EPOCH
from nba_pipeline.orchestration import executor as module
from nba_pipeline.orchestration.backfill import Outcome, run_step
from nba_pipeline.orchestration.backfill_plan import Step
from nba_pipeline.orchestration.executor import refusal_tolerant_executor
from nba_pipeline.orchestration.jobs import WHOLE_GRAPH
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.tables.raw.schedule import SCHEDULE

pytestmark = pytest.mark.integration
DAY = date(2024, 1, 5)
DAILY = daily_partitions(EPOCH, None)


@dg.asset(key=asset_key(SCHEDULE), partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run())
def quiet() -> None:
    """Succeed."""


@dg.asset(key=asset_key(SCHEDULE), partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run())
def failing() -> None:
    """Fail in its step."""
    raise dg.Failure("the disk is full")


@dg.executor(name="breaking", config_schema=refusal_tolerant_executor.config_schema.config_type)
def breaking(context: dg.InitExecutorContext) -> dg.Executor:
    """Run the steps, and fail after the last one."""
    make = refusal_tolerant_executor.executor_creation_fn
    assert make is not None
    whole: Any = make(context)
    honest = whole.execute

    def execute(*given: Any) -> Iterator[Any]:
        yield from honest(*given)
        raise RuntimeError("the second thread does not end")

    whole.execute = execute
    return whole


@dg.asset_check(asset=asset_key(SCHEDULE))
def differing() -> dg.AssetCheckResult:
    """Fail."""
    return dg.AssetCheckResult(passed=False, description="3 cells differ")


def outcome(
    table: dg.AssetsDefinition, executor: dg.ExecutorDefinition, checks: Sequence[dg.AssetChecksDefinition] = ()
) -> Outcome:
    """How a backfill of the table ends whose run has this executor and these checks."""
    job = dg.define_asset_job(WHOLE_GRAPH, [table])
    defs = dg.Definitions(assets=[table], asset_checks=checks, jobs=[job], executor=executor)
    with dg.DagsterInstance.ephemeral() as instance:
        return run_step(Step((SCHEDULE.id,), DAY, DAY, "requested"), defs, instance, {})


def test_an_error_outside_of_the_steps_is_named() -> None:
    found = outcome(quiet, breaking)
    assert not found.success
    assert "RuntimeError: the second thread does not end" in found.error


def test_steps_that_succeed_or_fail_are_no_such_error() -> None:
    assert (outcome(quiet, refusal_tolerant_executor).success, outcome(quiet, refusal_tolerant_executor).error) == (
        True,
        "",
    )
    assert outcome(failing, refusal_tolerant_executor).error == "nba_raw.schedule: the disk is full"


def test_a_check_of_the_whole_run_that_failed_is_named() -> None:
    found = outcome(quiet, refusal_tolerant_executor, [differing])
    assert (found.success, found.error) == (True, "")
    assert found.failed_checks == ("nba_raw.schedule: differing: 3 cells differ",)


def test_the_connection_of_a_run_ends_before_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation that an interruption left open ends with the connection: a thread that waits for it would not end before."""
    ended: list[str] = []

    @contextmanager
    def noted(name: str) -> Iterator[None]:
        yield
        ended.append(name)

    monkeypatch.setattr(module, "preparing_ahead", lambda *_: noted("threads"))
    monkeypatch.setattr(module, "_warehouse_kept_open", lambda: noted("connection"))
    assert outcome(quiet, refusal_tolerant_executor).success
    assert ended == ["connection", "threads"]
