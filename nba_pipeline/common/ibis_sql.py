"""Compile ibis expressions to SQL, each once in a process."""

from functools import lru_cache

import ibis
import ibis.expr.operations as ops

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.recursion import deep_calls

# More than all expressions of all tables: what a long-lived process runs again is not compiled again.
KEPT = 1024


def to_sql(expression: ir.Table, dialect: str) -> str:
    """Return the expression as a statement of the dialect."""
    return _compiled(expression.op(), dialect)


@lru_cache(maxsize=KEPT)
def _compiled(operation: ops.Node, dialect: str) -> str:
    with deep_calls():
        return str(ibis.to_sql(operation.to_expr(), dialect=dialect))
