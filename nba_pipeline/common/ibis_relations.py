"""Small building blocks for ibis relations that several tables use."""

from collections.abc import Mapping, Sequence
from typing import Any

import ibis

from nba_pipeline.common import ibis_types as ir


def relation(columns: Mapping[str, Any] | ibis.Schema, name: str) -> ir.Table:
    """Declare a relation of these columns and types, whose rows are bound when a statement runs."""
    declared: Any = ibis.table(columns, name=name)
    return declared


def union(*relations: ir.Table, distinct: bool = False) -> ir.Table:
    """Return the rows of all relations, of equal rows one if `distinct`."""
    rows: Any = ibis.union(*relations, distinct=distinct)
    return rows


def equal(left: ir.Table, right: ir.Table, *columns: str) -> list[ir.BooleanValue]:
    """Return the predicates of a join of rows that have the same values in these columns."""
    return [left[c] == right[c] for c in columns]


def shared(joined: ir.Table) -> ir.Table:
    """The result of a join as a relation of its own: compiled once, however often it is referred to.

    ibis writes a join that is the left side of a further join anew at every reference; a chain of them would double the
    statement with each link.
    """
    return joined.select(*joined.columns)


def medians(rows: ir.Table, measures: Sequence[str], *, by: Sequence[str], lower: bool = False) -> ir.Table:
    """Return exact medians of the known values per group, from ranks: one expression for every engine.

    Args:
        rows: The rows.
        measures: Columns to take the median of.
        by: Columns of the groups.
        lower: Take the lower of two middle values, which exists in the rows, instead of their mean.
    """
    group = [rows[c] for c in by]
    ranks, known = {}, {}
    for m in measures:
        order = ibis.window(group_by=group, order_by=ibis.asc(rows[m], nulls_first=False))
        ranks[f"__rank_{m}"] = ibis.row_number().over(order)
        known[f"__known_{m}"] = rows[m].notnull().cast("int64").sum().over(ibis.window(group_by=group))
    ranked = rows.select(*by, *measures, **ranks, **known)
    found = {}
    for m in measures:
        twice, n = ranked[f"__rank_{m}"] * 2, ranked[f"__known_{m}"]
        middle = ((twice >= n - 2) & (twice <= n) & ranked[m].notnull()).ifelse(ranked[m], None)
        found[m] = middle.min() if lower else (middle.min() + middle.max()) / 2
    return ranked.group_by(*by).aggregate(**found)
