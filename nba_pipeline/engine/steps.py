"""Cuts an expression into steps: relations that are computed one after the other, each small enough for a planner.

A step stands in later ones as a relation of its name, with the columns and types that it had in the expression, so that the
rows are the same. Cuts are made from the inputs up: where what lies below would be nested too deeply or written too
long, and where several relations read the same one, which is then computed once.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import ibis.expr.operations as ops

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.engine.lineage import touched_columns

# Bounds of a step, in nested relations and in values; its statement stays well below 64 KB and 25 nested SELECTs.
DEPTH = 10
VALUES = 1_500
# A relation that is read more than once is a step if it is at least so deep: a filter of an input is not worth one.
SHARED_DEPTH = 6

# Operations of ibis, whose own types are not hashable to a type checker.
Node: TypeAlias = Any

# What only gives another relation a place in a join or a second name; it is written with its parent.
_PLACES = (ops.JoinReference, ops.SelfReference)


@dataclass(frozen=True)
class Step:
    """A relation that is computed on its own, under a name."""

    name: str
    relation: ir.Table


@dataclass(frozen=True)
class _Size:
    """How deep and how long the statement of a relation is, steps below it not counted."""

    depth: int = 0
    values: int = 0


def in_steps(expression: ir.Table, prefix: str = "step") -> tuple[list[Step], ir.Table]:
    """Return the steps in order, and the relation that is left to compute from them.

    Args:
        expression: The expression to cut.
        prefix: What the names of the steps begin with.
    """
    cutter = _Cutter(expression, prefix)
    rest = expression.op().replace(cutter.rebuild).to_expr()
    return _narrowed(cutter.steps, rest), rest


def _narrowed(steps: list[Step], rest: ir.Table) -> list[Step]:
    """The steps with those columns only that later steps or the rest use; at least one, which counts the rows."""
    used = set(touched_columns(rest))
    found: list[Step] = []
    for step in reversed(steps):
        wanted = [c for c in step.relation.columns if (step.name, c) in used] or step.relation.columns[:1]
        whole = len(wanted) == len(step.relation.columns)
        found.append(step if whole else Step(step.name, step.relation.select(*wanted)))
        used |= set(touched_columns(found[-1].relation))
    return found[::-1]


class _Cutter:
    def __init__(self, expression: ir.Table, prefix: str) -> None:
        self._root = expression.op()
        self._prefix = prefix
        relations = list(self._root.find(ops.Relation))
        self._readers = Counter(r for relation in relations for r in _below(relation))
        self._outside: dict[Node, frozenset[Node]] = {}
        self._sizes: dict[Node, _Size] = {}
        self._lengths: dict[Node, int] = {}
        self._made: dict[Node, Node] = {}
        self.steps: list[Step] = []

    def rebuild(self, node: Node, arguments: dict[str, Any] | None) -> Node:
        """Return the node over its rebuilt arguments, or the relation of the step that it becomes."""
        made = node.__recreate__(arguments) if arguments else node
        if not isinstance(made, ops.Relation):
            return made
        made = self._with_selected_before(made)
        size = self._size(made)
        if node is not self._root and self._is_step(node, size):
            made, size = self._step(made), _Size()
        self._sizes[made] = size
        return made

    def _with_selected_before(self, made: Node) -> Node:
        """The relation over a step, if it would write out the expressions of the relation that it selects from too often."""
        parent = made.args[0] if made.args else None
        if not isinstance(parent, ops.Project) or _outside(parent, self._outside):
            return made
        written = sum(self._length(v) for v in _values(made))
        cut: Node = parent
        return made.replace({cut: self._step(cut)}) if written >= VALUES else made

    def _step(self, relation: Node) -> Node:
        if relation not in self._made:
            step = Step(f"{self._prefix}_{len(self.steps) + 1}", relation.to_expr())
            self.steps.append(step)
            self._made[relation] = ops.UnboundTable(step.name, relation.schema)
            self._sizes[self._made[relation]] = _Size()
        return self._made[relation]

    def _is_step(self, node: Node, size: _Size) -> bool:
        if isinstance(node, (*_PLACES, ops.UnboundTable)) or _outside(node, self._outside):
            return False
        shared = self._readers[node] > 1 and size.depth >= SHARED_DEPTH
        return shared or size.depth >= DEPTH or size.values >= VALUES

    def _size(self, relation: Node) -> _Size:
        below = [self._sizes.get(r, _Size()) for r in _below(relation)]
        own = 0 if isinstance(relation, (*_PLACES, ops.UnboundTable)) else 1
        values = sum(self._length(v) for v in _values(relation))
        return _Size(max((s.depth for s in below), default=0) + own, sum(s.values for s in below) + values)

    def _length(self, node: Node) -> int:
        """The number of values that are written for a value: one that is used twice, or selected before, is written again."""
        if isinstance(node, ops.Relation):
            return 1
        if node not in self._lengths:
            if isinstance(node, ops.Field):
                selected = node.rel.values[node.name] if isinstance(node.rel, ops.Project) else None
                self._lengths[node] = 1 if selected is None else self._length(selected)
            else:
                self._lengths[node] = 1 + sum(self._length(c) for c in node.__children__)
        return self._lengths[node]


def _below(relation: Node) -> list[Node]:
    """The relations that a relation is directly made of, those of subqueries among them."""
    found: dict[Node, None] = {}
    waiting = list(relation.__children__)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ops.Relation):
            found[node] = None
        elif not isinstance(node, ops.Field):
            waiting += node.__children__
    return list(found)


def _values(relation: Node) -> Iterator[Node]:
    return (c for c in relation.__children__ if not isinstance(c, ops.Relation))


def _outside(relation: Node, known: dict[Node, frozenset[Node]]) -> frozenset[Node]:
    """The relations around a relation to whose rows it refers, as a correlated subquery does."""
    if relation not in known:
        below = _below(relation)
        referred = {f.rel for f in _fields(relation)}.union(*(_outside(r, known) for r in below))
        known[relation] = frozenset(referred - set(below))
    return known[relation]


def _fields(relation: Node) -> Iterator[Node]:
    waiting, seen = list(_values(relation)), set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ops.Field):
            yield node
        elif not isinstance(node, ops.Relation) and node not in seen:
            seen.add(node)
            waiting += node.__children__
