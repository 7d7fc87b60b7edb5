"""What is rendered for BigQuery means there, as sqlglot reads it, what the expression means in the embedded engine."""

from typing import Any

import ibis
import pytest
import sqlglot

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline.engine.bigquery_render import rendered

NUMBERS = relation({"a": "float64", "b": "float64", "c": "int64"}, name="numbers")
ROWS = [(a, b, c) for a in (1.0, 3.0, None) for b in (2.0, 5.0, None) for c in (-4, 4, None)]


@pytest.mark.parametrize(
    "chosen",
    [
        ibis.least(NUMBERS.a, NUMBERS.b),
        ibis.greatest(NUMBERS.a, NUMBERS.b, NUMBERS.c),
        ibis.least(NUMBERS.a, -2.0),
        ibis.greatest(0, NUMBERS.c, NUMBERS.a),
        ibis.least(ibis.greatest(NUMBERS.a, -2.0), ibis.greatest(NUMBERS.b, NUMBERS.c)),
    ],
    ids=["two", "three", "a literal", "a literal first", "one within the other"],
)
def test_the_least_and_the_greatest_leave_unknown_values_out(chosen: Any) -> None:
    expression = NUMBERS.mutate(chosen=chosen.cast("float64"))
    text = rendered(expression)
    assert "UNNEST" not in text
    with duck.connect() as db:
        db.execute("CREATE TABLE numbers (a DOUBLE, b DOUBLE, c BIGINT)")
        db.executemany("INSERT INTO numbers VALUES (?, ?, ?)", ROWS)
        embedded = db.execute(str(ibis.to_sql(expression, dialect="duckdb"))).fetchall()
        (read,) = sqlglot.transpile(text, read="bigquery", write="duckdb")
        assert db.execute(read).fetchall() == embedded
