"""Runs the tests of a target against each of its mutants, each in a forked child, so that no library is loaded twice.

First quickly: tests are collected once, a child puts the mutant's functions in the place of the loaded ones and runs the tests,
fast ones first, with few examples. What survives that or does not end (a busy machine may be why), and what lies outside
functions, is judged thoroughly: a child imports the mutant in the place of the module, and anew all that imports it, and runs
the tests as they are. Only that verdict counts.
"""

import ast
import importlib.abc
import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from inspect import CO_NEWLOCALS
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

from tools.mutation.mutants import Mutant
from tools.mutation.targets import Target

OURS = ("nba_pipeline", "nba_pipeline_tests", "tools")
FEW_EXAMPLES = 4
PATIENCE = 10.0
PASSED, FAILED = 0, 1
QUIET = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:warnings", "--no-header", "--tb=no", "--durations=0"]


@dataclass(frozen=True)
class Judged:
    """A mutant, and how the tests took it: `failed`, `broken` (it could not even be imported), `endless` or `survived`."""

    mutant: Mutant
    verdict: str

    @property
    def killed(self) -> bool:
        return self.verdict != "survived"


def judge(target: Target, mutants: Sequence[Mutant], root: Path) -> Iterator[Judged]:
    """The verdict on each mutant, in order. Raises RuntimeError when the tests fail without any fault."""
    _hurry_hypothesis()
    quick = _Quick(target, root, mutants)
    with _silence():
        pytest.main([*target.arguments, *QUIET], plugins=[quick])
    if len(quick.codes) != len(mutants):
        raise RuntimeError(f"the tests of {target.module} cannot be run, or fail without a fault: correct them first")
    _forget(target.module)
    source = (root / target.file).read_text()
    began = time.monotonic()
    if _in_child(lambda: _anew(target, source, root), 900.0) != PASSED:
        raise RuntimeError(f"the tests of {target.module} fail without a fault when imported anew")
    patience = PATIENCE + 4 * (time.monotonic() - began)
    for mutant, code in zip(mutants, quick.codes, strict=True):
        if code in (PASSED, None):
            text = mutant.source
            code = _in_child(lambda text=text: _anew(target, text, root), patience)
        yield Judged(mutant, {PASSED: "survived", FAILED: "failed", None: "endless"}.get(code, "broken"))


class _Quick:
    """A plugin that runs the collected tests once for each mutant; `codes` are their exit codes, 0 where it cannot tell."""

    def __init__(self, target: Target, root: Path, mutants: Sequence[Mutant]) -> None:
        self._target, self._path, self._mutants = target, root / target.file, mutants
        self.codes: list[int | None] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        from hypothesis import settings

        for item in session.items:
            body = getattr(item, "obj", None)
            full = getattr(body, "_hypothesis_internal_use_settings", None)
            if full is not None:
                few = min(FEW_EXAMPLES, full.max_examples)
                body._hypothesis_internal_use_settings = settings(full, max_examples=few)  # pyright: ignore[reportOptionalMemberAccess]
        began = time.monotonic()
        with NamedTemporaryFile("r") as note:
            if _in_child(lambda: self._timed(session, Path(note.name)), 600.0) != PASSED:
                return True
            seconds = json.load(note)
        session.items.sort(key=lambda item: seconds[item.nodeid])
        patience = PATIENCE + 4 * (time.monotonic() - began)
        original = compile(self._path.read_text(), str(self._path), "exec")
        for number, mutant in enumerate(self._mutants):
            if number % 50 == 49:
                _say(f"  quickly: {number + 1}/{len(self._mutants)}, {number / (time.monotonic() - began):.1f}/s")
            changed = self._changed(original, mutant.source)
            self.codes.append(_in_child(lambda c=changed: self._with(c, session), patience) if changed else PASSED)
        return True

    def _changed(self, original: CodeType, source: str) -> dict[str, CodeType]:
        """The functions that the mutant changes; none where it changes more than functions."""
        mutated = compile(source, str(self._path), "exec")
        if _body(mutated, of_functions=False) != _body(original, of_functions=False):
            return {}
        before = _functions_of(original)
        return {n: c for n, c in _functions_of(mutated).items() if _body(c) != _body(before[n])}

    def _with(self, changed: dict[str, CodeType], session: pytest.Session) -> int:
        module = sys.modules[self._target.module]
        present = _functions_in(module)
        if not changed.keys() <= present.keys():
            return PASSED
        for name, code in changed.items():
            for function in present[name]:
                function.__code__ = code
        _forget_expressions(module)
        return self._tests(session)

    def _timed(self, session: pytest.Session, note: Path) -> int:
        """Run the tests, and note how long each took."""
        seconds: dict[str, float] = {}
        for item in session.items:
            began = time.monotonic()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            seconds[item.nodeid] = time.monotonic() - began
        note.write_text(json.dumps(seconds))
        return FAILED if session.testsfailed else PASSED

    def _tests(self, session: pytest.Session) -> int:
        for item, following in zip(session.items, [*session.items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return FAILED
        return PASSED


def _functions_of(code: CodeType) -> dict[str, CodeType]:
    """The outermost functions of a module and its classes, by qualified name."""
    found: dict[str, CodeType] = {}
    for inner in (c for c in code.co_consts if isinstance(c, CodeType)):
        found |= {inner.co_qualname: inner} if inner.co_flags & CO_NEWLOCALS else _functions_of(inner)
    return found


def _body(code: CodeType, *, of_functions: bool = True) -> Any:
    """What the code does, without its place in the file; on request, without the functions in it."""
    inner = [
        _body(c, of_functions=of_functions) if isinstance(c, CodeType) else (type(c), c)
        for c in code.co_consts
        if of_functions or not (isinstance(c, CodeType) and c.co_flags & CO_NEWLOCALS)
    ]
    return code.co_code, inner, code.co_names, code.co_varnames, code.co_freevars


def _functions_in(module: ModuleType) -> dict[str, list[FunctionType]]:
    """The functions that a loaded module defines, those behind decorators and in classes included."""
    found: dict[str, list[FunctionType]] = {}

    def add(value: object) -> None:
        while value is not None:
            if isinstance(value, FunctionType) and value.__module__ == module.__name__:
                found.setdefault(value.__code__.co_qualname, []).append(value)
            if isinstance(value, property):
                add(value.fget)
            value = (
                getattr(value, "__wrapped__", None) or getattr(value, "__func__", None) or getattr(value, "func", None)
            )

    for value in list(vars(module).values()):
        add(value)
        if isinstance(value, type) and value.__module__ == module.__name__:
            for member in list(vars(value).values()):
                add(member)
    return found


def _forget_expressions(module: ModuleType) -> None:
    """Transforms keep their expressions; those that this module builds are to be built again."""
    from nba_pipeline.engine.transform import Transform

    for transform in list(getattr(sys.modules.get("nba_pipeline.orchestration.assets"), "REGISTRY", {}).values()):
        if isinstance(transform, Transform) and transform.build.__module__ == module.__name__:
            for name in [n for n in vars(transform) if n not in transform.__dataclass_fields__]:
                del vars(transform)[name]


class _InPlace(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from a given text."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        self._name, self._path, self._source = name, path, source

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, str(self._path), "exec"), module.__dict__)


def _anew(target: Target, source: str, root: Path) -> int:
    """Exit code of the tests with this text for the module, all of ours imported anew."""
    sys.meta_path.insert(0, _InPlace(target.module, root / target.file, source))
    return int(pytest.main([*target.arguments, *QUIET]))


def _hurry_hypothesis() -> None:
    """Neither shrink what fails nor remember it: one failure is enough."""
    from hypothesis import Phase, settings

    settings.register_profile("mutation", phases=[Phase.explicit, Phase.generate], database=None, deadline=None)
    settings.load_profile("mutation")


def _forget(module: str) -> None:
    """Unload a module and all of ours that import it, directly or not: what children are to import anew."""
    loaded = {n for n in sys.modules if n.split(".")[0] in OURS and not n.startswith("tools.mutation")}
    imports = {n: _imported(n) & loaded for n in loaded}
    stale = {module}
    while more := {n for n in loaded - stale if imports[n] & stale}:
        stale |= more
    for name in stale:
        parent, _, child = name.rpartition(".")
        vars(sys.modules[parent]).pop(child, None)
    for name in stale:
        del sys.modules[name]


def _imported(name: str) -> set[str]:
    """Modules that the source of a module imports anywhere in it; a name taken from a package may be a module."""
    path = getattr(sys.modules[name], "__file__", None)
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(path).read_text())) if path else ():
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
    return found


def _in_child(work: Callable[[], int], patience: float) -> int | None:
    """What the work returns in a child of its own; None if it did not end in time."""
    child = os.fork()
    if not child:
        os.setsid()
        code = 70
        try:
            with _silence():
                code = work()
        finally:
            os._exit(code)
    end = time.monotonic() + patience
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


class _silence:
    """What is printed here goes nowhere, that of libraries in C included; `_say` still reaches the terminal."""

    def __enter__(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._kept = [os.dup(1), os.dup(2)]
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        _TERMINAL.append(self._kept[1])

    def __exit__(self, *_: object) -> None:
        _TERMINAL.pop()
        for number, kept in enumerate(self._kept, start=1):
            os.dup2(kept, number)
            os.close(kept)


_TERMINAL = [2]


def _say(words: str) -> None:
    os.write(_TERMINAL[-1], f"{words}\n".encode())
