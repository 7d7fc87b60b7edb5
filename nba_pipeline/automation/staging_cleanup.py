"""Finds BigQuery staging tables by their labels and drops those whose run has ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from nba_pipeline.warehouse.bigquery.location import BigQueryLocation

if TYPE_CHECKING:  # Google's libraries are loaded where they are used: the embedded default does without
    from nba_pipeline.warehouse.bigquery.client import Connection
    from nba_pipeline.warehouse.bigquery.staging import StagingTable

NOTHING_STAGED = "the embedded warehouse has no staging tables"


@dataclass(frozen=True)
class Verdict:
    """A staging table and whether its run has ended. Tables of unknown runs stay until they expire."""

    table: "StagingTable"
    ended: bool
    why: str


def verdicts(tables: Sequence["StagingTable"], instance: dg.DagsterInstance) -> list[Verdict]:
    """Return for each table whether its run has ended, from the labels of the table and the status of that run in Dagster.

    Args:
        tables: The staging tables.
        instance: The Dagster instance that recorded the runs.
    """
    return [_verdict(t, instance) for t in tables]


def _verdict(table: "StagingTable", instance: dg.DagsterInstance) -> Verdict:
    if not table.is_ours:
        return Verdict(table, False, "not created by nba_pipeline")
    run = instance.get_run_by_id(table.run)
    if run is None:
        return Verdict(table, False, "its run is not recorded in this Dagster instance")
    return Verdict(table, run.is_finished, f"its run is {run.status.value.lower()}")


def sweep(connection: "Connection", instance: dg.DagsterInstance) -> list[Verdict]:
    """Drop the staging tables whose run has ended, and return them.

    Args:
        connection: The BigQuery location.
        instance: The Dagster instance that recorded the runs.
    """
    from nba_pipeline.warehouse.bigquery.staging import drop, staging_tables

    ended = [v for v in verdicts(staging_tables(connection), instance) if v.ended]
    for verdict in ended:
        drop(connection, verdict.table)
    return ended


def connection_of(location: BigQueryLocation) -> "Connection":
    """Connect to a BigQuery location."""
    from nba_pipeline.warehouse.bigquery.warehouse import open_bigquery

    return open_bigquery(location).connection
