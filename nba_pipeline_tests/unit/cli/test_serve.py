"""`query` answers with a result or names the fault; the API knows what is published without reading it again and again."""

from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from nba_pipeline.cli.serve import LEDGER_SECONDS, api_of, content_version, result_of
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.config.settings import Settings
from nba_pipeline.warehouse import Warehouse


def result(sql: str) -> pa.Table:
    with duckdb.connect() as db:
        return result_of(db, sql)


@pytest.mark.parametrize(
    "sql", ["", "  ", "-- nothing", "set threads = 1", "create table t (a int)", "attach ':memory:' as m"]
)
def test_a_statement_without_a_result_is_wrong_usage(sql: str) -> None:
    with pytest.raises(ConfigurationError, match=r"no result|is empty"):
        result(sql)


@pytest.mark.parametrize("sql", ["selec 1", "select * from nowhere", "select 1/0; select * from nowhere"])
def test_a_wrong_statement_is_wrong_usage(sql: str) -> None:
    with pytest.raises(ConfigurationError, match="Error"):
        result(sql)


def test_a_correct_statement_that_memory_is_too_small_for_is_no_wrong_usage() -> None:
    with duckdb.connect() as db:
        db.execute("SET memory_limit = '20MB'; SET max_temp_directory_size = '0MB'")
        with pytest.raises(duckdb.OutOfMemoryException):
            result_of(db, "select array_agg(range::varchar) from range(2000000)")


@pytest.mark.parametrize(
    "sql", ["select 1 as a", "from range(1)", "with x as (select 1) select * from x", "values (1)", "show tables"]
)
def test_what_has_a_result_is_answered(sql: str) -> None:
    assert result(sql).num_columns == 1


def test_columns_of_one_name_are_all_there() -> None:
    rows = result("select 1 as a, 2 as a, 3 as a_2, 4 as a")
    assert rows.to_pylist() == [{"a": 1, "a_3": 2, "a_2": 3, "a_4": 4}]


def test_the_version_of_a_file_changes_with_it(tmp_path: Path) -> None:
    version = content_version(tmp_path / "nba.duckdb")
    assert version() == ""
    (tmp_path / "nba.duckdb").write_text("a")
    first = version()
    assert first == version() != ""
    (tmp_path / "nba.duckdb").write_text("ab")
    second = version()
    assert second != first
    (tmp_path / "nba.duckdb.wal").write_text("a")  # where a run that keeps the file open publishes
    third = version()
    assert third not in (first, second)
    (tmp_path / "nba.duckdb.wal").write_text("ab")
    assert version() not in (first, second, third)


class Ledger:
    """A warehouse without a file, which counts how often its ledger is read."""

    def __init__(self) -> None:
        self.reads = 0

    def ledger(self) -> dict[str, Any]:
        self.reads += 1
        return {"recorded_at": pa.chunked_array([[self.reads]])}


def test_a_ledger_is_read_again_only_after_some_seconds() -> None:
    ledger, now = Ledger(), [0.0]
    version = content_version(cast(Warehouse, ledger), lambda: now[0])
    assert [version(), version()] == ["1", "1"]
    now[0] += LEDGER_SECONDS
    assert [version(), version()] == ["2", "2"]


@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("127.0.0.1:3002", {}, 200),
        ("api.example.org", {}, 200),
        ("evil.example.org", {}, 403),
        ("127.0.0.1:3002", {"Origin": "http://evil.example.org"}, 403),
    ],
)
def test_the_api_answers_by_its_own_names_only(host: str, headers: dict[str, str], status: int, tmp_path: Path) -> None:
    settings = Settings.from_environment({"NBA_PIPELINE_HOME": str(tmp_path)})
    client = TestClient(api_of(settings, ["API.example.org"]), base_url=f"http://{host}")
    assert client.get("/", headers=headers).status_code == status
