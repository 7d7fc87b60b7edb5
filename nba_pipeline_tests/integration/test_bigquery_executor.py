"""Push-down: what is made of stored tables alone is computed within BigQuery, with the same rows, hashes and verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import ibis
import pytest
from google.api_core.exceptions import BadRequest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import WarehouseError
from nba_pipeline.common.ibis_relations import medians, relation
from nba_pipeline.contracts import rules as contract_rules
from nba_pipeline.contracts.dialects import Dialect
from nba_pipeline.contracts.hashing import hash_expression
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.bigquery_executor import can_be_pushed, is_pushed
from nba_pipeline.engine.bigquery_render import rendered
from nba_pipeline.engine.plan import CompiledPlans, Plan
from nba_pipeline.engine.publish import Publication, publish
from nba_pipeline.engine.transform import Transform
from nba_pipeline.sources.protocol import Source
from nba_pipeline.sources.simulated import SimulatorSource
from nba_pipeline.tables.catalog import CATALOG, schedule_read
from nba_pipeline.warehouse import Warehouse
from nba_pipeline.warehouse.bigquery import client
from nba_pipeline.warehouse.bigquery.client import Connection, JobLabels
from nba_pipeline.warehouse.bigquery.location import BigQueryLocation
from nba_pipeline.warehouse.bigquery.schema import fields
from nba_pipeline.warehouse.bigquery.staging import staging_tables
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline_tests.support.bigquery_emulator import warehouse_at
from nba_pipeline_tests.support.bigquery_paper import RUN, written
from nba_pipeline_tests.support.bigquery_service import Rules
from nba_pipeline_tests.support.googlesql import GoogleSQL
from nba_pipeline_tests.support.wire import tapped

FIRST, LAST = date(2021, 10, 19), date(2021, 10, 22)
PUSHED = sorted(t for t, transform in CATALOG.items() if can_be_pushed(transform))
RAW = ("schedule", "player_boxscores", "team_boxscores", "shots", "player_prop_lines", "game_lines")
COMPUTED = ("player_game_summary", "team_offense_game_summary", "team_defense_game_summary")
# Seconds that a script may take on a busy machine and still be tried again.
PATIENCE = 240.0
STEPPED, STEP = "nba_analytics.player_game_summary", "CREATE TEMP TABLE `step_1`"


# --- statements -------------------------------------------------------------------------------------------------------


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


def known(name: str, googlesql: GoogleSQL) -> list[str]:
    """The scripts of a table, whose inputs and staging tables the analyser knows afterwards."""
    transform, location = CATALOG[name], BigQueryLocation("test-project")
    sent = written(transform, [FIRST, LAST])
    for table in (*sent.inputs, transform.table):
        googlesql.know(location.table(table.id), fields(table))
    for staged in sent.staged:
        googlesql.know(str(staged.reference), staged.schema)
    return sent.scripts


@pytest.mark.parametrize("name", PUSHED)
def test_every_statement_of_a_pushed_table_passes_googles_analyser(name: str, googlesql: GoogleSQL) -> None:
    scripts = known(name, googlesql)
    assert [e for s in scripts for e in googlesql.errors(s)] == []
    assert len(scripts) > 8


def test_a_column_that_no_table_has_is_found_by_googles_analyser(googlesql: GoogleSQL) -> None:
    script = known(STEPPED, googlesql)[0]
    assert googlesql.errors(script.replace("`game_date`", "`no_such_day`"))


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


@pytest.fixture(scope="module")
def filled(
    bigquery_service: tuple[str, Rules], source: Source, tmp_path_factory: pytest.TempPathFactory
) -> tuple[DuckDBWarehouse, BigQueryWarehouse]:
    """Both warehouses with the same raw tables, which no test changes."""
    embedded = DuckDBWarehouse(tmp_path_factory.mktemp("embedded") / "nba.duckdb")
    filled = embedded, warehouse_at(bigquery_service[0])
    for warehouse in filled:
        published(warehouse, source, RAW)
    return filled


def pushing_to(warehouse: BigQueryWarehouse) -> BigQueryWarehouse:
    """The same BigQuery on a connection of its own, patient, and asked to compute what it can."""
    retry = warehouse.connection.retry.with_timeout(PATIENCE)
    return BigQueryWarehouse(Connection(warehouse.connection.location, retry), frozenset({"all"}))


@pytest.fixture
def both(filled: tuple[DuckDBWarehouse, BigQueryWarehouse]) -> tuple[Warehouse, Warehouse]:
    """The warehouses with raw tables, and with what earlier tests computed from them."""
    return filled[0], pushing_to(filled[1])


@pytest.fixture
def spoiled(bigquery_warehouse: BigQueryWarehouse, tmp_path: Path, source: Source) -> tuple[Warehouse, Warehouse]:
    """Warehouses of this test alone, in which a player of the last day makes more shots than he took."""
    warehouses = DuckDBWarehouse(tmp_path / "nba.duckdb"), pushing_to(bigquery_warehouse)
    for warehouse in warehouses:
        published(warehouse, source, RAW)
        spoil(warehouse)
    return warehouses


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
    spoiled: tuple[Warehouse, Warehouse], source: Source
) -> None:
    for warehouse in spoiled:
        done = published(warehouse, source, COMPUTED[:1])["player_game_summary"]
        assert [v.day for v in done.refused] == [LAST]
    embedded, pushing = (w.ledger(["nba_analytics.player_game_summary"]).to_pylist() for w in spoiled)
    assert embedded == pushing
    rejected = [w.quarantine(["nba_analytics.player_game_summary"]).to_pylist() for w in spoiled]
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
    both: tuple[Warehouse, Warehouse], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, pushing = both
    assert isinstance(pushing, BigQueryWarehouse)

    def refuse(*_: object) -> None:
        pytest.fail("a table was read")

    monkeypatch.setattr(BigQueryWarehouse, "read", refuse)
    for warehouse in both:
        published(warehouse, source, COMPUTED[1:2])
    assert staging_tables(pushing.connection) == []


# --- steps ------------------------------------------------------------------------------------------------------------


class BrokenSteps(CompiledPlans):
    """Plans whose last step fails on its rows."""

    def of(self, transform: Transform, dialect: Dialect) -> Plan:
        plan = super().of(transform, dialect)
        if not plan.rows.steps:
            return plan
        *before, (name, statement) = plan.rows.steps
        broken = f"SELECT *, 1 / (COUNT(*) OVER () * 0) AS planted FROM ({statement}) AS planted_rows"
        return replace(plan, rows=replace(plan.rows, steps=(*before, (name, broken))))


def test_a_step_that_fails_is_named_and_leaves_nothing_behind(
    both: tuple[Warehouse, Warehouse], source: Source
) -> None:
    embedded, pushing = both
    assert isinstance(pushing, BigQueryWarehouse)
    transform, days, before = CATALOG[STEPPED], days_between(FIRST, LAST), entries(pushing)
    broken = replace(RUN, plans=BrokenSteps())
    last = len(broken.plans.of(transform, "bigquery").rows.steps)
    for _ in range(2):
        with pytest.raises(WarehouseError, match=f"^computing {STEPPED}, step_{last}: ") as failed:
            publish(transform, days, pushing, source, schedule_read(transform), broken)
        assert not failed.value.transient
    assert entries(pushing) == before
    assert staging_tables(pushing.connection) == []
    for warehouse in (embedded, pushing):
        published(warehouse, source, COMPUTED[:1])
    assert entries(embedded) == entries(pushing)


@pytest.mark.parametrize("patience", [30.0, 0.0], ids=["the request is repeated", "the statement is tried again"])
def test_a_script_whose_answer_was_lost_runs_once(
    both: tuple[Warehouse, Warehouse],
    source: Source,
    bigquery_rules: Rules,
    monkeypatch: pytest.MonkeyPatch,
    patience: float,
) -> None:
    embedded, pushing = both
    assert isinstance(pushing, BigQueryWarehouse)
    monkeypatch.setattr(client, "REQUEST_RETRY_SECONDS", patience)
    before = len(bigquery_rules.statements)
    bigquery_rules.lost.append(STEP)
    for warehouse in (embedded, pushing):
        published(warehouse, source, COMPUTED[:1])
    assert bigquery_rules.lost == []
    assert sum(STEP in s for s in bigquery_rules.statements[before:]) == 1
    assert entries(embedded) == entries(pushing)


def test_a_script_that_is_said_to_have_failed_after_its_rows_were_there_doubles_none(
    both: tuple[Warehouse, Warehouse], source: Source
) -> None:
    embedded, pushing = both
    assert isinstance(pushing, BigQueryWarehouse)
    wire, failures = tapped(pushing), iter([True])

    def fault(number: int, when: str) -> None:
        if when == "after" and STEP in wire.sent[number - 1].statement and next(failures, False):
            raise BadRequest("told so", errors=[{"reason": "jobBackendError", "message": "told so"}])

    wire.fault = fault
    for warehouse in (embedded, pushing):
        published(warehouse, source, COMPUTED[:1])
    assert len([s for s in wire.statements if STEP in s]) == 2
    assert entries(embedded) == entries(pushing)
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
        UNKNOWNS.mutate(low=ibis.least(ibis.greatest(UNKNOWNS.a, 2.0), 2.5)),
        UNKNOWNS.mutate(low=ibis.least(ibis.greatest(UNKNOWNS.a, 2.0), ibis.greatest(UNKNOWNS.b, 1.0, UNKNOWNS.a))),
    ],
    ids=["medians", "order", "least and greatest", "one within the other", "one of two others"],
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
