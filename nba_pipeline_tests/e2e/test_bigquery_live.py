"""What only the real service can show: all tables of two days in scratch datasets, with a prefix, which are dropped in the end.

    make live-bigquery PROJECT=my-project

runs it with application default credentials and prints a report; without a project it is skipped. The same tests run
against the emulator with NBA_PIPELINE_LIVE_ENDPOINT, which shows that the suite itself works and nothing of the service.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from google.cloud.bigquery import QueryJobConfig

from nba_pipeline.common.errors import WarehouseError
from nba_pipeline.config.settings import Settings
from nba_pipeline.engine.publish import publish
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.tables.catalog import CATALOG, graph_order, schedule_read
from nba_pipeline.warehouse import Warehouse
from nba_pipeline.warehouse.bigquery import sql
from nba_pipeline.warehouse.bigquery.client import Connection
from nba_pipeline.warehouse.bigquery.location import OPERATIONS, STAGING, BigQueryLocation
from nba_pipeline.warehouse.bigquery.staging import staging_tables
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse
from nba_pipeline.warehouse.bigquery.watched import WatchedWarehouse
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline.warehouse.transfer import Copied, copy_tables
from nba_pipeline_tests.support.results import (
    NO_REJECTS,
    RESULTS,
    OtherType,
    days,
    declared,
    entry,
    recorded,
    state,
    write,
)
from nba_pipeline_tests.support.wire import Wire, tapped

PROJECT = os.environ.get("NBA_PIPELINE_LIVE_PROJECT", "")
ENDPOINT = os.environ.get("NBA_PIPELINE_LIVE_ENDPOINT")
DATASETS = ("nba_raw", "nba_analytics", "nba_precompute", "nba_predictions", OPERATIONS, STAGING)
FIRST, SECOND = date(2021, 10, 20), date(2021, 10, 21)
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not PROJECT, reason="NBA_PIPELINE_LIVE_PROJECT names no project of BigQuery"),
]


@dataclass
class Live:
    """A warehouse in datasets of its own, what it sent, and the lines of the report."""

    warehouse: BigQueryWarehouse
    wire: Wire
    settings: Settings
    lines: list[str] = field(default_factory=list)

    def reported(self, what: str, work: Callable[[], object]) -> None:
        """Do something and report its seconds and jobs."""
        began, before = time.monotonic(), len(self.wire.jobs)
        work()
        self.lines.append(f"{what:58} {time.monotonic() - began:7.1f} s {len(self.wire.jobs) - before:5} jobs")

    def compute(self, warehouse: Warehouse, on: list[date], run: str) -> None:
        """Publish every table of the days in the warehouse."""
        source = self.settings.open_source()
        for table in graph_order():
            transform = CATALOG[table]
            publish(transform, on, warehouse, source, schedule_read(transform), RunContext(run, datetime.now(UTC)))


def located(prefix: str) -> BigQueryLocation:
    return BigQueryLocation(PROJECT, prefix=prefix, endpoint=ENDPOINT, max_bytes_billed=20_000_000_000)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    location = located(f"scratch_{uuid4().hex[:8]}_")
    warehouse = BigQueryWarehouse(Connection(location))
    settings = Settings.from_environment({"NBA_PIPELINE_HOME": str(tmp_path_factory.mktemp("live"))})
    found = Live(warehouse, tapped(warehouse), settings)
    try:
        yield found
    finally:
        for name in DATASETS:
            warehouse.connection.client.delete_dataset(location.dataset(name), delete_contents=True, not_found_ok=True)
        billed = sum(job.total_bytes_billed or 0 for job in _own_jobs(warehouse, location.prefix))
        print("\n\n" + "\n".join([f"live suite on {location.name}", *found.lines, f"billed: {billed / 2**30:.2f} GiB"]))


def _own_jobs(warehouse: BigQueryWarehouse, prefix: str) -> list:
    """The query jobs of this suite, by the names in their statements."""
    if ENDPOINT:
        return []
    listed = warehouse.connection.client.list_jobs(max_results=5000)
    return [job for job in listed if job.job_type == "query" and prefix in (job.query or "")]


@pytest.fixture(scope="module")
def embedded(live: Live) -> DuckDBWarehouse:
    """The same days on the embedded engine."""
    warehouse = DuckDBWarehouse(live.settings.home / "compared.duckdb")
    live.compute(warehouse, [FIRST, SECOND], "embedded")
    return warehouse


def complete(copied: Iterable[Copied]) -> None:
    assert all(c.complete for c in copied)


def verdicts(warehouse: Warehouse) -> dict:
    """State, rows and content hash of every table and day."""
    entries = warehouse.ledger(None, FIRST, SECOND).to_pylist()
    return {
        (e["table_id"], e["day"], e["state"]): (e["rows"], e["expected"], e["content_hash"])
        for e in entries
        if e["table_id"] in CATALOG
    }


def test_two_days_of_every_table_equal_those_of_the_embedded_engine(live: Live, embedded: DuckDBWarehouse) -> None:
    live.reported(
        f"{len(CATALOG)} tables, 2 days, computed in the run",
        lambda: live.compute(live.warehouse, [FIRST, SECOND], "pulled"),
    )
    assert verdicts(live.warehouse) == verdicts(embedded)
    assert staging_tables(live.warehouse.connection) == []


def test_push_down_gives_the_same(live: Live, embedded: DuckDBWarehouse) -> None:
    pushed = BigQueryWarehouse(live.warehouse.connection, frozenset({"all"}))
    live.reported("the same, pushed down", lambda: live.compute(pushed, [FIRST, SECOND], "pushed"))
    assert verdicts(live.warehouse) == verdicts(embedded)


def test_a_copy_there_and_back_is_the_original(live: Live, embedded: DuckDBWarehouse, tmp_path: Path) -> None:
    there = BigQueryWarehouse(Connection(located(f"{live.warehouse.connection.location.prefix}copy_")))
    back = DuckDBWarehouse(tmp_path / "back.duckdb")
    tables = [t.table for t in CATALOG.values()]
    try:
        live.reported("copy to BigQuery", lambda: complete(copy_tables(tables, embedded, there, FIRST, SECOND)))
        live.reported("and back", lambda: complete(copy_tables(tables, there, back, FIRST, SECOND)))
        assert verdicts(back) == verdicts(there) == verdicts(embedded)
    finally:
        for name in DATASETS:
            at = there.connection.location.dataset(name)
            there.connection.client.delete_dataset(at, delete_contents=True, not_found_ok=True)


def test_a_replace_changes_these_days_alone_and_is_seen_by_sensors_at_once(live: Live) -> None:
    watched = WatchedWarehouse(live.warehouse)
    write(live.warehouse, days(0, 1, 2))
    assert {0, 1, 2} <= set(recorded(watched)) | set(state(watched))
    live.reported("replacing two days", lambda: write(live.warehouse, days(1, 3), version=2, per_day=3))
    assert state(live.warehouse) == {0: (2, 1), 1: (3, 2), 2: (2, 1), 3: (3, 2)}
    if not ENDPOINT:  # an emulator's time of a table's last change does not follow DML
        assert state(watched) == {0: (2, 1), 1: (3, 2), 2: (2, 1), 3: (3, 2)}
    assert staging_tables(live.warehouse.connection) == []


@pytest.mark.parametrize("chosen", [days(0, 1), days(0, 2)], ids=["range", "scattered"])
def test_deleting_whole_days_bills_nothing(live: Live, chosen: list) -> None:
    at = live.warehouse.connection.location.table(RESULTS.id)
    script = sql.publish(RESULTS, at, chosen, None, None, ("", ""), "dry")
    (delete,) = [s for s in script.split(";\n") if s.startswith("DELETE")]
    config = QueryJobConfig(dry_run=True, use_query_cache=False)
    job = live.warehouse.connection.client.query(delete, job_config=config)
    live.lines.append(f"dry run of a delete: {job.total_bytes_processed} bytes")
    assert not job.total_bytes_processed


def test_a_change_of_type_is_refused_with_the_statement_that_mends_it(live: Live) -> None:
    other = declared(OtherType)
    nothing = other.arrow_schema.empty_table()
    with pytest.raises(WarehouseError, match="ALTER TABLE"):
        live.warehouse.replace(other, days(5), nothing, [entry(days(5)[0])], NO_REJECTS)


def test_two_runs_at_once_leave_whole_days_of_one_of_them(live: Live) -> None:
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(write, live.warehouse, days(7, 8), version) for version in (5, 6)]:
            done.result()
    found = state(live.warehouse)
    assert found[7] == found[8]
    assert found[7] in {(2, 5), (2, 6)}


def test_a_query_of_all_days_by_oversight_is_refused(live: Live) -> None:
    with pytest.raises(Exception, match="partition"):
        live.warehouse.connection.client.query(
            f"SELECT * FROM `{live.warehouse.connection.location.table(RESULTS.id)}`"
        ).result()
