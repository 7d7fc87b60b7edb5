"""The DuckDB in which one table is computed."""

import pyarrow as pa

from nba_pipeline.engine.duckdb_executor import DuckDBExecutor, last_reads, unread_after
from nba_pipeline.engine.plan import Plan, Query
from nba_pipeline.engine.transform import SLATE


def test_one_thread_computes_a_table() -> None:
    executor = DuckDBExecutor({"slate": pa.table({"game_id": ["1"]})})
    try:
        (threads,) = executor.sql("SELECT current_setting('threads') AS threads")
    finally:
        executor.close()
    assert threads["threads"] == 1


def test_a_step_is_no_longer_kept_than_it_is_read() -> None:
    steps = (("step_1", 'SELECT * FROM "games"'), ("step_2", 'SELECT * FROM "step_1"'), ("step_10", "SELECT 1"))
    read = last_reads(Query('SELECT * FROM "step_2", "step_10"', ("game_id",), steps))
    assert read == [(), ("step_1",), (), ("step_2", "step_10")]


def test_a_step_that_nothing_reads_is_dropped_with_the_last() -> None:
    assert last_reads(Query("SELECT 1", ("game_id",), (("step_1", "SELECT 2"),))) == [(), ("step_1",)]


def test_python_computes_without_the_inputs_that_no_check_reads() -> None:
    plan = Plan(
        dialect="duckdb",
        rows=Query('SELECT * FROM "features"', ("game_id",)),
        expected=Query('SELECT * FROM "context"', ("game_id",)),
        side_inputs={"models": 'SELECT * FROM "models"'},
        violations={"a total differs": 'SELECT * FROM "facts"'},
        disagreements={"a game is lost": 'SELECT * FROM "boxes"'},
        rules=(),
        used_columns={},
        origins={},
    )
    assert unread_after(plan, ["features", "context", "models", "facts", "boxes", SLATE]) == {"features", "models"}
