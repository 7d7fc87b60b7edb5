"""The earlier address of the Postgres event log, named in the dagster.yaml of existing deployments."""

from nba_pipeline.orchestration.event_log.postgres import *  # noqa: F403
