"""Ctrl-C and SIGTERM end the run of this process as canceled, whatever becomes of the signal on its way."""

import os
import signal
from collections.abc import Iterator
from uuid import uuid4

import dagster as dg
import pytest

from nba_pipeline.orchestration import interrupts
from nba_pipeline.orchestration.executor import refusal_tolerant_executor
from nba_pipeline.orchestration.local_run import execute


@dg.asset
def interrupted(context: dg.AssetExecutionContext) -> None:
    """Receive the signal of the run's tag; with the tag `swallow`, an error takes the place of the interruption."""
    try:
        os.kill(os.getpid(), int(context.run.tags["signal"]))
    except BaseException:
        if "swallow" in context.run.tags:
            raise RuntimeError("the engine was interrupted") from None
        raise


@dg.asset
def independent() -> None:
    """Run after `interrupted`, of which it needs nothing."""


JOB = dg.Definitions(
    assets=[interrupted, independent], executor=refusal_tolerant_executor
).resolve_implicit_global_asset_job_def()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("swallow", [{}, {"swallow": "yes"}])
def test_a_signal_cancels_the_run_and_nothing_runs_after_it(
    instance: dg.DagsterInstance, number: int, swallow: dict[str, str]
) -> None:
    with interrupts.stopping_on_signals():
        keys = [*interrupted.keys, *independent.keys]
        result = execute(JOB, instance, str(uuid4()), keys, {"signal": str(int(number)), **swallow})
        assert interrupts.is_requested()
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.CANCELED
    started = [e.step_key for e in result.all_events if e.event_type_value == "STEP_START"]
    assert started[-1] == "interrupted"


def test_outside_a_command_no_signal_counts() -> None:
    with interrupts.stopping_on_signals():
        pass
    assert not interrupts.is_requested()
