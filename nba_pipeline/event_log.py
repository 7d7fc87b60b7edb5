"""The earlier address of the embedded event log, named in the dagster.yaml of existing homes."""

from nba_pipeline.orchestration.event_log.sqlite import *  # noqa: F403
