"""Compile ibis expressions to SQL, each once in a process."""

from functools import lru_cache

import ibis

from nba_pipeline.common import ibis_types as ir

# More than all expressions of all tables: what a long-lived process runs again is not compiled again.
KEPT = 1024


@lru_cache(maxsize=KEPT)
def to_sql(expression: ir.Table, dialect: str) -> str:
    """Return the expression as a statement of the dialect."""
    return str(ibis.to_sql(expression, dialect=dialect, pretty=False))
