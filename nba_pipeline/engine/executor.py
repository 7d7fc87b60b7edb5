"""The protocol of what executes a transform."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

import pyarrow as pa

from nba_pipeline.contracts.dialects import Dialect
from nba_pipeline.contracts.table import Table
from nba_pipeline.engine.plan import Query
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import Transform
from nba_pipeline.warehouse import LedgerEntry, Warehouse


class Executor(Protocol):
    """Where one table is computed and audited: it holds the inputs under their names, `result`, `expected` and rejects."""

    @property
    def dialect(self) -> Dialect: ...

    def compute(self, transform: Transform, days: list[date], run: RunContext) -> None:
        """Make `result`, the typed, rounded and hashed rows of these days."""
        ...

    def is_as_hashed(self) -> bool:
        """Tell whether `result` is known to hold, cell by cell, what `compute` hashed, so that every hash recomputes."""
        ...

    def expect(self, wanted: Query) -> None:
        """Make `expected`, the rows that must exist."""
        ...

    def sql(self, statement: str) -> list[dict]:
        """Rows of a statement over the inputs and `result`."""
        ...

    def keep(self, flagged: str, table: Table) -> None:
        """Add rows of `result`, selected with their `broken_rules`, to the rejects, without taking them out."""
        ...

    def rejected_by_day(self) -> dict[date, int]: ...

    def rejects(self, table: Table, run_id: str, at: datetime) -> pa.Table:
        """The rejects as the quarantine keeps them."""
        ...

    def content_hashes(self, table: Table) -> dict[date, str]:
        """One hash per partition, independent of the order of rows."""
        ...

    def store(
        self, warehouse: Warehouse, table: Table, days: list[date], entries: Sequence[LedgerEntry], rejects: pa.Table
    ) -> None:
        """Publish `result` for these days, with entries and rejects: all of it or nothing. The last call before `close`."""
        ...

    def close(self) -> None: ...
