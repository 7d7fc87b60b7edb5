"""What only the real service can show. Runs with application default credentials and a project to pay; else it is skipped.

NBA_PIPELINE_LIVE_PROJECT=my-project pytest -m live
"""

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
from google.cloud.bigquery import QueryJobConfig

from nba_pipeline.warehouse.bigquery.client import Connection
from nba_pipeline.warehouse.bigquery.location import BigQueryLocation
from nba_pipeline.warehouse.bigquery.sql import publish
from nba_pipeline.warehouse.bigquery.staging import staging_tables
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse
from nba_pipeline_tests.support.results import RESULTS, days, recorded, state, write

PROJECT = os.environ.get("NBA_PIPELINE_LIVE_PROJECT", "")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not PROJECT, reason="NBA_PIPELINE_LIVE_PROJECT names no project of BigQuery"),
]


@pytest.fixture(scope="module")
def live() -> Iterator[BigQueryWarehouse]:
    """A warehouse in datasets of its own, which are dropped in the end."""
    location = BigQueryLocation(PROJECT, prefix=f"scratch_{uuid4().hex[:8]}_")
    warehouse = BigQueryWarehouse(Connection(location))
    try:
        write(warehouse, days(0, 1, 2))
        yield warehouse
    finally:
        for name in ("nba_raw", "nba_ops", "nba_staging"):
            warehouse.connection.client.delete_dataset(location.dataset(name), delete_contents=True, not_found_ok=True)


@pytest.mark.parametrize("chosen", [days(0, 1), days(0, 2)], ids=["range", "scattered"])
def test_deleting_whole_days_bills_nothing(live: BigQueryWarehouse, chosen: list) -> None:
    at = live.connection.location.table(RESULTS.id)
    script = publish(RESULTS, at, chosen, None, None, ("", ""), "dry")
    (delete,) = [s for s in script.split(";\n") if s.startswith("DELETE")]
    job = live.connection.client.query(delete, job_config=QueryJobConfig(dry_run=True, use_query_cache=False))
    assert job.total_bytes_processed == 0


def test_a_replace_changes_these_days_alone_and_leaves_nothing_in_staging(live: BigQueryWarehouse) -> None:
    write(live, days(1, 3), version=2, per_day=3)
    assert state(live) == recorded(live) == {0: (2, 1), 1: (3, 2), 2: (2, 1), 3: (3, 2)}
    assert staging_tables(live.connection) == []


def test_a_query_of_all_days_by_oversight_is_refused(live: BigQueryWarehouse) -> None:
    with pytest.raises(Exception, match="partition"):
        live.connection.client.query(f"SELECT * FROM `{live.connection.location.table(RESULTS.id)}`").result()
