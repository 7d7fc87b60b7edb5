"""Counts what a run of the whole graph sends to BigQuery, beside the way of one delete and one load per day.

    python benchmarks/bigquery_jobs.py DATA START END [--pushdown all]

starts an emulator of its own, publishes every table for these days through it and counts the requests that start a job.
DATA is a directory with landing files.
"""

import argparse
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from nba_pipeline.artifacts.local import LocalArtifacts
from nba_pipeline.definitions import ASSETS
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.publish import publish
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.sources.files import FilesSource
from nba_pipeline.tables.catalog import CATALOG, graph_order, schedule_read
from nba_pipeline.warehouse.bigquery.client import Connection
from nba_pipeline.warehouse.bigquery.location import BigQueryLocation
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse
from nba_pipeline_tests.support.bigquery_emulator import PROJECT, running_emulator
from nba_pipeline_tests.support.wire import Request, tapped


def kind(request: Request) -> str:
    """What a job is for, by what it sends."""
    if request.job == "load":
        return "load"
    head = request.statement.lstrip()
    if head.startswith("BEGIN"):
        return "transaction"
    if head.startswith(("INSERT", "CREATE TEMP TABLE")):
        return "computation"
    return "reading"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("start", type=date.fromisoformat)
    parser.add_argument("end", type=date.fromisoformat)
    parser.add_argument("--pushdown", default="none")
    given = parser.parse_args()
    days = days_between(given.start, given.end)
    total: Counter[str] = Counter()
    with running_emulator() as address, TemporaryDirectory() as models:
        location = BigQueryLocation(PROJECT, endpoint=address)
        warehouse = BigQueryWarehouse(Connection(location), frozenset(given.pushdown.split(",")))
        wire, source = tapped(warehouse), FilesSource(given.data)
        print(f"{'table':45} {'load':>5} {'transaction':>12} {'computation':>12} {'reading':>8} {'per day':>8}")
        for name in graph_order():
            before = len(wire.sent)
            transform = CATALOG[name]
            run = RunContext(name, datetime.now(UTC), artifacts=LocalArtifacts(Path(models)))
            publish(transform, days, warehouse, source, schedule_read(transform), run)
            counts = Counter(kind(r) for r in wire.sent[before:] if r.job)
            total += counts
            shown = [counts[k] for k in ("load", "transaction", "computation", "reading")]
            print(f"{name:45} {shown[0]:5} {shown[1]:12} {shown[2]:12} {shown[3]:8} {2 * len(days):8}", flush=True)
    shown = [total[k] for k in ("load", "transaction", "computation", "reading")]
    print(f"{'all':45} {shown[0]:5} {shown[1]:12} {shown[2]:12} {shown[3]:8} {2 * len(days) * len(ASSETS):8}")
    print(f"{sum(total.values())} jobs for {len(ASSETS)} tables and {len(days)} days; {len(wire.sent)} requests in all")


if __name__ == "__main__":
    main()
