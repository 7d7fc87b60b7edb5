"""No statement of any table is longer or nested deeper than a planner takes without complaint."""

from datetime import date

import pytest
import sqlglot
from sqlglot import exp

from nba_pipeline.contracts.dialects import Dialect
from nba_pipeline.engine.bigquery_executor import can_be_pushed
from nba_pipeline.engine.plan import CompiledPlans, compile_plan
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline_tests.support.bigquery_paper import written
from nba_pipeline_tests.support.bigquery_service import MAX_STATEMENT_BYTES, split

MAX_BYTES, MAX_DEPTH = 64 * 1024, 25


def nested_selects(statement: str, dialect: Dialect = "duckdb") -> int:
    """How many SELECTs stand in one another, those of common table expressions counted where they are read."""
    tree = sqlglot.parse_one(statement, read=dialect)
    bodies: dict[str, list[exp.Expr]] = {}
    for named in tree.find_all(exp.CTE):
        bodies.setdefault(named.alias, []).append(named.this)
    known: dict[str, int] = {}

    def behind(name: str) -> int:
        if name not in known:
            known[name] = 0
            known[name] = max((depth(b) for b in bodies.get(name, ())), default=0)
        return known[name]

    def depth(root: exp.Expr) -> int:
        deepest, waiting = 0, [(root, 0)]
        while waiting:
            node, above = waiting.pop()
            here = above + isinstance(node, exp.Select)
            read = behind(node.name) if isinstance(node, exp.Table) and not node.db else 0
            deepest = max(deepest, here + read)
            waiting += [(n, here) for n in node.iter_expressions() if not isinstance(n, exp.With)]
        return deepest

    return depth(tree)


def test_the_depth_counts_what_is_read_through_names() -> None:
    assert nested_selects("WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT x FROM (SELECT x FROM b)") == 4


@pytest.mark.parametrize("table", sorted(CATALOG))
def test_statements_of_the_embedded_engine_are_short_and_shallow(table: str) -> None:
    plan = compile_plan(CATALOG[table], "duckdb")
    expected = [plan.expected.statement] if plan.expected else []
    one_day = CompiledPlans().rows_of_one_day(CATALOG[table])
    steps = [*plan.rows.steps, *one_day.steps]
    statements = [s for _, s in steps] + [plan.rows.statement, one_day.statement, *expected, *plan.side_inputs.values()]
    for statement in (*statements, *plan.violations.values(), *plan.disagreements.values()):
        assert len(statement.encode()) <= MAX_BYTES
        assert nested_selects(statement) <= MAX_DEPTH


@pytest.mark.parametrize("table", sorted(t for t, transform in CATALOG.items() if can_be_pushed(transform)))
def test_statements_that_bigquery_computes_a_table_with_are_short_and_shallow(table: str) -> None:
    for script in written(CATALOG[table], [date(2021, 10, 19), date(2021, 10, 22)]).scripts:
        assert len(script.encode()) <= MAX_STATEMENT_BYTES
        for statement in split(script):
            assert len(statement.encode()) <= MAX_BYTES
            assert nested_selects(statement, "bigquery") <= MAX_DEPTH
