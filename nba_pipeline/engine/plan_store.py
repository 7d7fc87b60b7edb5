"""Plans on disk: a process takes the statements that an earlier one compiled, as long as nothing that made them changed."""

import platform
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from nba_pipeline.common.cache_files import CacheFiles
from nba_pipeline.contracts.dialects import Dialect
from nba_pipeline.engine.code_versions import code_is_as_loaded, code_versions
from nba_pipeline.engine.fingerprint import installed_code
from nba_pipeline.engine.plan import Plan, compile_plan
from nba_pipeline.engine.transform import Transform

LIBRARIES = ("ibis-framework", "sqlglot", "duckdb")
_PLAN = TypeAdapter(Plan)


@dataclass(frozen=True)
class StoredPlans:
    """Takes plans from files, and compiles and keeps those that are not there.

    A plan is found by the fingerprint of all code that its table is computed with, the code that compiles, the dialect, and the
    versions of the libraries and of Python. A transform that is not one of `transforms`, such as a test's variant, and code
    that changed while the process runs take no part: they are compiled.

    Attributes:
        directory: Where the files are; made when needed.
        transforms: The transforms that the package declares.
    """

    directory: Path
    transforms: tuple[Transform, ...] = field(repr=False)

    def of(self, transform: Transform, dialect: Dialect) -> Plan:
        """Return the plan of a transform.

        Raises:
            ContractError: The build cannot satisfy the contract.
        """
        if (transform, dialect) not in self._taken:
            self._taken[transform, dialect] = self._find(transform, dialect)
        return self._taken[transform, dialect]

    def missing(self, dialect: Dialect) -> list[Transform]:
        """Return the transforms whose plans would have to be compiled, and would be kept."""
        if not code_is_as_loaded():
            return []
        files = CacheFiles(self.directory)
        return [t for t in self.transforms if not files.has(*self._place(t, dialect))]

    @cached_property
    def _taken(self) -> dict[tuple[Transform, Dialect], Plan]:
        return {}

    def _find(self, transform: Transform, dialect: Dialect) -> Plan:
        if transform not in self.transforms or not code_is_as_loaded():
            return compile_plan(transform, dialect)
        files, (name, key) = CacheFiles(self.directory), self._place(transform, dialect)
        try:
            return _PLAN.validate_python(files.get(name, key))
        except ValidationError:
            plan = compile_plan(transform, dialect)
            files.put(name, key, _PLAN.dump_python(plan, mode="json"))
            return plan

    def _place(self, transform: Transform, dialect: Dialect) -> tuple[str, str]:
        """Return the name and the key of a plan."""
        table = transform.table.id
        key = plan_key(table, dialect, code_versions(self.transforms, self.directory)[table])
        return f"{table}.{dialect}", key


def plan_key(table: str, dialect: Dialect, code_version: str) -> str:
    """Return the key of a plan: the digest of everything that it depends on.

    Args:
        table: The id of the table.
        dialect: The dialect of its statements.
        code_version: The fingerprint of the code that the table is computed with.
    """
    parts = [
        table,
        dialect,
        code_version,
        installed_code().compiling,
        platform.python_version(),
        *_libraries(),
    ]
    return sha256("\n".join(parts).encode()).hexdigest()


@cache
def _libraries() -> tuple[str, ...]:
    """Return the libraries that decide about statements, each with its version; read once, from files."""
    return tuple(f"{name} {version(name)}" for name in LIBRARIES)
