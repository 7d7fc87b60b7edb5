"""Importing the tables loads what declares them, and nothing that only a run needs."""

import ast
from collections.abc import Iterator
from pathlib import Path

import nba_pipeline

PACKAGE = Path(nba_pipeline.__file__).parent
NOT_AT_IMPORT = {
    "pandas",
    "pandera",
    "xgboost",
    "dagster",
    "google",
    "requests",
    "click",
    "rich",
    "nba_api",
    "scipy.optimize",
}


def test_importing_the_catalog_loads_no_package_that_only_a_run_needs() -> None:
    loaded = modules_loaded_by("nba_pipeline.tables.catalog")
    assert {"nba_pipeline.systems.xgboost_v1", "ibis"} <= set(loaded)
    heavy = {m: by for m, by in loaded.items() if m in NOT_AT_IMPORT or m.split(".")[0] in NOT_AT_IMPORT}
    assert heavy == {}, (
        f"{heavy} (package: its importer) load with the catalog. Fix: import them within the function that needs them, or below "
        "`if TYPE_CHECKING:` with `from __future__ import annotations`"
    )


def modules_loaded_by(module: str) -> dict[str, str]:
    """Every module that importing a module loads directly or through modules of this package, with its importer."""
    loaded, waiting = {module: ""}, [module]
    while waiting:
        importer = waiting.pop()
        path = module_file(importer)
        for name in imports_at_load(path) if path else ():
            parts = name.split(".")
            for loads in (".".join(parts[: n + 1]) for n in range(len(parts))):
                if loads not in loaded:
                    loaded[loads] = importer
                    waiting.append(loads)
    return loaded


def module_file(module: str) -> Path | None:
    package, *parts = module.split(".")
    path = PACKAGE.joinpath(*parts)
    files = [path.with_suffix(".py"), path / "__init__.py"] if package == PACKAGE.name else []
    return next((f for f in files if f.is_file()), None)


def imports_at_load(path: Path) -> Iterator[str]:
    """The modules that a module imports outside of functions; a name imported from a module counts as one, too."""
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{a.name}" for a in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
        elif not isinstance(node, (ast.FunctionDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)
