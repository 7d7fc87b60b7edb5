"""What the tables of the last run of a single day in this process were computed from: the same statements on the same rows
give the same rows.

A replay compares its inputs with these, and need not compute a table again that the run has computed from nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa


@dataclass(frozen=True)
class Computed:
    """The inputs of a table's day, and the content hash of the rows that were made of them."""

    inputs: Mapping[str, pa.Table]
    content_hash: str

    def is_of(self, inputs: Mapping[str, pa.Table], content_hash: str) -> bool:
        """Return whether these rows, in this order, are its inputs, and this the hash of what was made of them."""
        return (
            content_hash == self.content_hash
            and inputs.keys() == self.inputs.keys()
            and all(rows.equals(self.inputs[name]) for name, rows in inputs.items())
        )


# Of one run only: its inputs stay in memory, 22 MB for a day of all tables.
_of_the_last_run: dict[tuple[str, str, date], Computed] = {}


def remember(run_id: str, table: str, day: date, computed: Computed) -> None:
    """Keep what a run computed a table's day from, for a later look from this process; forget what other runs did."""
    for key in [k for k in _of_the_last_run if k[0] != run_id]:
        _of_the_last_run.pop(key, None)
    _of_the_last_run[run_id, table, day] = computed


def recall(run_id: str, table: str, day: date) -> Computed | None:
    """Return what the run computed a table's day from; None if it did not in this process, or others ran since."""
    return _of_the_last_run.get((run_id, table, day))
