"""The script with which BigQuery computes a table has the rows of the embedded engine.

The statements that are sent run one after the other in DuckDB, as sqlglot reads and writes them: a reader of BigQuery's dialect
that knows nothing of the expression they were rendered from. BigQuery's own functions and plans are not shown by it.
"""

import re
from collections.abc import Sequence
from datetime import date

import pytest
import sqlglot

from nba_pipeline.common import duckdb as duck
from nba_pipeline.contracts.hashing import content_hash_expression, hash_expression
from nba_pipeline.contracts.table import HASH_COLUMN
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.bigquery_executor import BigQueryExecutor, can_be_pushed
from nba_pipeline.engine.publish import publish
from nba_pipeline.engine.transform import SLATE, Transform
from nba_pipeline.sources.simulated import SimulatorSource
from nba_pipeline.tables.catalog import CATALOG, graph_order, schedule_read
from nba_pipeline.warehouse import Days
from nba_pipeline.warehouse.bigquery.location import BigQueryLocation
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline_tests.support.bigquery_paper import RUN, OnPaper, PaperWarehouse
from nba_pipeline_tests.support.bigquery_service import split

FIRST, DAYS = date(2021, 10, 19), days_between(date(2021, 10, 24), date(2021, 10, 25))
FEATURES = "nba_predictions.ml_feature_store_v2"
AS_OF = re.compile(r" FOR SYSTEM_TIME AS OF TIMESTAMP '[^']+'")
INSERTED, STORED = re.compile(r"INSERT INTO `([^`]+)`"), re.compile(r"`test-project\.(\w+)\.(\w+)`")
DIVISION = "CREATE MACRO ieee_divide(a, b) AS CAST(a AS DOUBLE) / CAST(b AS DOUBLE)"


def made_of(table: str) -> list[str]:
    """The tables that a table is made of, directly or not, and itself, in graph order."""
    found, waiting = {table}, [table]
    while waiting:
        new = {r.table.id for r in CATALOG[waiting.pop()].reads.values()} - found
        found |= new
        waiting += new
    return [t for t in graph_order() if t in found]


TABLES = made_of(FEATURES)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DuckDBWarehouse:
    """The feature store and all that it is made of, of the first days of a simulated season."""
    warehouse = DuckDBWarehouse(tmp_path_factory.mktemp("embedded") / "nba.duckdb")
    source = SimulatorSource(tmp_path_factory.mktemp("simulated"), 7)
    for table in TABLES:
        done = publish(
            CATALOG[table], days_between(FIRST, DAYS[-1]), warehouse, source, schedule_read(CATALOG[table]), RUN
        )
        assert not done.refused
    return warehouse


def script_of(transform: Transform, days: Sequence[date]) -> str:
    """The script that computes the rows of these days, over the days and tables that it needs."""
    paper, schedule = OnPaper(BigQueryLocation("test-project")), schedule_read(transform)
    assert schedule is not None
    reads = dict(transform.reads) | {SLATE: schedule}
    wanted = {name: (read.table, Days(*read.needed(list(days)))) for name, read in reads.items()}
    BigQueryExecutor(PaperWarehouse(paper), transform, wanted, RUN).compute(transform, list(days), RUN)
    return paper.statements[0]


def contents(transform: Transform, script: str, home: DuckDBWarehouse) -> list[tuple[date, int, str]]:
    """The days that a script computes from the tables of a home: rows and content hash, the hashes of rows computed again."""
    table = transform.table
    with duck.connect() as db:
        db.execute(f"SET TimeZone = 'UTC'; ATTACH '{home.path}' AS stored (READ_ONLY); {DIVISION}")
        db.execute(f"CREATE TABLE filled AS SELECT * FROM stored.{table.id} LIMIT 0")
        (filled,) = INSERTED.findall(script)
        for statement in split(script):
            local = STORED.sub(r"stored.\1.\2", AS_OF.sub("", statement).replace(f"`{filled}`", "filled"))
            for translated in sqlglot.transpile(local, read="bigquery", write="duckdb"):
                db.execute(translated)
        day = table.partition
        hashed = f"SELECT {day}, {hash_expression(table)} AS {HASH_COLUMN} FROM filled"
        return db.execute(
            f"SELECT {day}, COUNT(*), {content_hash_expression()} FROM ({hashed}) GROUP BY 1 ORDER BY 1"
        ).fetchall()


@pytest.mark.parametrize("name", [t for t in TABLES if can_be_pushed(CATALOG[t])])
def test_the_script_of_a_pushed_table_has_the_rows_of_the_embedded_engine(name: str, home: DuckDBWarehouse) -> None:
    transform = CATALOG[name]
    held = home.contents([transform.table], DAYS[0], DAYS[-1], hashes=True).to_pylist()
    found = contents(transform, script_of(transform, DAYS), home)
    assert found == [(e["day"], e["rows"], e["content_hash"]) for e in held]
    assert [day for day, _, _ in found] == DAYS
