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
        # Inner ones first: an outer one repeats what stands in it.
        for chosen in reversed(list(tree.find_all(exp.Least, exp.Greatest))):
            _leave_out_nulls(chosen)
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


def _leave_out_nulls(chosen: exp.Least | exp.Greatest) -> None:
    """Choose among those values that are known: an unknown one is replaced by another, a literal where there is one.

    There is no subquery over a list of the values: sqlglot, with which an emulator reads a statement, takes the list for a column
    of a table that it does not know, and a temporary table of the script is one.
    """
    values = (chosen.this, *chosen.expressions)
    literal = next((v for v in values if _is_literal(v)), None)
    filled = []
    for i, value in enumerate(values):
        others = [literal] if literal is not None else [*values[i + 1 :], *values[:i]]
        known = exp.Coalesce(this=value.copy(), expressions=[o.copy() for o in others])
        filled.append(value if _is_literal(value) else known)
    chosen.set("this", filled[0])
    chosen.set("expressions", filled[1:])


# `exp.Expr` is read by type checkers alone: the lowest version of sqlglot that is allowed has another name for it.
def _is_literal(value: "exp.Expr") -> bool:
    return isinstance(value.this if isinstance(value, exp.Neg) else value, exp.Literal)
