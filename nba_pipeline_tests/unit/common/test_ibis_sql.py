"""Expressions are compiled to the statements that ibis gives, without a copy of the tree."""

from typing import Any

import ibis
import pytest

from nba_pipeline.common.ibis_relations import medians, relation, union
from nba_pipeline.common.ibis_sql import to_sql

ROWS = relation({"team": "string", "points": "int64"}, "rows")
EXPRESSIONS = {
    "filter": ROWS.filter(ROWS.points > 20).mutate(twice=ROWS.points * 2).distinct(),
    "windows": medians(ROWS, ["points"], by=["team"]),
    "union": union(ROWS, ROWS.filter(ROWS.team == "BOS")),
    "join": ROWS.inner_join(ROWS.group_by("team").agg(most=ROWS.points.max()), "team"),
}


@pytest.mark.parametrize("dialect", ["duckdb", "bigquery"])
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_the_statement_is_that_of_ibis_also_when_it_is_compiled_twice(name: str, dialect: str) -> None:
    expression: Any = EXPRESSIONS[name]
    expected = str(ibis.to_sql(expression, dialect=dialect, pretty=False))
    to_sql.cache_clear()
    assert to_sql(expression, dialect) == expected
    to_sql.cache_clear()
    assert to_sql(expression, dialect) == expected
