"""Compile ibis expressions to SQL, each once in a process."""

from functools import lru_cache

from ibis.backends.sql import compilers

from nba_pipeline.common import ibis_types as ir

# More than all expressions of all tables: what a long-lived process runs again is not compiled again.
KEPT = 1024


@lru_cache(maxsize=KEPT)
def to_sql(expression: ir.Table, dialect: str) -> str:
    """Return the expression as a statement of the dialect, as `ibis.to_sql` does, which copies the whole tree before."""
    compiler = getattr(compilers, dialect).compiler
    return str(compiler.to_sqlglot(expression.unbind()).sql(dialect=compiler.dialect, copy=False))
