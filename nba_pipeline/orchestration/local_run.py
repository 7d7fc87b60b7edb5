"""Executes a run of a job in this process, recorded in the instance as a run that the UI launched.

`execute_in_process` would leave out the tables below refused days, since it brings its own executor, and would record a run
without a code location, which the timeline of the UI leaves out. `dg.execute_job` lacks the code location, too. The run is
therefore created and executed by the functions that Dagster's run worker uses; they are private, and used here only.
"""

import sys
from collections.abc import Collection, Mapping

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
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
    """Execute a new run of these assets with these tags, and return how it ended; errors of steps are not raised.

    Args:
        job: The job that holds the assets.
        instance: The instance that records the run.
        run_id: The id of the new run.
        assets: The assets to materialize.
        tags: The tags of the run, those of its days among them.
    """
    selected = job.get_subset(asset_selection=set(assets))
    run = instance.create_run_for_job(
        selected,
        run_id=run_id,
        run_config=QUIET,
        tags=tags,
        asset_selection=frozenset(assets),
        remote_job_origin=_origin(job.name),
    )
    return execute_run(InMemoryJob(job), run, instance)


def _origin(job: str) -> RemoteJobOrigin:
    """Return the origin that the UI knows the job by: the code location of the shipped workspaces."""
    module = LoadableTargetOrigin(executable_path=sys.executable, module_name=MODULE)
    location = ManagedGrpcPythonEnvCodeLocationOrigin(module, LOCATION)
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, REPOSITORY), job)
