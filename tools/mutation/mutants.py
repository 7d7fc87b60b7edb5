"""Faulty versions of a module: mutmut's operators applied anywhere in it, and operators of our own for the SQL in its strings.

Left out by rule, because no test of behaviour can or should notice them: docstrings and type annotations; text for people
(messages of errors, descriptions, names of rules); what a column or a record is declared to be (the audit's own tests prove
that declarations are enforced); the case of letters in strings, which SQL does not see; whatever parses to the same program.
Also left out, because they would only flatter the score: faults that crash at once wherever the line is run (None for an
argument or a variable, a missing positional argument).
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation import mutators

SQL = re.compile(r"\b(SELECT|FROM|WHERE|AND|DELETE|INSERT|UPDATE|ALTER|CASE|GROUP BY|ORDER BY)\b")
SWAPS = (
    (" AND ", " OR "),
    (" OR ", " AND "),
    (" IN (", " NOT IN ("),
    (" NOT IN ", " IN "),
    ("NOT EXISTS", "EXISTS"),
    (" = ", " <> "),
    (" >= ", " > "),
    (" <= ", " < "),
    (" BETWEEN ", " NOT BETWEEN "),
    (" IS NULL", " IS NOT NULL"),
    (" DESC", ""),
    (" BY NAME", ""),
    (" WHERE ", " WHERE TRUE OR "),
    ("'published'", "'refused'"),
    ("'refused'", "'published'"),
)
DECLARING = frozenset({"column", "tricode", "dataclass", "Literal"})
SAID = frozenset({"unit", "formula", "description"})
NOT_RUN = (cst.Annotation, cst.Import, cst.ImportFrom, cst.Raise)
TYPE_ALIAS = m.Assign(value=m.Subscript(value=m.Name("Literal")))


@dataclass(frozen=True)
class Mutant:
    """A faulty version of a module. `place` is the function or class it lies in, `change` the lines before and after."""

    place: str
    line: int
    before: str
    after: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it as long as its own lines stay as they are."""
        return self.place, self.before, self.after


def mutants(source: str) -> list[Mutant]:
    """All faulty versions that differ from the module, and from each other, in what they do; in order of lines."""
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    finder = _Finder(source)
    wrapper.visit(finder)
    found: dict[str, Mutant] = {}
    original = _meaning(source)
    for place, line, text in finder.found:
        meaning = _meaning(text)
        if meaning is None or meaning == original or meaning in found:
            continue
        before, after = _difference(source, text)
        found[meaning] = Mutant(place, line, before, after, text)
    return sorted(found.values(), key=lambda mutant: mutant.line)


class _Finder(cst.CSTVisitor):
    """Applies the operators to every node that matters."""

    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, int, str]] = []
        self._module = cst.parse_module(source)
        self._places: list[str] = []

    def visit_Module(self, node: cst.Module) -> None:
        self._module = node

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, NOT_RUN) or m.matches(node, TYPE_ALIAS) or self._is_said(node):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._places.append(node.name.value)
        for replacement in _replacements(node):
            line = self.get_metadata(PositionProvider, node).start.line  # pyright: ignore[reportAttributeAccessIssue]
            place = ".".join(self._places)
            changed = self._module.deep_replace(node, replacement)  # pyright: ignore[reportArgumentType]
            self.found.append((place, line, changed.code))  # pyright: ignore[reportAttributeAccessIssue]
        return super().on_visit(node)

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._places.pop()
        super().on_leave(original_node)

    def _is_said(self, node: cst.CSTNode) -> bool:
        """Text for people (docstrings, descriptions, names of rules), and what declares a column or a record."""
        parent = self.get_metadata(ParentNodeProvider, node, None)
        if isinstance(node, cst.BaseString) and isinstance(parent, cst.Expr):
            return True
        if isinstance(node, cst.BaseString) and isinstance(parent, cst.DictElement) and parent.key is node:
            return " " in str(getattr(node, "value", ""))
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in DECLARING:
            return True
        return isinstance(node, cst.Arg) and node.keyword is not None and node.keyword.value in SAID


def _replacements(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.FormattedStringText):
        yield from (node.with_changes(value=text) for text in _swapped(node.value))
        return
    for kind, operator in mutators.mutation_operators:
        if not isinstance(node, kind) or (operator is mutators.operator_name and not m.matches(node, m.Name())):
            continue
        if operator in (mutators.operator_assignment, mutators.operator_arg_removal):
            continue
        for number, replacement in enumerate(operator(node)):
            if operator is mutators.operator_string and number:
                break  # the first marks the string; the others change the case of its letters
            yield replacement
    if isinstance(node, cst.Call):
        yield from _without_an_option(node)
    if isinstance(node, cst.SimpleString):
        yield from (node.with_changes(value=text) for text in _swapped(node.value))


def _without_an_option(node: cst.Call) -> Iterator[cst.Call]:
    """The call with one of its keyword arguments left at its default."""
    for number, argument in enumerate(node.args):
        if argument.keyword is not None:
            yield node.with_changes(args=[*node.args[:number], *node.args[number + 1 :]])


def _swapped(text: str) -> Iterator[str]:
    """SQL with one of its words exchanged for another."""
    if not SQL.search(text):
        return
    for old, new in SWAPS:
        for found in re.finditer(re.escape(old), text):
            if old == " IN (" and text[: found.start()].endswith(" NOT"):
                continue
            yield text[: found.start()] + new + text[found.end() :]


def _meaning(source: str) -> str | None:
    """The code without its place in the file; None where it is none."""
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return None


def _difference(source: str, text: str) -> tuple[str, str]:
    """The lines that differ, before and after, without their indentation."""
    old, new = source.splitlines(), text.splitlines()
    first = _same(old, new)
    last = min(_same(old[::-1], new[::-1]), len(old) - first, len(new) - first)
    before, after = old[first : len(old) - last], new[first : len(new) - last]
    return " ".join(x.strip() for x in before), " ".join(x.strip() for x in after)


def _same(one: list[str], other: list[str]) -> int:
    """How many lines are the same at the start."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
