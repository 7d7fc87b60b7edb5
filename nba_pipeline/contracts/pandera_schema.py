"""Contracts as pandera schemas, to validate rows anywhere: in a notebook, in a test, in the engine of the rows."""

import ibis.expr.datatypes as dt
import pandera.ibis as pa
from pandera.dtypes import immutable
from pandera.engines import ibis_engine

from nba_pipeline.contracts.table import Column, Table


@ibis_engine.Engine.register_dtype()
@immutable
class InstantType(ibis_engine.DataType):
    """A moment in time, microseconds, UTC."""

    type = dt.Timestamp(timezone="UTC")


@ibis_engine.Engine.register_dtype()
@immutable
class FloatArrayType(ibis_engine.DataType):
    """A list of floats."""

    type = dt.Array(value_type=dt.float64)


def pandera_schema(table: Table) -> pa.DataFrameSchema:
    """Return the columns of a contract, with types, ranges and descriptions, as a schema for ibis tables."""
    return pa.DataFrameSchema({c.name: _column(c) for c in table.columns.values()}, name=table.id)


def _column(c: Column) -> pa.Column:
    checks = [getattr(pa.Check, name)(value) for name, value in c.checks.items()]
    own = InstantType() if c.type.is_timestamp() else FloatArrayType() if c.type.is_array() else c.type
    return pa.Column(own, checks=checks, nullable=c.nullable, description=c.description)
