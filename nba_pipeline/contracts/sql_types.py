"""DDL derived from the contracts."""

import ibis.expr.datatypes as dt

from nba_pipeline.contracts.dialects import SYNTAX
from nba_pipeline.contracts.table import Table

OPERATIONS_SCHEMA = "nba_ops"
LEDGER = f"{OPERATIONS_SCHEMA}.ledger"
QUARANTINE = f"{OPERATIONS_SCHEMA}.quarantine"

OPERATIONS_DDL = (
    f"CREATE SCHEMA IF NOT EXISTS {OPERATIONS_SCHEMA}",
    f"""CREATE TABLE IF NOT EXISTS {LEDGER} (
        table_id VARCHAR NOT NULL, day DATE NOT NULL, state VARCHAR NOT NULL, "rows" BIGINT NOT NULL, expected BIGINT NOT NULL,
        absent VARCHAR NOT NULL, unexplained BIGINT NOT NULL, games BIGINT NOT NULL, rejected BIGINT NOT NULL,
        content_hash VARCHAR NOT NULL, reasons VARCHAR NOT NULL, run_id VARCHAR NOT NULL, recorded_at TIMESTAMPTZ NOT NULL)""",
    f"""CREATE TABLE IF NOT EXISTS {QUARANTINE} (
        table_id VARCHAR NOT NULL, day DATE, reason VARCHAR NOT NULL, "row" VARCHAR NOT NULL,
        run_id VARCHAR NOT NULL, recorded_at TIMESTAMPTZ NOT NULL)""",
)


def duckdb_type(t: dt.DataType) -> str:
    """Name DuckDB's type of a column."""
    return SYNTAX["duckdb"].type_of(t)


def duckdb_columns(table: Table) -> dict[str, str]:
    """Column name -> DuckDB type, in contract order."""
    return {name: duckdb_type(c.type) for name, c in table.columns.items()}


def duckdb_create(table: Table) -> tuple[str, ...]:
    """The statements that create the table where it does not exist."""
    columns = ", ".join(
        f'"{name}" {duckdb_type(c.type)}{"" if c.nullable else " NOT NULL"}' for name, c in table.columns.items()
    )
    return f"CREATE SCHEMA IF NOT EXISTS {table.dataset}", f"CREATE TABLE IF NOT EXISTS {table.id} ({columns})"


def predicate(column: str, days: list) -> str:
    """A constant filter on the partition column alone."""
    ordered = sorted(set(days))
    if (ordered[-1] - ordered[0]).days + 1 == len(ordered):
        return f"{column} BETWEEN DATE '{ordered[0]}' AND DATE '{ordered[-1]}'"
    return f"{column} IN ({', '.join(f'DATE {str(d)!r}' for d in ordered)})"
