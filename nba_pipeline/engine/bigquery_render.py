"""An ibis expression as BigQuery's SQL that means there what it means in the embedded engine.

ibis and sqlglot translate words; two words mean something else in BigQuery without saying so. Unknown values come first in
its ascending order (DuckDB: last), and its LEAST and GREATEST are unknown as soon as one value is (DuckDB: they leave
unknown values out).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import ibis
import sqlglot
from sqlglot import exp

from nba_pipeline.common import ibis_types as ir


def rendered(expression: ir.Table) -> str:
    """The statement, of one meaning in both engines."""
    with _warned():
        statement = str(ibis.to_sql(expression, dialect="bigquery", pretty=False))
        tree = sqlglot.parse_one(statement, read="bigquery")
        for window in tree.find_all(exp.Window):
            _order_nulls_last(window)
        # Inner ones first: an outer one is written anew with what stands in it.
        for chosen in reversed(list(tree.find_all(exp.Least, exp.Greatest))):
            chosen.replace(_without_nulls(chosen))
        return tree.sql(dialect="bigquery")


@contextmanager
def _warned() -> Iterator[None]:
    """Silence sqlglot's warnings that it omits the order of NULLs, which is corrected here."""
    logger = logging.getLogger("sqlglot")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _order_nulls_last(window: exp.Window) -> None:
    """Order by whether a value is unknown before the value. A range of values has one key, which is never unknown."""
    order, frame = window.args.get("order"), window.args.get("spec")
    if order is None or (frame is not None and frame.args.get("kind") == "RANGE"):
        return
    keys = []
    for key in order.expressions:
        if not key.args.get("desc"):
            keys.append(exp.Ordered(this=exp.Is(this=key.this.copy(), expression=exp.Null()), nulls_first=True))
        keys.append(key)
    order.set("expressions", keys)


# `exp.Expr` is read by type checkers alone: the lowest version of sqlglot that is allowed has another name for it.
def _without_nulls(chosen: exp.Least | exp.Greatest) -> "exp.Expr":
    """The least or greatest of those values that are known.

    sqlglot, with which an emulator of the service may read a statement, takes a list that begins with a subquery for the array of
    its rows and drops the other values: a value with a subquery stands last.
    """
    values = sorted((chosen.this, *chosen.expressions), key=_has_subquery)
    if _has_subquery(values[0]):
        values = [exp.Null(), *values]
    best = "MIN" if isinstance(chosen, exp.Least) else "MAX"
    listed = ", ".join(v.sql(dialect="bigquery") for v in values)
    return sqlglot.parse_one(f"(SELECT {best}(v) FROM UNNEST([{listed}]) AS v)", read="bigquery")


def _has_subquery(value: "exp.Expr") -> bool:
    return value.find(exp.Select) is not None
