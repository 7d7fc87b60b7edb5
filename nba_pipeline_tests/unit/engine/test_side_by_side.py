"""Steps of a plan that two threads compute: the rows are those of one thread, and nothing is left behind."""

import threading
from collections.abc import Iterator
from typing import cast

import duckdb
import pyarrow as pa
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.engine.plan import Query
from nba_pipeline.engine.side_by_side import Work, by_what_waits, compute_steps, readers_of, schema_of_its_own

WAIT_SECONDS = 20
INPUTS = {"games": pa.table({"points": list(range(5000))})}
# Two branches of ten steps, and one that reads both.
STEPS = (
    ("left_0", "SELECT points FROM games"),
    ("right_0", "SELECT points FROM games"),
    *((f"left_{i}", f'SELECT points + 1 AS points FROM "left_{i - 1}"') for i in range(1, 10)),
    *((f"right_{i}", f'SELECT points * 2 AS points FROM "right_{i - 1}"') for i in range(1, 10)),
    ("both", 'SELECT l.points + r.points AS points FROM "left_9" AS l POSITIONAL JOIN "right_9" AS r'),
)
ROWS = Query('SELECT * FROM "both"', ("points",), STEPS)


@pytest.fixture
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duck.scratch(threads=duck.THREADS) as connection:
        for name, rows in INPUTS.items():
            connection.register(name, rows)
        yield connection


def schemas(db: duckdb.DuckDBPyConnection) -> set[str]:
    found = db.execute("SELECT schema_name FROM duckdb_schemas() WHERE schema_name LIKE 'steps%'").fetchall()
    return {name for (name,) in found}


def test_the_rows_are_those_of_one_thread_and_steps_that_only_steps_read_are_dropped(
    db: duckdb.DuckDBPyConnection,
) -> None:
    with schema_of_its_own(db) as schema:
        compute_steps(db, schema, INPUTS, ROWS)
        found = [points for (points,) in db.execute(ROWS.statement).fetchall()]
        tables = db.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = ?", [schema]).fetchall()
    assert found == [n + 9 + n * 2**9 for n in range(5000)]
    assert tables == [("both",)]
    assert schema not in schemas(db)
    assert db.execute("SELECT current_schema()").fetchone() == ("main",)


def test_a_step_that_fails_ends_the_other_thread_and_leaves_no_table(db: duckdb.DuckDBPyConnection) -> None:
    slow = "SELECT sum(a.range * b.range) AS points FROM range(10_000) AS a, range(10_000) AS b"
    wrong = f"SELECT error('no such game') AS points FROM games{' ' * len(slow)}"
    rows = Query('SELECT * FROM "late"', ("points",), (("slow", slow), ("wrong", wrong), ("late", "SELECT 1")))
    with pytest.raises(duckdb.Error, match="no such game"), schema_of_its_own(db) as schema:
        compute_steps(db, schema, INPUTS, rows)
    assert not [t for t in threading.enumerate() if t.name.startswith("steps")]
    assert schemas(db) == set()


def test_after_a_step_that_fails_the_connection_has_the_tables_that_it_had_before(
    db: duckdb.DuckDBPyConnection,
) -> None:
    rows = Query('SELECT * FROM "wrong"', ("points",), (("wrong", "SELECT error('no such game') AS points"),))
    with pytest.raises(duckdb.Error, match="no such game"), schema_of_its_own(db) as schema:
        compute_steps(db, schema, INPUTS, rows)
    assert db.execute("SELECT current_schema()").fetchone() == ("main",)


SLOW = "SELECT sum(a.range * b.range) AS points FROM range(200_000) AS a, range(200_000) AS b"


@pytest.mark.parametrize("beside", [SLOW, 'SELECT * FROM "slow"'])
def test_who_interrupts_the_connections_of_the_calling_thread_ends_both_halves(beside: str) -> None:
    failed: list[Exception] = []

    def compute() -> None:
        try:
            with duck.scratch(threads=duck.THREADS) as db, schema_of_its_own(db) as schema:
                steps = (("slow", SLOW), ("beside", beside))
                compute_steps(db, schema, {}, Query("SELECT 1", ("points",), steps))
        except duckdb.Error as error:
            failed.append(error)

    calling = threading.Thread(target=compute)
    calling.start()
    calling.join(0.3)
    for _ in range(20):
        duck.interrupt_statements([calling.ident or 0])
        calling.join(0.1)
    assert not calling.is_alive()
    assert [type(error) for error in failed] == [duckdb.InterruptException]


def test_a_step_that_is_named_as_an_input_is_refused(db: duckdb.DuckDBPyConnection) -> None:
    rows = Query('SELECT * FROM "games"', ("points",), (("games", "SELECT 1 AS points"),))
    with pytest.raises(ValueError, match="named as an input: games"), schema_of_its_own(db) as schema:
        compute_steps(db, schema, INPUTS, rows)


def test_steps_that_do_not_read_each_other_are_computed_at_the_same_time() -> None:
    together = threading.Barrier(2)

    class Waiting:
        def execute(self, statement: str) -> None:
            if statement.startswith("CREATE"):
                together.wait(WAIT_SECONDS)

    work, waiting = (
        Work(Query("SELECT 1", ("points",), (("one", "SELECT 1"), ("other", "SELECT 2")))),
        cast("duckdb.DuckDBPyConnection", Waiting()),
    )
    other = threading.Thread(target=work.do, args=(waiting,))
    other.start()
    work.do(waiting)
    other.join()
    assert not together.broken


def test_the_longest_chain_of_statements_is_begun_first() -> None:
    steps = (("short", "SELECT 1"), ("long", "SELECT 1 + 1"), ("last", 'SELECT * FROM "long", "short"'))
    assert by_what_waits(steps, readers_of(steps)) == ["long", "short", "last"]
