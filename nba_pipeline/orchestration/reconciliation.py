"""Compares what the warehouse's ledger says with what Dagster knows, and reports to Dagster what it lacks.

They differ where a Dagster home was lost or is new, where a warehouse was restored or copied, and where a process died between
publishing days and recording them. What only the ledger says is reported by Dagster's public events without a run. What only
Dagster says is an error, since nothing but a run can bring the rows back. Refused days that were never published are missing in
both, and `backfill --missing` runs them. Checks have no results of days that are reported so, since Dagster stores at most one
result without a run for each check and partition.
"""

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from nba_pipeline.domain.calendar import describe_days
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.recovery import UNFINISHED
from nba_pipeline.orchestration.step_events import ROW_COUNT
from nba_pipeline.tables.catalog import CATALOG, graph_order

Entry = Mapping[str, Any]
RECONCILED = "reconciled"


@dataclass(frozen=True)
class Differences:
    """Where ledger and Dagster disagree.

    Attributes:
        unrecorded: Ledger rows of published days that Dagster does not know as materialized, in order.
        unpublished: By table, the days that Dagster knows as materialized and the ledger never published.
    """

    unrecorded: tuple[Entry, ...]
    unpublished: Mapping[str, tuple[date, ...]]


def compare(
    ledger: Sequence[Entry], materialized: Mapping[str, AbstractSet[date]], running: Container[str] = ()
) -> Differences:
    """Compare the ledger with the materialized days of each table.

    Args:
        ledger: All rows of the ledger.
        materialized: The days that Dagster knows as materialized, by table.
        running: Ids of unfinished runs; what they published is about to be recorded.
    """
    rows = sorted((e for e in ledger if e["table_id"] in materialized), key=lambda e: (e["table_id"], e["day"]))
    published = {(e["table_id"], e["day"]) for e in rows if e["state"] == "published"}
    lacking = [e for e in rows if e["day"] not in materialized[e["table_id"]] and e["run_id"] not in running]
    only_dagster = {t: tuple(sorted(d for d in days if (t, d) not in published)) for t, days in materialized.items()}
    return Differences(
        unrecorded=tuple(e for e in lacking if e["state"] == "published"),
        unpublished={t: days for t, days in only_dagster.items() if days},
    )


def observe(instance: dg.DagsterInstance, ledger: Sequence[Entry]) -> Differences:
    """Read the materialized days of all tables from Dagster, and compare the ledger with them.

    Args:
        instance: The Dagster instance.
        ledger: All rows of the ledger.
    """
    storage = instance.event_log_storage
    keys = {t: storage.get_materialized_partitions(asset_key(CATALOG[t].table)) for t in graph_order()}
    running = {run.run_id for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))}
    return compare(ledger, {t: {date.fromisoformat(k) for k in days} for t, days in keys.items()}, running)


def record(instance: dg.DagsterInstance, differences: Differences) -> int:
    """Report to Dagster what only the ledger says, and return the number of table-days.

    Args:
        instance: The Dagster instance.
        differences: Where ledger and Dagster disagree.
    """
    for entry in differences.unrecorded:
        instance.report_runless_asset_event(_materialization(entry))
    return len(differences.unrecorded)


def _materialization(entry: Entry) -> dg.AssetMaterialization:
    """Return the materialization of a published day, with the numbers that the ledger has kept of it."""
    return dg.AssetMaterialization(
        asset_key(CATALOG[entry["table_id"]].table),
        partition=entry["day"].isoformat(),
        description="Published earlier; reported from the ledger of the warehouse.",
        metadata={
            ROW_COUNT: entry["rows"],
            "rows": entry["rows"],
            "games": entry["games"],
            "expected_rows": entry["expected"],
            "absent": json.loads(entry["absent"]),
            RECONCILED: True,
        },
    )


def errors(differences: Differences) -> Iterator[str]:
    """Yield a text with a fix for each table of which Dagster knows days that the ledger never published."""
    for table, days in differences.unpublished.items():
        yield (
            f"{table}: Dagster has {describe_days(days)} as materialized, but the warehouse never published these days. "
            f"Fix: run `nba-pipeline backfill {days[0]} {days[-1]} --missing --select {table}`, or restore the warehouse"
        )
