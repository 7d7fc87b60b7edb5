"""Push-down: what is made of stored tables alone is computed within BigQuery, with the same rows, hashes and verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import ibis
import pytest
from google.cloud.bigquery import Table as StoredTable

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.ibis_relations import medians, relation
from nba_pipeline.contracts import rules as contract_rules
from nba_pipeline.contracts.hashing import hash_expression
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.audit import SLATE, audit
from nba_pipeline.engine.bigquery_executor import BigQueryExecutor, can_be_pushed, is_pushed
from nba_pipeline.engine.bigquery_render import rendered
from nba_pipeline.engine.publish import Publication, publish
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import RESULT
from nba_pipeline.sources.protocol import Source
from nba_pipeline.sources.simulated import SimulatorSource
from nba_pipeline.tables.catalog import CATALOG, schedule_read
from nba_pipeline.warehouse import Days, Warehouse
from nba_pipeline.warehouse.bigquery.client import Connection, JobLabels
from nba_pipeline.warehouse.bigquery.location import BigQueryLocation
from nba_pipeline.warehouse.bigquery.schema import definition, fields
from nba_pipeline.warehouse.bigquery.sql import content_hashes
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline_tests.support.googlesql import GoogleSQL

FIRST, LAST = date(2021, 10, 19), date(2021, 10, 22)
RUN = RunContext("run1", datetime(2021, 11, 1, tzinfo=UTC))
PUSHED = sorted(t for t, transform in CATALOG.items() if can_be_pushed(transform))
RAW = ("schedule", "player_boxscores", "team_boxscores", "shots", "player_prop_lines", "game_lines")
COMPUTED = ("player_game_summary", "team_offense_game_summary", "team_defense_game_summary")


# --- statements -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OnPaper(Connection):
    """Sends nothing, answers nothing, and remembers what it was asked."""

    statements: list[str] = field(default_factory=list)
    created: list[StoredTable] = field(default_factory=list)

    @cached_property
    def client(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self

    def __getattr__(self, name: str) -> Any:
        return name

    def call(self, what: str, function: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ARG002
        if function == "create_table":
            self.created.append(arguments[0])

    def query(self, what: str, statement: Any, labels: JobLabels, parameters: Sequence = ()) -> Any:  # noqa: ARG002
        self.statements.append(statement if isinstance(statement, str) else statement())
        return []


@dataclass(frozen=True)
class PaperWarehouse(BigQueryWarehouse):
    """All tables exist as their contracts say."""

    def stored(self, table_id: str) -> StoredTable | None:
        transform = CATALOG.get(table_id)
        return definition(self.connection.location, transform.table) if transform else None

    def moment(self) -> datetime:
        return RUN.at


def test_the_tables_that_are_made_of_tables_can_be_pushed() -> None:
    assert len(PUSHED) >= 10
    assert not {t for t in PUSHED if t.startswith("nba_raw.")}
    assert "nba_predictions.ml_feature_store_v2" in PUSHED


def test_only_what_is_asked_for_is_pushed() -> None:
    for asked, wanted in {
        "none": [],
        "all": PUSHED,
        "shots,player_daily_cache": ["nba_precompute.player_daily_cache"],
    }.items():
        warehouse = BigQueryWarehouse(Connection(BigQueryLocation("test-project")), frozenset(asked.split(",")))
        assert [t for t in sorted(CATALOG) if is_pushed(CATALOG[t], warehouse, RUN.plans)] == wanted


@pytest.mark.parametrize("name", PUSHED)
def test_every_statement_of_a_pushed_table_passes_googles_analyser(name: str, googlesql: GoogleSQL) -> None:
    transform, paper = CATALOG[name], OnPaper(BigQueryLocation("test-project"))
    warehouse, schedule = PaperWarehouse(paper), schedule_read(transform)
    days = [FIRST, LAST]
    assert schedule is not None
    wanted = {n: (r.table, Days(FIRST, LAST)) for n, r in (dict(transform.reads) | {SLATE: schedule}).items()}
    executor = BigQueryExecutor(warehouse, transform, wanted, RUN)
    executor.compute(transform, days, RUN)
    audit(transform, RUN.plans.of(transform, "bigquery"), executor, schedule)
    rules = contract_rules.row_rules(transform.table, transform.unbound[RESULT], "bigquery")
    executor.keep(contract_rules.flagged(rules, dialect="bigquery"), transform.table)
    paper.statements.append(
        content_hashes(transform.table, paper.location.table(name), list(transform.table.columns), FIRST, LAST)
    )
    for table in {t.id: t for t, _ in wanted.values()}.values():
        googlesql.know(paper.location.table(table.id), fields(table))
    googlesql.know(paper.location.table(name), fields(transform.table))
    for staged in paper.created:
        googlesql.know(str(staged.reference), staged.schema)
    wrong = [e for s in paper.statements for e in googlesql.errors(s)]
    assert wrong == []
    assert googlesql.errors(paper.statements[0].replace("`game_date`", "`no_such_day`")), (
        "it must find a planted mistake"
    )
    assert len(paper.statements) > 8


# --- the same answer --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return SimulatorSource(tmp_path_factory.mktemp("simulated"), 7)


def published(warehouse: Warehouse, source: Source, names: Sequence[str]) -> dict[str, Publication]:
    """Publish these tables for the days; the verdicts by table."""
    tables = {t.split(".")[1]: t for t in CATALOG}
    found = {}
    for name in names:
        transform = CATALOG[tables[name]]
        found[name] = publish(transform, days_between(FIRST, LAST), warehouse, source, schedule_read(transform), RUN)
    return found


@pytest.fixture
def both(bigquery_warehouse: BigQueryWarehouse, tmp_path: Path, source: Source) -> tuple[Warehouse, Warehouse]:
    """Both warehouses with the same raw tables; BigQuery is asked to compute what it can."""
    pushing = BigQueryWarehouse(bigquery_warehouse.connection, frozenset({"all"}))
    embedded = DuckDBWarehouse(tmp_path / "nba.duckdb")
    for warehouse in (embedded, pushing):
        published(warehouse, source, RAW)
    return embedded, pushing


def entries(warehouse: Warehouse) -> list[Mapping[str, Any]]:
    return warehouse.ledger().to_pylist()


def test_both_engines_publish_the_same_rows_with_the_same_hashes_and_the_same_verdicts(
    both: tuple[Warehouse, Warehouse], source: Source
) -> None:
    embedded, pushing = both
    for warehouse in both:
        published(warehouse, source, COMPUTED)
    assert entries(embedded) == entries(pushing)
    tables = [t.table for t in CATALOG.values() if t.table.name in COMPUTED]
    held = [w.contents(tables, FIRST, LAST, hashes=True).to_pylist() for w in both]
    assert held[0] == held[1]
    assert len(held[0]) == len(COMPUTED) * 4


def test_a_day_that_breaks_a_rule_is_refused_in_both_with_the_same_reasons_and_rows(
    both: tuple[Warehouse, Warehouse], source: Source
) -> None:
    for warehouse in both:
        spoil(warehouse)
        done = published(warehouse, source, COMPUTED[:1])["player_game_summary"]
        assert [v.day for v in done.refused] == [LAST]
    embedded, pushing = (w.ledger(["nba_analytics.player_game_summary"]).to_pylist() for w in both)
    assert embedded == pushing
    rejected = [w.quarantine("nba_analytics.player_game_summary").to_pylist() for w in both]
    assert [(r["day"], r["reason"]) for r in rejected[0]] == [(r["day"], r["reason"]) for r in rejected[1]]
    assert rejected[0]


def spoil(warehouse: Warehouse) -> None:
    """A player of the last day makes more shots than he took."""
    change = "UPDATE {0} SET fg_makes = fg_attempts + 1 WHERE game_date = DATE '2021-10-22'"
    if isinstance(warehouse, DuckDBWarehouse):
        with duck.connect(warehouse.path) as db:
            db.execute(change.format("nba_raw.player_boxscores"))
    elif isinstance(warehouse, BigQueryWarehouse):
        at = warehouse.connection.location.table("nba_raw.player_boxscores")
        warehouse.connection.client.query(change.format(f"`{at}`")).result()


def test_nothing_is_left_in_staging_and_no_table_is_pulled_to_the_client(
    bigquery_warehouse: BigQueryWarehouse, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nba_pipeline.warehouse.bigquery.staging import staging_tables

    pushing = BigQueryWarehouse(bigquery_warehouse.connection, frozenset({"all"}))
    published(pushing, source, RAW)

    def refuse(*_: object) -> None:
        pytest.fail("a table was read")

    monkeypatch.setattr(BigQueryWarehouse, "read", refuse)
    published(pushing, source, COMPUTED[1:2])
    assert staging_tables(pushing.connection) == []


# --- one meaning in both engines --------------------------------------------------------------------------------------

UNKNOWNS = relation({"team": "string", "a": "float64", "b": "float64"}, name="numbers")
ROWS = [("x", 1.0, None), ("x", None, 5.0), ("x", 3.0, 4.0), ("y", None, None), ("y", 2.0, 9.0)]


@pytest.mark.parametrize(
    "expression",
    [
        medians(UNKNOWNS, ["a", "b"], by=["team"]),
        UNKNOWNS.mutate(n=ibis.row_number().over(group_by="team", order_by=[ibis.asc("a"), ibis.asc("b")])),
        UNKNOWNS.mutate(low=ibis.least(UNKNOWNS.a, UNKNOWNS.b, 3.5), high=ibis.greatest(UNKNOWNS.a, UNKNOWNS.b)),
    ],
    ids=["medians", "order", "least and greatest"],
)
def test_unknown_values_mean_the_same_in_both_engines(
    bigquery_warehouse: BigQueryWarehouse, googlesql: GoogleSQL, expression: Any
) -> None:
    with duck.connect() as db:
        db.execute("CREATE TABLE numbers (team VARCHAR, a DOUBLE, b DOUBLE)")
        db.executemany("INSERT INTO numbers VALUES (?, ?, ?)", ROWS)
        embedded = db.execute(str(ibis.to_sql(expression, dialect="duckdb"))).fetchall()
    cells = ", ".join(
        f"STRUCT('{t}' AS team, {a or 'CAST(NULL AS FLOAT64)'} AS a, {b or 'CAST(NULL AS FLOAT64)'} AS b)"
        for t, a, b in ROWS
    )
    statement = f"WITH numbers AS (SELECT * FROM UNNEST([{cells}]))"
    text = rendered(expression)
    whole = f"{statement}, {text.removeprefix('WITH ')}" if text.startswith("WITH ") else f"{statement} {text}"
    found = bigquery_warehouse.connection.query("asking", whole, JobLabels("numbers"))
    assert sorted(map(str, (tuple(r.values()) for r in found))) == sorted(map(str, embedded))
    assert googlesql.errors(whole) == []


def test_the_hash_that_is_checked_is_the_hash_of_the_engine() -> None:
    table = CATALOG["nba_raw.shots"].table
    assert hash_expression(table, "bigquery") in contract_rules.wrong_hashes(table, "bigquery")
    assert hash_expression(table) in contract_rules.wrong_hashes(table)
