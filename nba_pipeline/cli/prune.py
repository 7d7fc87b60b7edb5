"""The command `prune`."""

from datetime import timedelta

import click

from nba_pipeline.common import clock
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration.event_log.pruning import prune
from nba_pipeline.orchestration.event_log.sqlite import BatchedSqliteEventLogStorage
from nba_pipeline.orchestration.instance import opened


def run_prune(keep_days: int) -> None:
    """Shrink the event log and print what was done.

    Args:
        keep_days: Superseded events of the last days to keep.

    Raises:
        ConfigurationError: The event log is not the one of a single machine, or may only be read.
    """
    with opened(Settings.from_environment(), to_change=True) as instance:
        storage = instance.event_log_storage
        if not isinstance(storage, BatchedSqliteEventLogStorage):
            raise ConfigurationError(
                f"the event log is {type(storage).__name__}, which this command cannot prune",
                "use the means of its database, for Postgres VACUUM and Dagster's retention of runs",
            )
        done = prune(storage, clock.now() - timedelta(days=keep_days))
    click.echo(
        f"{done.removed:,} superseded events removed, {done.packed:,} events packed, {done.referred:,} copies replaced by "
        "references; "
        f"{done.bytes_before / 1e6:,.0f} MB before, {done.bytes_after / 1e6:,.0f} MB after"
    )
