"""Staging tables that outlived their run: found by their labels, dropped once Dagster says that the run has ended."""

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
    """A staging table, and whether its run has ended. What nobody knows to have ended stays until it expires."""

    table: "StagingTable"
    ended: bool
    why: str


def judged(tables: Sequence["StagingTable"], instance: dg.DagsterInstance) -> list[Verdict]:
    """A verdict on each table, from the labels of the table and the run that Dagster knows by that id."""
    return [_judged(t, instance) for t in tables]


def _judged(table: "StagingTable", instance: dg.DagsterInstance) -> Verdict:
    if not table.is_ours:
        return Verdict(table, False, "not made by this product")
    run = instance.get_run_by_id(table.run)
    if run is None:
        return Verdict(table, False, "its run is not known to this Dagster")
    return Verdict(table, run.is_finished, f"its run is {run.status.value.lower()}")


def sweep(connection: "Connection", instance: dg.DagsterInstance) -> list[Verdict]:
    """Drop the staging tables whose run has ended; what was dropped."""
    from nba_pipeline.warehouse.bigquery.staging import drop, staging_tables

    ended = [v for v in judged(staging_tables(connection), instance) if v.ended]
    for verdict in ended:
        drop(connection, verdict.table)
    return ended


def connection_of(location: BigQueryLocation) -> "Connection":
    from nba_pipeline.warehouse.bigquery.warehouse import open_bigquery

    return open_bigquery(location).connection
