"""The code fingerprint of a table: it changes when code that can change the table's values changes, and only then.

A module counts by its syntax tree without docstrings, comments, layout, documents of columns, import statements and
annotations that only type checkers read. An import counts by the name it binds and the content of the module it names,
not by that module's own name. So neither a reformat nor the move of a file changes a fingerprint, while a changed
constant, window or rule does, in whichever module it stands. A data file counts for a module beside it that names it.
"""

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

# The code that decides on values, relative to the package; the rest of the product only runs it.
COMPUTING = ("tables", "asof", "domain", "systems", "contracts", "common/ibis_relations.py", "sources/landing.py")

# What stands above the tables, and so can have no part in a statement; all else that does not compute does compile.
ABOVE = ("cli", "definitions.py", "automation", "reporting", "verification", "orchestration")

_DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)
_DOCUMENTS = {"unit", "formula"}
_OMITTED = {"ctx", "kind", "returns", "type_comment", "type_ignores"}
_FILE_NAME = re.compile(r"[\w-]+\.[a-z]+")


@dataclass(frozen=True)
class _Import:
    """One name that an import statement binds; `name` is empty for `import module`."""

    bound: str
    module: str
    name: str


@dataclass(frozen=True)
class _Source:
    """What counts of the text of a module: its code, and what it imports and names."""

    code: str
    imports: tuple[_Import, ...]
    data_files: tuple[str, ...]


class _Reader:
    """Writes a syntax tree as text without what has no effect, and notes imports and names on the way.

    Fields without a value are left out, so that the text is the same for every version of Python.
    """

    def __init__(self) -> None:
        self.imports: list[_Import] = []
        self.names: set[str] = set()
        self.fields: set[ast.stmt] = set()

    def read(self, node: Any) -> str:
        if isinstance(node, list):
            return f"[{','.join([text for n in node if (text := self.read(n))])}]"
        if not isinstance(node, ast.AST):
            return repr(node)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self.imports += _bindings(node)
            return ""
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return ""
        if isinstance(node, ast.AnnAssign) and node not in self.fields:
            return self.read(ast.Assign([node.target], node.value)) if node.value else ""
        if isinstance(node, ast.Name):
            self.names.add(node.id)
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                self.names.add(node.value)
            return repr(node.value)
        if isinstance(node, ast.ClassDef):
            self.fields.update(node.body)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "column":
            node = _without_documents(node)
        return f"{type(node).__name__}({','.join(self._parts(node))})"

    def _parts(self, node: ast.AST) -> Iterator[str]:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(node, ast.arg) and name == "annotation":
                continue
            if name in _OMITTED or value is None or value == []:
                continue
            if name == "body" and isinstance(node, _DOCUMENTED):
                value = _without_docstring(node.body)
            yield f"{name}={self.read(value)}"


def _bindings(node: ast.Import | ast.ImportFrom) -> list[_Import]:
    if isinstance(node, ast.Import):
        return [_Import(a.asname or a.name.split(".")[0], a.name, "") for a in node.names]
    if node.level:
        raise SyntaxError(f"line {node.lineno}: a relative import; name the module from the root of the package")
    return [_Import(a.asname or a.name, node.module or "", a.name) for a in node.names]


def _without_documents(call: ast.Call) -> ast.Call:
    """The declaration of a contract's column without its description, unit and formula."""
    return ast.Call(call.func, call.args[1:], [k for k in call.keywords if k.arg not in _DOCUMENTS])


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    is_text = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return body[1:] if is_text else body


@cache
def _parse(text: str) -> _Source:
    reader = _Reader()
    code = _digest(reader.read(ast.parse(text)))
    used = [i for i in reader.imports if i.bound in reader.names]
    return _Source(code, tuple(used), tuple(n for n in reader.names if _FILE_NAME.fullmatch(n)))


def _digest(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()


class CodeTree:
    """The modules of a package on disk, read without importing them, each once; a later edit needs a new tree."""

    def __init__(self, root: Path) -> None:
        places = {
            path.relative_to(root).as_posix(): path for path in root.rglob("*.*") if "__pycache__" not in path.parts
        }
        self._places = {path: place for place, path in places.items()}
        self._modules = {_dotted_name(root.name, place): path for place, path in places.items() if path.suffix == ".py"}
        self._source = cache(lambda path: _parse(path.read_text(encoding="utf-8")))
        self._content = cache(self._read_content)
        self._imported = cache(lambda path: {t for i in self._source(path).imports if (t := self._computing(i))})

    def fingerprint(self, modules: Iterable[Path]) -> str:
        """Return the fingerprint of everything that these modules compute with, as 64 hex digits.

        Args:
            modules: files of modules below the root.

        Raises:
            OSError: a file cannot be read.
            SyntaxError: a module cannot be parsed, or has a relative import.
        """
        return _digest(*sorted({self._content(path) for path in self.reached(modules)}))

    @cached_property
    def digest(self) -> str:
        """The digest of all files, as they are."""
        return self._digest_of(self._places)

    @cached_property
    def compiling(self) -> str:
        """The digest of the files, as they are, that turn expressions into statements: a fingerprint leaves them out."""
        return self._digest_of(p for p, place in self._places.items() if not _within(place, (*COMPUTING, *ABOVE)))

    def changed_at(self) -> float:
        """Return when a file last changed, in seconds since the epoch."""
        return max(path.stat().st_ctime for path in self._places)

    def _digest_of(self, paths: Iterable[Path]) -> str:
        placed = sorted((self._places[p], p) for p in paths)
        return _digest(*(f"{place} {sha256(path.read_bytes()).hexdigest()}" for place, path in placed))

    def reached(self, modules: Iterable[Path]) -> set[Path]:
        """Return these modules and every computing module that they reach by imports."""
        reached: set[Path] = set()
        waiting = set(modules)
        while waiting:
            reached |= waiting
            waiting = set().union(*(self._imported(path) for path in waiting)) - reached
        return reached

    def _read_content(self, path: Path) -> str:
        source = self._source(path)
        data = [p for n in source.data_files if (p := path.with_name(n)) in self._places]
        digests = [sha256(p.read_bytes()).hexdigest() for p in data]
        return _digest(source.code, *sorted(self._import_record(i) for i in source.imports), *sorted(digests))

    def _import_record(self, i: _Import) -> str:
        target = self._computing(i)
        if target is not None:
            return f"{i.bound}={self._source(target).code}.{i.name}"
        return f"{i.bound}=" if self._module(i) else f"{i.bound}={i.module}.{i.name}"

    def _module(self, i: _Import) -> Path | None:
        """The file of the module of the package that an import names; None for other packages."""
        return self._modules.get(f"{i.module}.{i.name}") or self._modules.get(i.module)

    def _computing(self, i: _Import) -> Path | None:
        """The same, for modules that decide on values."""
        path = self._module(i)
        place = self._places[path] if path else ""
        return path if place and _within(place, COMPUTING) else None


def _within(place: str, parts: Collection[str]) -> bool:
    return place in parts or place.split("/")[0] in parts


def _dotted_name(package: str, place: str) -> str:
    return ".".join([package, *place.removesuffix(".py").removesuffix("__init__").strip("/").split("/")]).strip(".")


@cache
def installed_code() -> CodeTree:
    """Return the code of this package, read once per process."""
    return CodeTree(Path(__file__).parents[1])
