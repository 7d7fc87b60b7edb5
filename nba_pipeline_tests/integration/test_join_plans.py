"""Plans of DuckDB: no statement of a table compares every row of one input with every row of another.

DuckDB has no hash table for a join condition that is not a comparison of one side with the other: it tries every pair. Four
seasons of forecasts then take minutes instead of a second.
"""

import re
from collections.abc import Iterator, Mapping

import pytest

from nba_pipeline.asof import for_one_day
from nba_pipeline.common import duckdb as duck
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline.common.ibis_sql import to_sql
from nba_pipeline.contracts.sql_types import duckdb_type
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.catalog import TRANSFORMS

EVERY_PAIR = re.compile("BLOCKWISE_NL_JOIN")


def joins_of_every_pair(expression: ir.Table, inputs: Mapping[str, ir.Table]) -> int:
    """Count the joins of the plan that try every pair of rows."""
    with duck.connect() as db:
        for name, rows in inputs.items():
            columns = [f'"{c}" {"JSON" if t.is_json() else duckdb_type(t)}' for c, t in rows.schema().items()]
            db.execute(f'CREATE TABLE "{name}" ({", ".join(columns)})')
            db.execute(f'INSERT INTO "{name}" ("{rows.columns[0]}") SELECT NULL FROM range(3)')
        (plan,) = db.execute(f"EXPLAIN {to_sql(expression, 'duckdb')}").fetchall()
    return len(EVERY_PAIR.findall(plan[1]))


def expressions(transform: Transform) -> Iterator[ir.Table]:
    yield transform.expression
    with for_one_day():
        yield transform.build(**transform.inputs_of(transform.build))
    if transform.expected_expression is not None:
        yield transform.expected_expression
    yield from transform.side_input_expressions.values()
    yield from transform.cross_expressions.values()
    yield from transform.witness_expressions.values()


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: t.table.id)
def test_no_join_of_a_table_tries_every_pair(transform: Transform) -> None:
    assert sum(joins_of_every_pair(e, transform.unbound) for e in expressions(transform)) == 0


def test_a_condition_on_one_side_of_a_left_join_is_seen() -> None:
    inputs = {name: relation({"id": "int64", "void": "string"}, name=name) for name in ("made", "games")}
    made, games = inputs["made"], inputs["games"]
    assert joins_of_every_pair(made.left_join(games, [made.id == games.id]), inputs) == 0
    assert joins_of_every_pair(made.left_join(games, [made.id == games.id, made.void.isnull()]), inputs) == 1
