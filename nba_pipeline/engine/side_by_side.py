"""Computes the steps of a plan in two threads, each as soon as the steps that it reads are there.

A step of one day is too small for two threads of DuckDB, but half of the steps of a wide table do not read the other half. They
are tables of a schema of their own, which the connections of both threads see.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count

import duckdb
import pyarrow as pa

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.ending import ended
from nba_pipeline.engine.plan import Query

# A plan of fewer steps is computed before another thread is of use.
LEAST_STEPS = 20

_numbers = count(1)


@contextmanager
def schema_of_its_own(db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Make the tables that a connection names those of a new schema, which goes with all its tables when the block ends.

    Args:
        db: A connection to the database in memory that the process shares.
    """
    name = f"steps_{next(_numbers)}"
    try:
        db.execute(f"CREATE SCHEMA {name}")
        db.execute(f"SET schema = '{name}'")
        yield name
    finally:
        with suppress(duckdb.Error):  # after an internal error, which makes the database useless
            db.execute("SET schema = 'main'")
        with duck.scratch(threads=duck.THREADS) as other:
            other.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


def compute_steps(db: duckdb.DuckDBPyConnection, schema: str, inputs: Mapping[str, pa.Table], rows: Query) -> None:
    """Make the steps of a query tables of a schema, and drop each that only other steps read once these are there.

    Args:
        db: A connection with the inputs, whose tables are those of the schema.
        schema: The schema.
        inputs: The inputs, for the connection of the other thread.
        rows: The query.

    Raises:
        duckdb.Error: A step cannot be computed; no step is begun after that, and none is under way.
        ValueError: A step is named as an input, which would be read in its place.
    """
    if twice := inputs.keys() & {name for name, _ in rows.steps}:
        raise ValueError(f"a step is named as an input: {', '.join(sorted(twice))}")
    work = Work(rows)
    # Whoever interrupts the connections of this thread interrupts both.
    with duck.scratch(threads=duck.THREADS) as other, ThreadPoolExecutor(1, thread_name_prefix="steps") as threads:
        for name, table in inputs.items():
            other.register(name, table)
        other.execute(f"SET schema = '{schema}'")
        other_half = threads.submit(work.do, other)
        try:
            work.do(db)
            other_half.result()
        except BaseException:
            work.stop()
            ended([other_half], [threading.get_ident()])
            raise


class Work:
    """The steps of a query that are left to compute, for any number of threads."""

    def __init__(self, rows: Query) -> None:
        self._statements = dict(rows.steps)
        self._readers = readers_of(rows.steps)
        self._needs = {
            name: {n for n, readers in self._readers.items() if name in readers} for name in self._statements
        }
        self._kept = {name for name, readers in self._readers.items() if not readers or f'"{name}"' in rows.statement}
        self._left = by_what_waits(rows.steps, self._readers)
        self._done: set[str] = set()
        self._stopped = False
        self._changed = threading.Condition()  # guards these

    def do(self, db: duckdb.DuckDBPyConnection) -> None:
        """Compute steps until all are begun; the other threads stop where one fails."""
        try:
            while name := self._begin():
                db.execute(f'CREATE TABLE "{name}" AS {self._statements[name]}')
                for unread in self._finish(name):
                    db.execute(f'DROP TABLE "{unread}"')
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Let no thread begin a further step."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _begin(self) -> str | None:
        """Wait for a step that can be computed; None when all are begun, or it was stopped."""
        with self._changed:
            while self._left and not self._stopped:
                for name in self._left:
                    if self._needs[name] <= self._done:
                        self._left.remove(name)
                        return name
                self._changed.wait()
        return None

    def _finish(self, name: str) -> list[str]:
        """Note that a step is there, and return those that nothing will read any more."""
        with self._changed:
            self._done.add(name)
            self._changed.notify_all()
            return [n for n in self._needs[name] if n not in self._kept and self._readers[n] <= self._done]


def readers_of(steps: Sequence[tuple[str, str]]) -> dict[str, set[str]]:
    """Return for each step the later ones that read it."""
    return {
        name: {n for n, statement in steps[i + 1 :] if f'"{name}"' in statement} for i, (name, _) in enumerate(steps)
    }


def by_what_waits(steps: Sequence[tuple[str, str]], readers: Mapping[str, set[str]]) -> list[str]:
    """Return the steps in the order to begin them in: first those behind which the longest chain of statements waits.

    Args:
        steps: The steps, in an order in which they can be computed.
        readers: For each step those that read it.
    """
    behind: dict[str, int] = {}
    for name, statement in reversed(steps):
        behind[name] = len(statement) + max((behind[n] for n in readers[name]), default=0)
    return sorted(behind, key=lambda name: -behind[name])
