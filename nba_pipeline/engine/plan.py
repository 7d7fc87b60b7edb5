"""The plan of a table: every statement that computes and audits it, compiled once from its expressions."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from nba_pipeline.asof import SEEN, for_one_day
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_sql import to_sql
from nba_pipeline.contracts.dialects import Dialect
from nba_pipeline.contracts.rules import RowRule, broken_groups, row_rules
from nba_pipeline.engine.bigquery_render import rendered
from nba_pipeline.engine.lineage import Origin, column_origins, touched_columns
from nba_pipeline.engine.steps import in_steps
from nba_pipeline.engine.transform import RESULT, Transform

# More than all tables in both dialects: what a long-lived process runs again is not compiled again.
KEPT = 256


@dataclass(frozen=True)
class Query:
    """A statement, the columns of its rows, and the named steps before it: statements of relations that it reads."""

    statement: str
    columns: tuple[str, ...]
    steps: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Plan:
    """What an executor needs of a transform besides its contract and its `apply`: text, no expression.

    Attributes:
        dialect: The dialect of all statements.
        rows: The rows of the build.
        expected: The rows that must exist; None where the table demands none.
        side_inputs: Statements of further inputs of `apply`.
        violations: Statements of group rules and cross-checks, whose rows are `day` and `entity`.
        disagreements: Statements of checks against witnesses, likewise.
        rules: The rules that single rows keep.
        used_columns: For every read, the columns that any statement uses.
        origins: For every column, the inputs and columns that its value depends on.
    """

    dialect: Dialect
    rows: Query
    expected: Query | None
    side_inputs: Mapping[str, str]
    violations: Mapping[str, str]
    disagreements: Mapping[str, str]
    rules: tuple[RowRule, ...]
    used_columns: Mapping[str, tuple[str, ...]]
    origins: Mapping[str, tuple[Origin, ...]]


class Plans(Protocol):
    """Where plans come from."""

    def of(self, transform: Transform, dialect: Dialect) -> Plan:
        """Return the plan of a transform.

        Raises:
            ContractError: The build cannot satisfy the contract.
        """
        ...

    def rows_of_one_day(self, transform: Transform) -> Query:
        """Return the statements of the rows that DuckDB computes fastest where they are of one day."""
        ...


class CompiledPlans:
    """Compiles plans, each once in a process."""

    def of(self, transform: Transform, dialect: Dialect) -> Plan:
        return compile_plan(transform, dialect)

    def rows_of_one_day(self, transform: Transform) -> Query:
        rows = self.of(transform, "duckdb").rows
        return compile_rows_of_one_day(transform) if reads_history(rows) else rows


@lru_cache(maxsize=KEPT)
def compile_plan(transform: Transform, dialect: Dialect) -> Plan:
    """Compare the build with the contract, and compile all expressions of a transform.

    Raises:
        ContractError: The build cannot satisfy the contract.
    """
    transform.check()
    table, result = transform.table, transform.unbound[RESULT]
    violations = broken_groups(table, result) | transform.cross_expressions
    expected = transform.expected_expression
    return Plan(
        dialect=dialect,
        rows=_query_in_steps(transform.expression, dialect),
        expected=None if expected is None else Query(_sql(expected, dialect), tuple(expected.columns)),
        side_inputs={n: _sql(e, dialect) for n, e in transform.side_input_expressions.items()},
        violations={n: _sql(e, dialect) for n, e in violations.items()},
        disagreements={n: _sql(e, dialect) for n, e in transform.witness_expressions.items()},
        rules=tuple(row_rules(table, result, dialect)),
        used_columns=_used_columns(transform),
        origins={n: tuple(sorted(o)) for n, o in column_origins(transform.expression).items()},
    )


def reads_history(rows: Query) -> bool:
    """Return whether rows are made by `asof.attach`: the statements of others are the same for one day."""
    return any(f'"{SEEN}"' in statement for statement in (rows.statement, *(s for _, s in rows.steps)))


@lru_cache(maxsize=KEPT)
def compile_rows_of_one_day(transform: Transform) -> Query:
    """Compile for DuckDB the rows of one day, which are the same by the statements of `compile_plan`."""
    with for_one_day():
        expression = transform.build(**transform.inputs_of(transform.build))
    return _query_in_steps(expression, "duckdb")


def _query_in_steps(expression: ir.Table, dialect: Dialect) -> Query:
    steps, rest = in_steps(expression)
    named = tuple((s.name, _sql(s.relation, dialect)) for s in steps)
    return Query(_sql(rest, dialect), tuple(expression.columns), named)


def _sql(expression: ir.Table, dialect: Dialect) -> str:
    return rendered(expression) if dialect == "bigquery" else to_sql(expression, dialect)


def _used_columns(transform: Transform) -> dict[str, tuple[str, ...]]:
    """For every read, the columns that any expression touches."""
    used: dict[str, set[str]] = {n: {r.table.partition} for n, r in transform.reads.items()}
    for expression in transform.expressions:
        for name, column in touched_columns(expression):
            if name in used:
                used[name].add(column)
    return {n: tuple(c for c in transform.reads[n].columns if c in columns) for n, columns in used.items()}
