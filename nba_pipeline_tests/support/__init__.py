"""Runs a table's computation on tables made by hand."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import pandas as pd
import pyarrow as pa

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.errors import SourceError
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline.contracts.rules import flagged, row_rules
from nba_pipeline.contracts.table import Table, arrow_type
from nba_pipeline.engine.transform import REJECT_REASON, REJECTS, RESULT, Transform
from nba_pipeline.sources.landing import Feed

Rows = Sequence[Mapping[str, Any]] | pd.DataFrame


def day(text: str) -> date:
    return date.fromisoformat(text)


def moment(text: str) -> datetime:
    """A moment in UTC: `moment("2024-01-05 23:30")`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def run(transform: Transform, days: Iterable[date | str], /, **inputs: Rows) -> pd.DataFrame:
    """The rows of these days, ordered by key; inputs and columns that are not given are empty and NULL.

    Dates and moments may be given as text. A column that an input does not have is a mistake in the test and raises.
    """
    table = transform.table
    table.require_columns([c for c in transform.expression.columns if c != REJECT_REASON], "test")
    built = _execute(transform, inputs, _statement(transform))
    fields = [table.arrow_schema.field(c).with_nullable(True) for c in table.computed_columns]
    found = built.select(table.computed_columns).cast(pa.schema(fields))
    wanted = {day(d) if isinstance(d, str) else d for d in days}
    of_these_days = pa.array([d in wanted for d in found[table.partition].to_pylist()], pa.bool_())
    found = found.filter(of_these_days).sort_by([(k, "ascending") for k in table.key])
    frame = found.to_pandas(types_mapper=_NULLABLE.get, date_as_object=True)
    return frame.round({n: c.precision for n, c in table.columns.items() if c.is_float})


def expected_rows(transform: Transform, **inputs: Rows) -> list[dict]:
    """What the transform says must exist, given these inputs."""
    assert transform.expected_expression is not None
    return _execute(transform, inputs, ibis.to_sql(transform.expected_expression, dialect="duckdb")).to_pylist()


def broken_rules(table: Table, row: Mapping[str, Any]) -> set[str]:
    """The business rules of the contract that a row breaks."""
    rules = [r for r in row_rules(table, relation(table.ibis_schema, name=RESULT)) if r.text in table.rules]
    with duck.connect() as db:
        db.register(RESULT, _table(table.id, table.ibis_schema, [row]))
        found = db.execute(flagged(rules)).to_arrow_table()["broken_rules"].to_pylist()
    return set(found[0].split("; ")) if found else set()


def rows_of(transform: Transform, expression: ir.Table, **inputs: Rows) -> list[dict]:
    """The rows of an expression over the transform's inputs."""
    return _execute(transform, inputs, _sql(expression)).to_pylist()


@cache
def _sql(expression: ir.Table) -> str:
    return ibis.to_sql(expression, dialect="duckdb")


@cache
def _statement(transform: Transform) -> str:
    return ibis.to_sql(transform.expression, dialect="duckdb")


def _execute(transform: Transform, inputs: Mapping[str, Rows], statement: str) -> pa.Table:
    return _prepared(transform, statement).run(_tables(transform, inputs))


class _Prepared:
    """A statement over tables that are filled anew for each run: planning the long ones costs more than running them."""

    def __init__(self, tables: Mapping[str, pa.Table], statement: str) -> None:
        self._db = duck.connect()
        # A plan must not rest on the statistics of the tables as they are now: empty.
        self._db.execute("SET disabled_optimizers = 'statistics_propagation'")
        for name, rows in tables.items():
            with self._registered(rows):
                self._db.execute(f'CREATE TABLE "{name}" AS FROM rows_of_test')
        self._db.execute(f"PREPARE statement_of_test AS {statement}")

    def run(self, tables: Mapping[str, pa.Table]) -> pa.Table:
        for name, rows in tables.items():
            self._db.execute(f'DELETE FROM "{name}"')
            if rows.num_rows:
                with self._registered(rows):
                    self._db.execute(f'INSERT INTO "{name}" FROM rows_of_test')
        return self._db.execute("EXECUTE statement_of_test").to_arrow_table()

    @contextmanager
    def _registered(self, rows: pa.Table) -> Iterator[None]:
        self._db.register("rows_of_test", rows)
        try:
            yield
        finally:
            self._db.unregister("rows_of_test")


@lru_cache(maxsize=16)
def _prepared(transform: Transform, statement: str) -> _Prepared:
    return _Prepared(_tables(transform, {}), statement)


_NULLABLE: dict[pa.DataType, Any] = {
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(),
}


def _tables(transform: Transform, inputs: Mapping[str, Rows]) -> dict[str, pa.Table]:
    schemas = {n: t.schema() for n, t in transform.unbound.items() if n not in (RESULT, REJECTS)}
    strangers = sorted(set(inputs) - set(schemas))
    assert not strangers, f"{transform.table.id} does not read {', '.join(strangers)}"
    return {n: _table(n, dict(schema.items()), inputs.get(n, [])) for n, schema in schemas.items()}


def _table(name: str, schema: Mapping[str, dt.DataType], rows: Rows) -> pa.Table:
    records = rows.to_dict("records") if isinstance(rows, pd.DataFrame) else list(rows)
    strangers = sorted({str(c) for r in records for c in r} - set(schema))
    assert not strangers, f"{name} has no column {', '.join(strangers)}"
    typed = [{c: _value(r.get(c), t) for c, t in schema.items()} for r in records]
    return pa.Table.from_pylist(typed, pa.schema([(c, arrow_type(t)) for c, t in schema.items()]))


def _value(value: Any, kind: dt.DataType) -> Any:
    if value is None or (not isinstance(value, list) and pd.isna(value)):
        return None
    if isinstance(value, str) and kind.is_date():
        return day(value)
    if isinstance(value, str) and kind.is_timestamp():
        return moment(value)
    return value


class SilentSource:
    """A source that does not answer."""

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        raise SourceError(f"{feed.name}: no answer for {len(days)} days", "wait")

    def describe(self) -> dict[str, str]:
        return {"source": "silent"}


@dataclass(frozen=True)
class HandMadeSource:
    """A source of rows made by hand, by feed name; a row without a readable day is always read, as the protocol says."""

    feeds: Mapping[str, Rows]

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        rows = _table(feed.name, dict(feed.ibis_schema), self.feeds.get(feed.name, []))
        if feed.day is None:
            return rows
        return rows.filter(pa.array([d is None or d in days for d in rows[feed.day].to_pylist()], pa.bool_()))

    def describe(self) -> dict[str, str]:
        return dict.fromkeys(self.feeds, "made by hand")
