"""Computes and audits a table within BigQuery: its inputs never leave it, and its rows only move from staging to the table.

The expression that runs in the embedded engine runs here too, rendered for BigQuery. Inputs stand before every statement
as common table expressions under their own names, each with its constant filter on the day, all as of one moment. The
steps of a plan are temporary tables of the script that computes the rows: one job, which leaves all of its rows or none.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, datetime

import pyarrow as pa
from google.cloud.bigquery import Table as StoredTable

from nba_pipeline.common.errors import WarehouseError
from nba_pipeline.contracts.dialects import Dialect
from nba_pipeline.contracts.hashing import content_hash_expression, hash_expression
from nba_pipeline.contracts.sql_types import predicate
from nba_pipeline.contracts.table import COMPUTED_AT, HASH_COLUMN, Column, Table
from nba_pipeline.engine.plan import Plan, Plans, Query
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import CLOCK, REJECT_REASON, RESULT, Transform
from nba_pipeline.warehouse import Days, LedgerEntry, Warehouse
from nba_pipeline.warehouse.bigquery import schema, sql
from nba_pipeline.warehouse.bigquery.client import JobLabels
from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse, column_names
from nba_pipeline.warehouse.protocol import REJECT_SCHEMA

EXPECTED = "expected"
READ = re.compile(r"\b(?:FROM|JOIN)\s+`?(\w+)", re.IGNORECASE)
# Where in a script an error happened, as the service says it after the error: line and column.
PLACE = re.compile(r"\[(\d+):\d+\]$")


def can_be_pushed(transform: Transform) -> bool:
    """Whether BigQuery can compute the table: from tables alone, by an expression, with bad rows refusing their day."""
    made_of_tables = bool(transform.reads) and not transform.feeds and transform.apply is None
    return made_of_tables and transform.table.on_bad_row == "refuse"


def is_pushed(transform: Transform, warehouse: BigQueryWarehouse, plans: Plans) -> bool:
    """Whether the settings ask BigQuery to compute the table and its transform allows it."""
    requested = {"all", transform.table.id, transform.table.name} & warehouse.pushdown
    if not requested or not can_be_pushed(transform):
        return False
    return REJECT_REASON not in plans.of(transform, BigQueryExecutor.dialect).rows.columns


class BigQueryExecutor:
    """An executor within the warehouse. `result` is a staging table, dropped when the executor is closed."""

    dialect: Dialect = "bigquery"

    def __init__(
        self,
        warehouse: BigQueryWarehouse,
        transform: Transform,
        wanted: Mapping[str, tuple[Table, Days]],
        run: RunContext,
    ) -> None:
        self._warehouse, self._table = warehouse, transform.table
        self._labels = JobLabels(transform.table.id, run.id)
        self._inputs = _inputs(warehouse, wanted) if wanted else {}
        self._inputs[CLOCK] = f"SELECT TIMESTAMP '{run.at.isoformat()}' AS `now`"
        self._result_at: str | None = None
        self._kept: list[dict] = []
        self._open = ExitStack()

    def close(self) -> None:
        self._open.close()

    def compute(self, transform: Transform, days: list[date], run: RunContext) -> None:
        self._warehouse.prepare(self._table)
        columns = schema.fields(self._table, required=False)
        new = self._open.enter_context(
            self._warehouse.staging_table(f"{self._table.name}_result", columns, self._labels)
        )
        plan = run.plans.of(transform, self.dialect)
        steps = [sql.temporary(name, self._with_inputs(statement)) for name, statement in plan.rows.steps]
        rows = self._with_inputs(computation(transform.table, plan, days, run.at))

        def script(address: str) -> str:
            return sql.script([*steps, f"INSERT INTO `{address}` ({sql.names(self._table.columns)})\n{rows}"])

        self._result_at = self._filled(f"computing {self._table.id}", new, script)
        wanted = predicate(f"`{self._table.partition}`", days)
        self._inputs[RESULT] = f"SELECT * FROM `{self._result_at}` WHERE {wanted}"
        lost = f"SELECT * FROM `{self._result_at}` WHERE `{self._table.partition}` IS NULL"
        self._keep(lost, f"'its {self._table.partition} is missing, or no day of a game'", "CAST(NULL AS DATE)")

    def _filled(self, what: str, new: Callable[[], StoredTable], script: Callable[[str], str]) -> str:
        """Run a script that fills a staging table, a new and empty one for every job: no two jobs fill the same one.

        Args:
            what: What is done, for errors.
            new: Makes an empty staging table.
            script: The script that fills the table at an address.

        Returns:
            The address of the table that was filled.
        """
        jobs: list[tuple[str, str]] = []

        def next_script() -> str:
            address = str(new().reference)
            jobs.append((address, script(address)))
            return jobs[-1][1]

        def work() -> None:
            try:
                self._warehouse.connection.query(what, next_script, self._labels)
            except WarehouseError as e:
                message = named_step(what, e.what, jobs[-1][1]) if jobs else e.what
                raise WarehouseError(message, e.remedy, transient=e.transient) from e.__cause__

        self._warehouse.connection.persist(what, work)
        return jobs[-1][0]

    def is_as_hashed(self) -> bool:
        return False  # what a staging table held before is not known

    def expect(self, wanted: Query) -> None:
        self._inputs[EXPECTED] = wanted.statement

    def sql(self, statement: str) -> list[dict]:
        rows = self._warehouse.connection.query(
            f"auditing {self._table.id}", self._with_inputs(statement), self._labels
        )
        return [dict(row.items()) for row in rows]

    def keep(self, flagged: str, table: Table) -> None:
        self._keep(flagged, "broken_rules", table.partition)

    def _keep(self, rows: str, reason: str, day: str) -> None:
        rejected = f"SELECT {day} AS day, {reason} AS reason, TO_JSON_STRING(k) AS `row` FROM ({rows}) AS k"
        self._kept += self.sql(rejected)

    def rejected_by_day(self) -> dict[date, int]:
        days = [r["day"] for r in self._kept if r["day"] is not None]
        return {d: days.count(d) for d in set(days)}

    def rejects(self, table: Table, run_id: str, at: datetime) -> pa.Table:
        common = {"table_id": table.id, "run_id": run_id, "recorded_at": at}
        ordered = sorted(self._kept, key=lambda r: (str(r["day"]), r["reason"], r["row"]))
        return pa.Table.from_pylist([r | common for r in ordered], REJECT_SCHEMA)

    def content_hashes(self, table: Table) -> dict[date, str]:
        day = table.partition
        statement = f"SELECT {day} AS day, {content_hash_expression('bigquery')} AS content FROM result GROUP BY {day}"
        return {r["day"]: r["content"] for r in self.sql(statement)}

    def store(
        self, warehouse: Warehouse, table: Table, days: list[date], entries: Sequence[LedgerEntry], rejects: pa.Table
    ) -> None:
        if warehouse is not self._warehouse:
            raise WarehouseError(f"{table.id} was computed in another warehouse", "publish it where it was computed")
        if self._result_at is None:
            self._warehouse.prepare(table)
        rows_at = self._result_at if days else None
        self._warehouse.publish_staged(table, days, rows_at, entries, rejects, self._labels)

    def _with_inputs(self, statement: str) -> str:
        """The statement with those inputs before it that it, or one of them, reads."""
        required: list[str] = []
        waiting = [statement]
        while waiting:
            text = waiting.pop()
            read = set(READ.findall(text))
            new = [n for n in self._inputs if n not in required and n in read]
            required += new
            waiting += [self._inputs[n] for n in new if n == EXPECTED]
        order = [n for n in self._inputs if n in required]
        before = ",\n".join(f"`{n}` AS ({self._inputs[n]})" for n in order)
        if not before:
            return statement
        return f"WITH {before}{',' + statement.removeprefix('WITH') if statement.startswith('WITH ') else chr(10) + statement}"


def named_step(what: str, message: str, script: str) -> str:
    """Return the message of a failed script with the name of the step in which it failed, if it says where.

    Args:
        what: What was done: the message begins with it.
        message: The message, which ends with the line and column of the failure if the service stated them.
        script: The text of the script.
    """
    place = PLACE.search(message)
    step = sql.temporary_table_at(script, int(place[1])) if place else None
    return message if step is None else f"{what}, {step}{message.removeprefix(what)}"


def _inputs(warehouse: BigQueryWarehouse, inputs: Mapping[str, tuple[Table, Days]]) -> dict[str, str]:
    """A SELECT per input: the columns and days that are needed, as of one moment of the service's clock."""
    stored = {t.id: warehouse.stored(t.id) for t, _ in inputs.values()}
    as_of = warehouse.moment()
    statements = {}
    for name, (table, days) in inputs.items():
        columns = stored[table.id]
        statements[name] = (
            sql.select(table, str(columns.reference), column_names(columns), days, as_of)
            if columns is not None
            else f"SELECT {sql.columns(table, (), days.columns or ())} FROM UNNEST(CAST([] AS ARRAY<INT64>))"
        )
    return statements


def computation(table: Table, plan: Plan, days: Sequence[date], at: datetime) -> str:
    """The rows of these days, typed, rounded and hashed, and rows without a day, which must not be lost."""
    typed = ", ".join(_typed(table.columns[c]) for c in table.computed_columns)
    day = f"`{table.partition}`"
    rows = f"SELECT {typed} FROM (\n{plan.rows.statement}\n) AS built"
    return (
        f"SELECT {sql.names(table.computed_columns)}, {hash_expression(table, 'bigquery')} AS {HASH_COLUMN}, "
        f"TIMESTAMP '{at.isoformat()}' AS {COMPUTED_AT}\nFROM ({rows}) AS typed\n"
        f"WHERE {predicate(day, list(days))} OR {day} IS NULL"
    )


def _typed(c: Column) -> str:
    """A column cast to its contract type; floats are rounded as the embedded engine rounds: scaled, rounded, scaled back."""
    cast = f"CAST(`{c.name}` AS {schema.sql_type(c.type)})"
    if c.is_float:
        return f"{_rounded(cast, c.precision)} AS `{c.name}`"
    if c.type.is_array():
        each = f"SELECT {_rounded('e', c.precision)} FROM UNNEST({cast}) AS e WITH OFFSET AS i ORDER BY i"
        return f"ARRAY({each}) AS `{c.name}`"
    return f"{cast} AS `{c.name}`"


def _rounded(value: str, precision: int) -> str:
    return f"ROUND({value} * 1e{precision}) / 1e{precision} + 0.0"
