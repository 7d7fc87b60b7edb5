"""A run that ends with an error outside of its steps says which."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest

from nba_pipeline.orchestration.backfill import outside_of_steps
from nba_pipeline.orchestration.executor import refusal_tolerant_executor
from nba_pipeline.orchestration.local_run import execute

pytestmark = pytest.mark.integration


@dg.asset
def quiet() -> None:
    """Succeed."""


@dg.asset
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


def errors(asset: dg.AssetsDefinition, executor: dg.ExecutorDefinition) -> tuple[bool, list[str]]:
    job = dg.Definitions(assets=[asset], executor=executor).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = execute(job, instance, str(uuid4()), list(asset.keys), {})
    return result.success, outside_of_steps(result.all_events)


def test_an_error_outside_of_the_steps_is_named() -> None:
    success, (reason,) = errors(quiet, breaking)
    assert not success
    assert "RuntimeError: the second thread does not end" in reason


def test_steps_that_succeed_or_fail_are_no_such_error() -> None:
    assert errors(quiet, refusal_tolerant_executor) == (True, [])
    assert errors(failing, refusal_tolerant_executor) == (False, [])
