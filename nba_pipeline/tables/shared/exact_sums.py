"""Sums and means that do not depend on the order of rows: floats are added as integers of their precision."""

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.contracts.table import FLOAT_PRECISION


def total(value: ir.NumericValue, precision: int = FLOAT_PRECISION) -> ir.NumericScalar:
    """Sum of the known values; NULL when there is none."""
    if value.type().is_integer():
        return value.sum()
    return (value * 10**precision).round().cast("int64").sum() / 10**precision


def mean(value: ir.NumericValue, precision: int = FLOAT_PRECISION) -> ir.FloatingScalar:
    """Mean of the known values; NULL when there is none."""
    return total(value, precision) / value.count().cast("float64").nullif(0.0)
