"""No statement of any table is longer or nested deeper than a planner takes without complaint."""

import pytest
import sqlglot
from sqlglot import exp

from nba_pipeline.engine.plan import compile_plan
from nba_pipeline.tables.catalog import CATALOG

MAX_BYTES, MAX_DEPTH = 64 * 1024, 25


def nested_selects(statement: str) -> int:
    """How many SELECTs stand in one another, those of common table expressions counted where they are read."""
    tree = sqlglot.parse_one(statement, read="duckdb")
    named: dict[str, int] = {}

    def depth(node: exp.Expr) -> int:
        below = max((depth(n) for n in node.iter_expressions() if not isinstance(n, exp.With)), default=0)
        if isinstance(node, exp.Table):
            below = max(below, named.get(node.name, 0))
        return below + isinstance(node, exp.Select)

    for before in tree.find_all(exp.With):
        for cte in before.expressions:
            named[cte.alias] = depth(cte.this)
    return depth(tree)


def test_the_depth_counts_what_is_read_through_names() -> None:
    assert nested_selects("WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT x FROM (SELECT x FROM b)") == 4


@pytest.mark.parametrize("table", sorted(CATALOG))
def test_statements_of_the_embedded_engine_are_short_and_shallow(table: str) -> None:
    plan = compile_plan(CATALOG[table], "duckdb")
    expected = [plan.expected.statement] if plan.expected else []
    statements = [s for _, s in plan.rows.steps] + [plan.rows.statement, *expected, *plan.side_inputs.values()]
    for statement in (*statements, *plan.violations.values(), *plan.disagreements.values()):
        assert len(statement.encode()) <= MAX_BYTES
        assert nested_selects(statement) <= MAX_DEPTH
