"""The formula of a computed column as a digest of its ibis expression: it changes when what is computed changes, and only then.

Names of intermediate columns, functions and modules, and joins that a column does not read, are no part of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from hashlib import sha256
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
from ibis.common.graph import Graph
from ibis.expr.operations.core import Node

from nba_pipeline.engine.lineage import SAME_COLUMNS

# The formula of a column of an input, by the name of the input and of the column.
InputFormula = Callable[[str, str], str]


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()


def _read(value: Any) -> set[Any]:
    """The relations whose columns a value is computed from."""
    return {field.rel for field in value.find(ops.Field, filter=ops.Value)}


class Formulas:
    """Digests of columns, values and rows of expressions, each computed once.

    Args:
        of_input: The formula of a column of an unbound table; of its rows for an empty column.
    """

    def __init__(self, of_input: InputFormula) -> None:
        self._of_input = of_input
        self._columns: dict[tuple[Any, str], str] = {}
        self._values: dict[Any, str] = {}
        self._rows: dict[Any, str] = {}

    def of(self, relation: Any, columns: Sequence[str]) -> dict[str, str]:
        """Return the digest of each column's formula, 16 hex digits.

        Args:
            relation: The operation of an ibis table.
            columns: The columns.
        """
        self._read_upwards(relation)
        return {name: self.column(relation, name)[:16] for name in columns}

    def _read_upwards(self, relation: Any) -> None:
        """Digest everything from the inputs up, so that no digest calls for one that is many levels below it."""
        for node in Graph.from_bfs(relation).toposort():
            if isinstance(node, ops.Relation):
                self.rows(node)
            elif isinstance(node, ops.Value):
                self.value(node)

    def column(self, relation: Any, name: str) -> str:
        """What a column of a relation is computed from."""
        place = (relation, name)
        if place not in self._columns:
            self._columns[place] = self._column(relation, name)
        return self._columns[place]

    def _column(self, relation: Any, name: str) -> str:
        if isinstance(relation, ops.UnboundTable):
            return self._of_input(relation.name, name)
        if isinstance(relation, ops.JoinChain):
            return self._joined(relation, relation.values[name])
        if isinstance(relation, SAME_COLUMNS):
            return self.column(relation.args[0], name)
        if isinstance(relation, ops.Set):
            sides = (self.column(side, name) for side in (relation.left, relation.right))
            return _digest(type(relation).__name__, *sides, self.rows(relation))
        values: Mapping[str, Any] = relation.values
        formula = self.value(values[name])
        return _digest("Aggregate", formula, self.rows(relation)) if type(relation) is ops.Aggregate else formula

    def _joined(self, chain: Any, value: Any) -> str:
        """The value, and how those tables of the chain are joined that it reads."""
        links = [self._link(link) for link in chain.rest if link.table in _read(value)]
        return _digest("Joined", self.value(value), *links) if links else self.value(value)

    def _link(self, link: Any) -> str:
        return _digest(link.how, self.rows(link.table), *(self.value(p) for p in link.predicates))

    def value(self, node: Any) -> str:
        """What an expression of columns computes; with the rows that it looks over where it looks beyond its own."""
        if isinstance(node, ops.Field):
            return self.column(node.rel, node.name)
        if node not in self._values:
            parts = list(self._parts(node))
            if isinstance(node, (ops.WindowFunction, ops.Reduction)):
                parts += sorted({self.rows(relation) for relation in _read(node)})
            self._values[node] = _digest(type(node).__name__, *parts)
        return self._values[node]

    def _parts(self, node: Any) -> Iterator[str]:
        for name, argument in zip(node.argnames, node.args, strict=True):
            yield f"{name}={self._argument(argument)}"

    def _argument(self, argument: Any) -> str:
        if isinstance(argument, ops.Relation):
            return self.rows(argument)
        if isinstance(argument, Node):
            return self.value(argument)
        if isinstance(argument, Mapping):
            return _digest("mapping", *(f"{k}={self._argument(v)}" for k, v in argument.items()))
        if isinstance(argument, (tuple, list)):
            return _digest("sequence", *(self._argument(a) for a in argument))
        if isinstance(argument, Enum):
            return argument.name
        if isinstance(argument, dt.DataType):
            return str(argument)
        return repr(argument)

    def rows(self, relation: Any) -> str:
        """Which rows a relation has, whatever its columns."""
        if relation not in self._rows:
            self._rows[relation] = self._find_rows(relation)
        return self._rows[relation]

    def _find_rows(self, relation: Any) -> str:
        if isinstance(relation, ops.UnboundTable):
            return self._of_input(relation.name, "")
        if isinstance(relation, (ops.Project, ops.Reference, ops.DropColumns, ops.FillNull)):
            return self.rows(relation.args[0])
        if isinstance(relation, ops.JoinChain):
            return _digest("JoinChain", self.rows(relation.first), *(self._link(link) for link in relation.rest))
        if isinstance(relation, ops.Aggregate):
            groups = sorted(self.value(v) for v in relation.groups.values())
            return _digest("Aggregate", self.rows(relation.parent), *groups)
        if type(relation) is ops.Distinct:
            schema: Any = relation.schema
            columns = sorted(self.column(relation.parent, c) for c in schema.names)
            return _digest("Distinct", self.rows(relation.parent), *columns)
        return _digest(type(relation).__name__, *self._parts(relation))
