"""The DuckDB in which one table is computed."""

import pyarrow as pa
import pytest

from nba_pipeline.engine import duckdb_executor
from nba_pipeline.engine.duckdb_executor import DuckDBExecutor


@pytest.mark.parametrize(("rows", "alone"), [(2, True), (3, False)])
def test_one_thread_computes_what_few_rows_are_read_for(
    rows: int, alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duckdb_executor, "SMALL", 3)
    executor = DuckDBExecutor({"slate": pa.table({"game_id": ["1"]}), "games": pa.table({"game_id": ["1"] * rows})})
    try:
        (threads,) = executor.sql("SELECT current_setting('threads') AS threads")
    finally:
        executor.close()
    assert (threads["threads"] == 1) is alone
