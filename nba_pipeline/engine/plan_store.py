"""Plans on disk: a process takes the statements that an earlier one compiled, as long as nothing that made them changed."""

import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from nba_pipeline.common.cache_files import CacheFiles
from nba_pipeline.contracts.dialects import Dialect
from nba_pipeline.engine.code_versions import code_is_as_loaded, code_versions
from nba_pipeline.engine.fingerprint import installed_code
from nba_pipeline.engine.plan import Plan, Query, compile_plan, compile_rows_of_one_day, reads_history
from nba_pipeline.engine.transform import Transform

LIBRARIES = ("ibis-framework", "sqlglot", "duckdb")
ONE_DAY = "one_day"
_PLAN, _QUERY = TypeAdapter(Plan), TypeAdapter(Query)

Kept = TypeVar("Kept", Plan, Query)


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
            found = self._find(transform, dialect, dialect, lambda: compile_plan(transform, dialect), _PLAN)
            self._taken[transform, dialect] = found
        return self._taken[transform, dialect]

    def missing(self, dialect: Dialect) -> list[Transform]:
        """Return the transforms whose plans would have to be compiled, and would be kept."""
        if not code_is_as_loaded():
            return []
        files = CacheFiles(self.directory)
        return [t for t in self.transforms if not files.has(*self._place(t, dialect, dialect))]

    def rows_of_one_day(self, transform: Transform) -> Query:
        if transform not in self._of_one_day:
            rows = self.of(transform, "duckdb").rows
            if reads_history(rows):
                rows = self._find(transform, "duckdb", ONE_DAY, lambda: compile_rows_of_one_day(transform), _QUERY)
            self._of_one_day[transform] = rows
        return self._of_one_day[transform]

    @cached_property
    def _taken(self) -> dict[tuple[Transform, Dialect], Plan]:
        return {}

    @cached_property
    def _of_one_day(self) -> dict[Transform, Query]:
        return {}

    def _find(
        self, transform: Transform, dialect: Dialect, kind: str, compiled: Callable[[], Kept], kept: TypeAdapter[Kept]
    ) -> Kept:
        """Read what was compiled from its file, and compile and keep what is not there.

        Args:
            transform: What computes the table.
            dialect: The dialect of the statements.
            kind: What the names of its files say beside the table.
            compiled: Compiles it.
            kept: What a file holds.
        """
        if transform not in self.transforms or not code_is_as_loaded():
            return compiled()
        files, (name, key) = CacheFiles(self.directory), self._place(transform, dialect, kind)
        try:
            return kept.validate_python(files.get(name, key))
        except ValidationError:
            made = compiled()
            files.put(name, key, kept.dump_python(made, mode="json"))
            return made

    def _place(self, transform: Transform, dialect: Dialect, kind: str) -> tuple[str, str]:
        """Return the name and the key of what is kept: a plan of a dialect, or rows of one day."""
        table = transform.table.id
        key = plan_key(table, dialect, code_versions(self.transforms, self.directory)[table])
        return f"{table}.{kind}", key


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
