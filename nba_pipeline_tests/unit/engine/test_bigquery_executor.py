"""The step of a script that failed on BigQuery is named by the line that the service states at the end of its message."""

import pytest
from google.api_core.exceptions import BadRequest

from nba_pipeline.common.errors import WarehouseError
from nba_pipeline.engine.bigquery_executor import named_step
from nba_pipeline.warehouse.bigquery.client import named_errors
from nba_pipeline.warehouse.bigquery.sql import script, temporary

WHAT = "computing nba_analytics.scores"
SCRIPT = script(
    [temporary("step_1", "SELECT 1\nAS x"), temporary("step_2", "SELECT 1 / 0 AS x"), "INSERT INTO `t`\nSELECT 1"]
)
FOOTER = "\n\nLocation: US\nJob ID: 0c1f"


def failed_job(said: str) -> str:
    """A job that failed, as the client library states it: what is wrong, then all errors with their reasons, then the job."""
    return f"{said}; reason: invalidQuery, location: query, message: {said}{FOOTER}"


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (failed_job("Query error: division by zero: 1 / 0 at [5:1]"), "step_2"),
        (failed_job("Query error: Bad int64 value: x at [1:1]"), "step_1"),
        (failed_job("Query error: division by zero: 1 / 0 at [7:1]"), None),
        (failed_job("Resources exceeded during query execution: the query is too complex"), None),
        (f"POST https://bigquery.googleapis.com/v2/jobs?x=1: Unrecognized name: y at [4:8]{FOOTER}", "step_2"),
        (f"POST https://bigquery.googleapis.com/v2/jobs?x=1: Unrecognized name: y at [40:8]{FOOTER}", None),
    ],
)
def test_the_step_is_named_where_the_message_ends_with_a_place_within_it(message: str, named: str | None) -> None:
    with pytest.raises(WarehouseError) as failed, named_errors(WHAT):
        raise BadRequest(message)
    told = named_step(WHAT, failed.value.what, SCRIPT)
    assert told == (failed.value.what if named is None else failed.value.what.replace(WHAT, f"{WHAT}, {named}", 1))
    assert (f"{WHAT}, {named}: " in told) == (named is not None)
