"""An in-process DuckDB in which one table is computed, hashed and audited before anything is published."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

import duckdb
import pyarrow as pa

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.memory import give_back
from nba_pipeline.contracts.dialects import Dialect
from nba_pipeline.contracts.hashing import content_hash_expression, hash_expression
from nba_pipeline.contracts.sql_types import duckdb_type, predicate
from nba_pipeline.contracts.table import COMPUTED_AT, HASH_COLUMN, Column, Table
from nba_pipeline.engine.blocks import SHORT
from nba_pipeline.engine.plan import Plan, Query
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.side_by_side import LEAST_STEPS, compute_steps, schema_of_its_own
from nba_pipeline.engine.transform import REJECT_REASON, SLATE, FinishContext, Transform
from nba_pipeline.warehouse import LedgerEntry, Warehouse
from nba_pipeline.warehouse.protocol import REJECT_SCHEMA


class DuckDBExecutor:
    """Executes a transform in an in-process DuckDB on Arrow inputs; raw tables, read from a source, always run here."""

    dialect: Dialect = "duckdb"

    def __init__(self, inputs: Mapping[str, pa.Table]) -> None:
        self.inputs = inputs
        self.db: duckdb.DuckDBPyConnection = duck.scratch(threads=duck.THREADS)
        self._hashed: int | None = None
        for name, rows in inputs.items():
            self.db.register(name, rows)

    def close(self) -> None:
        self.inputs = {}
        self.db.close()

    def sql(self, statement: str) -> list[dict]:
        return self.db.execute(statement).to_arrow_table().to_pylist()

    def compute(self, transform: Transform, days: list[date], run: RunContext) -> None:
        """Fill `result` with the typed, rounded and hashed rows of these days, and `rejects` with the rest.

        Rows of other days are dropped: builds may compute more than was asked. In raw tables a row beyond the range of the days
        goes to `rejects`, as do everywhere a row without a day and one with a reject reason. Raises ContractError when the
        columns are not the contract's.
        """
        plan = run.plans.of(transform, self.dialect)
        if len(days) == 1:
            plan = replace(plan, rows=run.plans.rows_of_one_day(transform))
        if len(days) <= SHORT and len(plan.rows.steps) >= LEAST_STEPS:
            with schema_of_its_own(self.db) as schema:
                compute_steps(self.db, schema, self.inputs, plan.rows)
                self._make_result(transform, plan, days, run)
        else:
            self._compute_in_turn(plan.rows)
            self._make_result(transform, plan, days, run)
        self._hashed = self._seal()

    def _compute_in_turn(self, rows: Query) -> None:
        """Make the steps of a query temporary tables, and drop each once no step reads it any more."""
        *unread, _ = last_reads(rows)
        for (name, statement), read in zip(rows.steps, unread, strict=True):
            self.db.execute(f'CREATE TEMP TABLE "{name}" AS {statement}')
            self._drop(read)

    def _make_result(self, transform: Transform, plan: Plan, days: list[date], run: RunContext) -> None:
        """Fill `result` and `rejects` from the steps, and drop what is left of these."""
        table = transform.table
        statement, names = plan.rows.statement, plan.rows.columns
        if transform.apply is not None:
            statement, names = "SELECT * FROM finished", self._finish(transform, plan, days, run)
        table.require_columns([n for n in names if n != REJECT_REASON], f"days {days[0]}..{days[-1]}")
        reason = f'"{REJECT_REASON}"' if REJECT_REASON in names else "NULL::VARCHAR"
        typed = ", ".join(typed_column(table.columns[c]) for c in table.computed_columns)
        self.db.execute(
            f"""CREATE TEMP TABLE result AS SELECT *, {hash_expression(table)} AS {HASH_COLUMN},
                TIMESTAMPTZ '{run.at.isoformat()}' AS {COMPUTED_AT}
                FROM (SELECT {typed}, {reason} AS __reason FROM ({statement}))"""
        )
        self._drop(last_reads(plan.rows)[-1])
        self.db.unregister("finished")
        in_days = predicate(table.partition, days)
        outside = f" OR {table.partition} NOT BETWEEN DATE '{days[0]}' AND DATE '{days[-1]}'"
        stray = f"{table.partition} IS NULL" + (outside if table.on_bad_row == "quarantine" else "")
        self.db.execute(
            f"""CREATE TEMP TABLE rejects AS SELECT CASE WHEN {in_days} THEN {table.partition} END AS day,
                coalesce(__reason, 'its {table.partition} is missing, or no day of a game') AS reason,
                to_json(t) AS "row" FROM (SELECT * EXCLUDE ({HASH_COLUMN}, {COMPUTED_AT}) FROM result) AS t
                WHERE __reason IS NOT NULL OR {stray}"""
        )
        self.db.execute(f"DELETE FROM result WHERE __reason IS NOT NULL OR ({in_days}) IS NOT TRUE")
        self.db.execute("ALTER TABLE result DROP COLUMN __reason")

    def _drop(self, names: Iterable[str]) -> None:
        for name in names:
            self.db.execute(f'DROP TABLE "{name}"')

    def _finish(self, transform: Transform, plan: Plan, days: list[date], run: RunContext) -> tuple[str, ...]:
        """Register what `apply` makes of the rows of the build as `finished`, and return its columns."""
        rows, context = self._rows(plan.rows.statement), self._finish_context(plan, days, run)
        self._forget(unread_after(plan, self.inputs))
        if len(days) > SHORT:
            give_back()
        finished = transform.finish(rows, lambda: context)
        self.db.register("finished", finished)
        return tuple(finished.column_names)

    def _forget(self, inputs: Collection[str]) -> None:
        """Let go of inputs: Python needs the memory for what it makes of them."""
        for name in inputs:
            self.db.unregister(name)
        self.inputs = {n: rows for n, rows in self.inputs.items() if n not in inputs}

    def is_as_hashed(self) -> bool:
        return self._seal() == self._hashed

    def _seal(self) -> int | None:
        """Sum the hashes that DuckDB itself gives whole rows, for a twentieth of what SHA-256 over their text costs."""
        return self.db.execute("SELECT sum(hash(result)) FROM result").fetchall()[0][0]

    def _rows(self, statement: str) -> pa.Table:
        return self.db.execute(statement).to_arrow_table()

    def _finish_context(self, plan: Plan, days: list[date], run: RunContext) -> FinishContext:
        side_inputs = {n: self._rows(s) for n, s in plan.side_inputs.items()}
        return FinishContext(tuple(days), run.markets, side_inputs, run.artifacts)

    def set_aside(self, table: Table, bad_rows: str) -> None:
        """Move rows of `result` to `rejects`. `bad_rows` selects them with their `place` (rowid) and `broken_rules`."""
        self.db.execute(f"CREATE TEMP TABLE bad AS {bad_rows}")
        self.db.execute(
            f"""INSERT INTO rejects SELECT {table.partition}, broken_rules, to_json(b)
                FROM (SELECT * EXCLUDE (place) FROM bad) AS b"""
        )
        self.db.execute("DELETE FROM result WHERE rowid IN (SELECT place FROM bad)")
        self.db.execute("DROP TABLE bad")

    def expect(self, wanted: Query) -> None:
        self.db.execute(f"CREATE TEMP TABLE expected AS {wanted.statement}")

    def keep(self, flagged: str, table: Table) -> None:
        self.db.execute(f"INSERT INTO rejects SELECT {table.partition}, broken_rules, to_json(f) FROM ({flagged}) AS f")

    def rejected_by_day(self) -> dict[date, int]:
        rows = self.db.execute("SELECT day, COUNT(*) FROM rejects WHERE day IS NOT NULL GROUP BY 1")
        return dict(rows.fetchall())

    def rejects(self, table: Table, run_id: str, at: datetime) -> pa.Table:
        rows = self.db.execute(
            """SELECT ? AS table_id, day, reason, CAST("row" AS VARCHAR) AS "row", ? AS run_id,
               CAST(? AS TIMESTAMPTZ) AS recorded_at FROM rejects ORDER BY day, reason, "row" """,
            [table.id, run_id, at],
        )
        return rows.to_arrow_table().cast(REJECT_SCHEMA)

    def store(
        self, warehouse: Warehouse, table: Table, days: list[date], entries: Sequence[LedgerEntry], rejects: pa.Table
    ) -> None:
        rows = self.rows(table, days) if days else table.arrow_schema.empty_table()
        self.close()  # while they are stored, the rows are not kept here, too
        if len(days) > SHORT:
            give_back()
        warehouse.replace(table, days, rows.cast(table.arrow_schema), entries, rejects)

    def rows(self, table: Table, days: list[date]) -> pa.Table:
        columns = ", ".join(f'"{c}"' for c in table.columns)
        where = predicate(table.partition, days)
        return self.db.execute(f"SELECT {columns} FROM result WHERE {where}").to_arrow_table()

    def content_hashes(self, table: Table) -> dict[date, str]:
        rows = self.db.execute(f"SELECT {table.partition}, {content_hash_expression()} FROM result GROUP BY 1")
        return dict(rows.fetchall())


def last_reads(rows: Query) -> list[tuple[str, ...]]:
    """For each step, and last for the statement itself, the steps that it reads and nothing after it does."""
    statements = [*(statement for _, statement in rows.steps), rows.statement]
    last = {
        n: max((i for i, s in enumerate(statements) if f'"{n}"' in s), default=len(rows.steps)) for n, _ in rows.steps
    }
    return [tuple(n for n, at in last.items() if at == i) for i in range(len(statements))]


def unread_after(plan: Plan, inputs: Iterable[str]) -> set[str]:
    """The inputs that no statement of the audit reads: what is left to do once the rows are made."""
    expected = [] if plan.expected is None else [plan.expected.statement]
    statements = [*expected, *plan.violations.values(), *plan.disagreements.values()]
    return {n for n in inputs if n != SLATE and not any(f'"{n}"' in s for s in statements)}


def typed_column(c: Column) -> str:
    """Return a column cast to its contract type, floats rounded to their precision: stored and hashed values agree."""
    quoted = f'"{c.name}"'
    cast = f"CAST({quoted} AS {duckdb_type(c.type)})"
    if c.is_float:
        return f"round({cast}, {c.precision}) + 0.0 AS {quoted}"
    if c.type.is_array():
        return f"list_transform({cast}, lambda e: round(e, {c.precision}) + 0.0) AS {quoted}"
    return f"{cast} AS {quoted}"
