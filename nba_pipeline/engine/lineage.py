"""Which input columns a computed column comes from, read off the ibis expression."""

from collections.abc import Iterator, Mapping
from typing import Any

import ibis.expr.operations as ops

from nba_pipeline.common import ibis_types as ir

Origin = tuple[str, str]

# Operations that keep the columns of the relation they stand on.
SAME_COLUMNS: tuple[type[ops.Relation], ...] = (
    ops.Reference,
    ops.Filter,
    ops.Sort,
    ops.Limit,
    ops.Sample,
    ops.FillNull,
    ops.DropNull,
    ops.Distinct,
    ops.DropColumns,
)


def column_origins(expression: ir.Table) -> dict[str, frozenset[Origin]]:
    """Return, for each column of the expression, the (unbound table, column) pairs that its value depends on.

    Columns that only decide which rows there are (join keys, filters) are not part of a value.
    """
    memo: dict[tuple[Any, str], frozenset[Origin]] = {}
    root = expression.op()
    return {name: _origins(root, name, memo) for name in root.schema.names}


def touched_columns(expression: ir.Table) -> Iterator[Origin]:
    """Yield (unbound table, column) for every column that an expression uses: for values, to select rows, or to leave it out."""
    root = expression.op()
    for field in root.find(ops.Field):
        table = unbound_below(field.rel)
        if table is not None:
            yield table.name, field.name
    for dropping in root.find(ops.DropColumns):
        table = unbound_below(dropping)
        if table is not None:
            yield from ((table.name, c) for c in dropping.columns_to_drop)
    whole = [root, *(side for s in root.find(ops.Set) for side in (s.left, s.right))]
    whole += root.find((ops.Distinct, ops.FillNull, ops.DropNull))
    for relation in whole:
        table = unbound_below(relation)
        if table is not None:
            yield from ((table.name, c) for c in table.schema.names)


def frames_of_values(expression: ir.Table) -> list[str]:
    """Return the order keys of windows whose frame begins or ends a distance of values away, as RANGE BETWEEN 7 PRECEDING does.

    DuckDB places such ends wrongly when several threads share a partition (seen in 1.5.6 and 2.0.1).
    """
    frames = (w for w in expression.op().find(ops.WindowFunction) if w.how == "range")
    return sorted({k.name for w in frames if _is_distant(w.start) or _is_distant(w.end) for k in w.order_by})


def _is_distant(boundary: Any) -> bool:
    return boundary is not None and not (isinstance(boundary.value, ops.Literal) and boundary.value.value == 0)


def unbound_below(relation: Any) -> Any:
    """Return the unbound table whose rows a relation selects; None for other relations."""
    while isinstance(relation, SAME_COLUMNS):
        relation = relation.args[0]
    return relation if isinstance(relation, ops.UnboundTable) else None


def _origins(relation: Any, name: str, memo: dict[tuple[Any, str], frozenset[Origin]]) -> frozenset[Origin]:
    place = (relation, name)
    if place not in memo:
        memo[place] = frozenset(_find(relation, name, memo))
    return memo[place]


def _find(relation: Any, name: str, memo: dict[tuple[Any, str], frozenset[Origin]]) -> Iterator[Origin]:
    if isinstance(relation, ops.UnboundTable):
        yield relation.name, name
    elif isinstance(relation, SAME_COLUMNS):
        yield from _origins(relation.args[0], name, memo)
    elif isinstance(relation, ops.Set):
        for side in (relation.left, relation.right):
            yield from _origins(side, name, memo)
    else:
        values: Mapping[str, Any] = getattr(relation, "values", {}) or {}
        for field in values[name].find(ops.Field, filter=ops.Value) if name in values else ():
            yield from _origins(field.rel, field.name, memo)
