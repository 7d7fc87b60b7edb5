"""Prepares tables of a run in threads of their own, while the run's own thread stores others and reports them to Dagster.

Nothing is published or reported here: a table is read, computed and audited as soon as all that it reads in this run is
published, and waits for its step. A step whose table was not begun computes it itself. Of many days only the first block is
prepared here, and the step computes the next ones, also while the first one is under way. What goes wrong with a table is raised
in its step.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from threading import Lock

from nba_pipeline.common.in_order import ended
from nba_pipeline.config.settings import Settings
from nba_pipeline.engine.blocks import SHORT
from nba_pipeline.engine.prepare import Prepared
from nba_pipeline.engine.transform import Transform
from nba_pipeline.orchestration.live_ingest import fetches
from nba_pipeline.orchestration.table_run import TableRun, open_table_run
from nba_pipeline.tables.catalog import CATALOG, graph_order, schedule_read

# Two, for two cores.
PREPARING = 2
# Of a run of many days: more would be in memory at once.
MOST_OF_LONG = 4


class Ahead:
    """The tables of one run that are prepared before their steps."""

    def __init__(
        self,
        needs: Mapping[str, set[str]],
        open_run: Callable[[str], TableRun],
        threads: int = PREPARING,
        most: int | None = None,
    ) -> None:
        """Begin the tables that need no other.

        Args:
            needs: The tables to prepare, in the order of the run, each with those that must be published before.
            open_run: Opens what a table is prepared with.
            threads: How many tables are prepared at once.
            most: How many tables may be begun and not taken, so that few are in memory; None for any number.
        """
        self._needs, self._open_run, self._most = {t: set(n) for t, n in needs.items()}, open_run, most
        self._begun: dict[str, Future[TableRun]] = {}
        self._opened: dict[str, TableRun] = {}
        self._lock = Lock()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="ahead")
        self._submit()

    def take(self, table: str) -> TableRun | None:
        """Return the prepared table, which is waited for where it was begun; None where the caller has to compute it.

        Raises:
            Exception: What went wrong when it was prepared.
        """
        with self._lock:
            self._needs.pop(table, None)
            begun = self._begun.get(table)
        try:
            return None if begun is None or begun.cancel() else begun.result()
        finally:
            if begun is None or begun.done():  # else the wait was interrupted, and `close` stops it
                with self._lock:
                    self._begun.pop(table, None)
                    self._opened.pop(table, None)
                self._submit()

    def opened(self, table: str) -> TableRun | None:
        """Return what a table is prepared with while it is under way; None before, and once it is ready."""
        with self._lock:
            begun = self._begun.get(table)
            return self._opened.get(table) if begun is not None and begun.running() else None

    def is_under_way(self, table: str) -> bool:
        """Return whether the table was begun and is not ready."""
        with self._lock:
            begun = self._begun.get(table)
        return begun is not None and begun.running()

    def published(self, table: str) -> None:
        """Begin the tables that needed only this one."""
        with self._lock:
            for needed in self._needs.values():
                needed.discard(table)
        self._submit()

    def _submit(self) -> None:
        with self._lock:
            free = None if self._most is None else max(self._most - len(self._begun), 0)
            for table in [t for t, needed in self._needs.items() if not needed][:free]:
                del self._needs[table]
                self._begun[table] = self._threads.submit(self._prepared, table)

    def _prepared(self, table: str) -> TableRun:
        run = self._open_run(table)
        with self._lock:
            self._opened[table] = run
        return run.prepare()

    def close(self) -> None:
        """Stop what was begun and not taken, and drop its rows."""
        with self._lock:
            self._needs.clear()
            begun = list(self._begun.values())
        for run in ended(begun):
            if run.prepared:
                run.prepared.close()
        self._threads.shutdown()


class _Run:
    """A run whose first step begins to prepare the tables of the others."""

    def __init__(self, run_id: str, tables: Sequence[str], tags: Mapping[str, str]) -> None:
        self.run_id, self.tables, self.tags = run_id, tables, tags
        self.ahead: Ahead | None = None

    def begin(self, first: str, days: Sequence[date], settings: Settings) -> Ahead:
        """Begin, once, the tables but that of the first step, which it computes itself."""

        def opened(table: str) -> TableRun:
            return open_table_run(CATALOG[table], tuple(days), settings, self.run_id)

        if self.ahead is None:
            needs = _needs(self.tables, self.tags, settings)
            others = {t: n for t, n in needs.items() if t != first}
            self.ahead = Ahead(others, opened, most=None if len(days) <= SHORT else MOST_OF_LONG)
        return self.ahead


@dataclass(frozen=True)
class Meanwhile:
    """What the run's own thread does instead of waiting for a table that is under way.

    Attributes:
        table: The table that is waited for.
        step: The step that it is done for, as `table_of` names it: without it in the run, it is left out.
        work: Does it, given the id, the days and the settings of the run. It publishes nothing, and what goes wrong is for the
            step to meet.
    """

    table: str
    step: str
    work: Callable[[str, Sequence[date], Settings], None]


_runs: dict[str, _Run] = {}
_meanwhile: dict[str, Meanwhile] = {}


def instead_of_waiting(meanwhile: Meanwhile) -> None:
    """Let every run of this process do this, in place of what it did for the step before.

    Args:
        meanwhile: What, and when.
    """
    _meanwhile[meanwhile.step] = meanwhile


@contextmanager
def preparing_ahead(run_id: str, tables: Sequence[str], tags: Mapping[str, str]) -> Iterator[None]:
    """Let the steps of a run take tables that are prepared ahead of them, until the block ends.

    Args:
        run_id: The id of the run.
        tables: The tables of the run.
        tags: The tags of the run.
    """
    _runs[run_id] = run = _Run(run_id, tables, tags)
    try:
        yield
    finally:
        del _runs[run_id]
        if run.ahead:
            run.ahead.close()


def _needs(tables: Sequence[str], tags: Mapping[str, str], settings: Settings) -> dict[str, set[str]]:
    """Return the tables to prepare, each with the tables of the run that it reads.

    Left out are tables that BigQuery holds, and those whose step fetches what it reads.
    """
    if settings.warehouse != "duckdb":
        return {}
    needs = {}
    for table in (t for t in graph_order() if t in tables):
        transform = CATALOG[table]
        if fetches(settings, tags) and (transform.feeds or transform.witnesses):
            continue
        schedule = schedule_read(transform)
        read = {t.id for t in transform.upstream()} | ({schedule.table.id} if schedule else set())
        needs[table] = read & set(tables)
    return needs


def take(run_id: str, transform: Transform, days: Sequence[date], settings: Settings) -> TableRun | None:
    """Return a table's days that were or are prepared for a run; None where they are not.

    The first block of many days is not waited for: the next ones can be computed beside it.

    Args:
        run_id: The id of the run.
        transform: What computes the table.
        days: The days of the run.
        settings: The settings of the run.

    Raises:
        Exception: What went wrong when they were prepared.
    """
    if run_id not in _runs or CATALOG.get(transform.table.id) is not transform:
        return None
    run, table = _runs[run_id], transform.table.id
    ahead = run.begin(table, days, settings)
    for other in _meanwhile.values():
        if other.table == table and other.step in run.tables and ahead.is_under_way(table):
            other.work(run_id, days, settings)
    if len(days) > SHORT and (opened := ahead.opened(table)):
        return replace(opened, under_way=partial(_first, ahead, table))
    return ahead.take(table)


def _first(ahead: Ahead, table: str) -> Prepared:
    """Wait for the first block of a table that was under way."""
    run = ahead.take(table)
    assert run and run.prepared, "what has begun cannot be taken back, and only the step of the table takes it"
    return run.prepared


def published(run_id: str, table: str) -> None:
    """Tell a run that a table of it is published."""
    if run_id in _runs and (ahead := _runs[run_id].ahead):
        ahead.published(table)
