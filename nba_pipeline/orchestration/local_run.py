"""Executes a run of a job in this process, recorded in the instance as a run that the UI launched.

`execute_in_process` would leave out the tables below refused days, since it brings its own executor, and would record a run
without a code location, which the timeline of the UI leaves out. `dg.execute_job` lacks the code location, too. The run is
therefore created and executed by the functions that Dagster's run worker uses; they are private, and used here only.
"""

import os
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import create_execution_plan, execute_run
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.snap import snapshot_from_execution_plan
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

LOCATION, REPOSITORY, MODULE = "nba_pipeline", "__repository__", "nba_pipeline.definitions"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    run_id: str,
    assets: Collection[dg.AssetKey],
    tags: Mapping[str, str],
) -> dg.JobExecutionResult:
    """Execute a new run of these assets and of their checks in the job, and return how it ended; errors of steps are not raised.

    Args:
        job: The job that holds the assets.
        instance: The instance that records the run.
        run_id: The id of the new run.
        assets: The assets to materialize.
        tags: The tags of the run, those of its days among them.
    """
    # By default a run has the checks that the job leaves out, too.
    checks = frozenset(k for k in job.asset_layer.asset_graph.asset_check_keys if k.asset_key in assets)
    selected = job.get_subset(asset_selection=set(assets), asset_check_selection=checks)
    reference = instance.get_ref() if instance.is_persistent else None
    plan = create_execution_plan(InMemoryJob(selected), run_config=QUIET, instance_ref=reference, tags=tags)
    # `create_run_for_job` cannot leave checks out.
    run = instance.create_run(
        job_name=job.name,
        run_id=run_id,
        run_config=QUIET,
        status=None,
        tags=tags,
        root_run_id=None,
        parent_run_id=None,
        step_keys_to_execute=plan.step_keys_to_execute,
        execution_plan_snapshot=snapshot_from_execution_plan(plan, selected.get_job_snapshot_id()),
        job_snapshot=selected.get_job_snapshot(),
        parent_job_snapshot=selected.get_parent_job_snapshot(),
        asset_selection=frozenset(assets),
        asset_check_selection=checks,
        resolved_op_selection=None,
        op_selection=None,
        remote_job_origin=_origin(job.name),
        job_code_origin=None,
        asset_graph=selected.asset_layer.asset_graph,
    )
    with output_given_back():
        return execute_run(InMemoryJob(job), run, instance)


@contextmanager
def output_given_back() -> Iterator[None]:
    """Give standard output and standard error back after the block, whatever became of the logs that they went to.

    Dagster directs both into files of its home. Where the disk is full it fails to write what is left there and leaves them so:
    the command would end without a word.
    """
    kept = {fd: os.dup(fd) for fd in (1, 2) if _is_open(fd)}
    try:
        yield
    finally:
        for fd, copy in kept.items():
            os.dup2(copy, fd)
            os.close(copy)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _origin(job: str) -> RemoteJobOrigin:
    """Return the origin that the UI knows the job by: the code location of the shipped workspaces."""
    module = LoadableTargetOrigin(executable_path=sys.executable, module_name=MODULE)
    location = ManagedGrpcPythonEnvCodeLocationOrigin(module, LOCATION)
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, REPOSITORY), job)
