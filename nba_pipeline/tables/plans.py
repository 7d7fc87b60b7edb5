"""The plans of all tables, which `python -m nba_pipeline.tables.plans DIRECTORY TABLE...` compiles in a process of its own."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from nba_pipeline.common.collector import collect_rarely
from nba_pipeline.engine.plan_store import StoredPlans
from nba_pipeline.tables.catalog import CATALOG, TRANSFORMS

# How far the process lowers its priority to compile statements of one day, which no thread of a run of many days waits for.
NICENESS = 19


@cache
def stored_plans(directory: Path) -> StoredPlans:
    """Return the plans of the catalog's transforms, which are kept in a directory from one process to the next.

    Within a process each is read once: it belongs to the code that was loaded.
    """
    return StoredPlans(directory, TRANSFORMS)


def main(arguments: Sequence[str]) -> None:
    """Compile and keep the plans of tables that have none, and write the name of each table before.

    Statements of one day follow, at a lower priority: a run of many days needs them last, for its replay. They begin with the
    last table, because a run of one day compiles those of the first tables itself meanwhile.

    Args:
        arguments: The directory, and the tables.
    """
    directory, *tables = arguments
    plans = stored_plans(Path(directory))
    for table in tables:
        print(table, flush=True)
        plans.of(CATALOG[table], "duckdb")
    print(flush=True)
    os.nice(NICENESS)
    for table in reversed(tables):
        plans.rows_of_one_day(CATALOG[table])


if __name__ == "__main__":
    collect_rarely()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a file half written is removed
    with suppress(KeyboardInterrupt, BrokenPipeError):
        main(sys.argv[1:])
