"""Connections to DuckDB for what is temporary."""

import os
import threading
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba_pipeline.common import duckdb as duck


def test_a_scratch_connection_sees_nothing_of_another_one() -> None:
    with duck.scratch() as one, duck.scratch() as other:
        one.register("landed", pa.table({"day": [1, 2]}))
        one.execute("CREATE TEMP TABLE result AS SELECT * FROM landed")

        assert one.execute("SELECT sum(day) FROM result").fetchall() == [(3,)]
        for name in ("landed", "result"):
            with pytest.raises(duckdb.CatalogException):
                other.execute(f"SELECT * FROM {name}")


def test_what_a_closed_scratch_connection_held_is_gone() -> None:
    with duck.scratch() as db:
        db.execute("CREATE TEMP TABLE result AS SELECT 1 AS day")
    with duck.scratch() as db:
        db.execute("CREATE TEMP TABLE result AS SELECT 2 AS day")

        assert db.execute("SELECT day FROM result").fetchall() == [(2,)]


def test_scratch_connections_use_as_many_threads_as_they_are_told() -> None:
    with duck.scratch(threads=1) as one, duck.scratch(threads=3) as three:
        threads = [db.execute("SELECT current_setting('threads')").fetchall() for db in (one, three)]

    assert threads == [[(1,)], [(3,)]]


@pytest.mark.parametrize("name", [None, "nba.duckdb"])
def test_connections_use_as_many_threads_as_they_are_told(name: str | None, tmp_path: Path) -> None:
    with duck.connect(tmp_path / name if name else None, threads=3) as db:
        assert db.execute("SELECT current_setting('threads')").fetchall() == [(3,)]


def test_a_scratch_connection_has_the_settings_of_every_other() -> None:
    with duck.scratch() as db:
        assert db.execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]


def test_a_statement_of_a_scratch_connection_is_interrupted_from_another_thread() -> None:
    with duck.scratch() as db:
        ended = threading.Event()

        def interrupt() -> None:
            while not ended.wait(0.01):
                duck.interrupt_statements()

        other = threading.Thread(target=interrupt)
        other.start()
        try:
            with pytest.raises(duckdb.InterruptException):
                db.execute("SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b")
        finally:
            ended.set()
            other.join()  # or it would interrupt a statement of the next test


def test_a_file_that_was_written_again_in_the_same_second_is_read_again(tmp_path: Path) -> None:
    path, an_hour_ago = tmp_path / "shots.parquet", time.time() - 3600
    found = []
    for made in (1, 2):
        pq.write_table(pa.table({"made": [made] * 10}), path)
        os.utime(path, (an_hour_ago, an_hour_ago))
        with duck.scratch() as db:
            found += db.execute(f"SELECT max(made) FROM '{path}'").fetchall()

    assert found == [(1,), (2,)]


def test_an_internal_error_of_duckdb_is_no_error_of_what_is_computed_later() -> None:
    no_text = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe"))
    with duck.scratch() as db:
        db.register("landed", pa.table({"player": no_text}))
        with pytest.raises(duckdb.InternalException):
            db.execute("SELECT upper(player) FROM landed").fetchall()

    with duck.scratch() as db:
        assert db.execute("SELECT 1").fetchall() == [(1,)]


def test_a_process_that_was_forked_has_a_database_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with duck.scratch():
        before = dict(duck._shared)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with duck.scratch():
        assert duck._shared[-1, None] is not before[next(k for k in before if k[1] is None)]


def test_row_groups_of_what_is_written_have_our_size(tmp_path: Path) -> None:
    with duck.connect(tmp_path / "nba.duckdb") as db:
        db.execute("CREATE TABLE rows AS SELECT range AS n FROM range(70000)")

    assert _row_groups(tmp_path / "nba.duckdb") == [duck.ROW_GROUP, duck.ROW_GROUP, 70_000 - 2 * duck.ROW_GROUP]


def test_further_connections_write_row_groups_of_our_size_into_the_same_file(tmp_path: Path) -> None:
    with duck.connect(tmp_path / "nba.duckdb") as db, duck.cursor(db) as further:
        further.execute("CREATE TABLE rows AS SELECT range AS n FROM range(40000)")

        assert db.execute("SELECT count(*) FROM rows").fetchall() == [(40_000,)]
    assert _row_groups(tmp_path / "nba.duckdb") == [duck.ROW_GROUP, 40_000 - duck.ROW_GROUP]


def test_row_groups_of_earlier_files_stay_as_they_are_when_rows_are_added(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "nba.duckdb")) as db:
        db.execute("CREATE TABLE rows AS SELECT range AS n FROM range(100000)")
    for added in (300, 200):
        with duck.connect(tmp_path / "nba.duckdb") as db:
            db.execute(f"INSERT INTO rows SELECT range FROM range({added})")

    assert _row_groups(tmp_path / "nba.duckdb") == [100_000, 500]


def test_what_does_not_fit_into_memory_is_kept_beside_the_file_that_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a file's name.duckdb"
    with duck.connect(path) as db:
        found = db.execute("SELECT current_setting('temp_directory')").fetchall()

    assert found == [(f"{path}.tmp",)]


def _row_groups(path: Path) -> list[int]:
    """The number of rows of each row group of the table `rows`."""
    with duckdb.connect(str(path), read_only=True) as db:
        segments = "FROM pragma_storage_info('rows') WHERE segment_type <> 'VALIDITY'"
        return [
            n for (n,) in db.execute(f"SELECT sum(count) {segments} GROUP BY row_group_id ORDER BY 1 DESC").fetchall()
        ]
