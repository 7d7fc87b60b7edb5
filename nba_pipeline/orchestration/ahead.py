"""Prepares blocks of a run in threads of their own, while the run's own thread stores others and reports them to Dagster.

Nothing is published or reported here: a block of days of a table is read, computed and audited as soon as the days that it reads
in this run are published, and waits for the step of its table. Blocks are begun in the order of the run: those of a table before
those of the tables after it. A step computes itself what was not begun. What goes wrong with a block is raised in the step of its
table.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from threading import Lock, get_ident

from nba_pipeline.common.ending import ended
from nba_pipeline.config.settings import Settings
from nba_pipeline.engine.blocks import SHORT
from nba_pipeline.engine.prepare import Prepared
from nba_pipeline.engine.readiness import last_days_needed
from nba_pipeline.engine.transform import Transform
from nba_pipeline.orchestration import interrupts
from nba_pipeline.orchestration.live_ingest import fetches
from nba_pipeline.orchestration.table_run import TableRun, open_table_run
from nba_pipeline.tables.catalog import CATALOG, blocks_of, graph_order, schedule_read

# Two, for two cores.
PREPARING = 2
# How many blocks of a run of many days may be begun and not taken, of one market and of several: more need too much memory.
MOST_OF_LONG = 4
MOST_OF_MARKETS = 3

# A table, and the number of a block of its days.
Block = tuple[str, int]


class Ahead:
    """The blocks of one run that are prepared before their steps."""

    def __init__(
        self,
        needs: Mapping[str, Sequence[Mapping[str, date]]],
        open_run: Callable[[str], TableRun],
        threads: int = PREPARING,
        most: float = math.inf,
    ) -> None:
        """Begin the blocks that need no other table.

        Args:
            needs: The tables to prepare, in the order of the run, each with its blocks: for each table that a block reads,
                the last day that must be published before.
            open_run: Opens what a table is prepared with.
            threads: How many blocks are prepared at once.
            most: How many blocks may be begun and not taken, so that few are in memory.
        """
        self._needs = {(t, n): dict(needed) for t, blocks in needs.items() for n, needed in enumerate(blocks)}
        self._open_run, self._threads, self._most = open_run, threads, most
        self._begun: dict[Block, Future[Prepared]] = {}
        self._running = 0
        self._threads_of: dict[Block, int] = {}  # those that run
        self._held = False
        self._lock = Lock()  # guards these
        self._runs: dict[str, TableRun] = {}
        self._opening = {table: Lock() for table in needs}
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ahead")
        self._submit()

    def prepares(self, table: str) -> bool:
        """Return whether the table is one of those to prepare."""
        return table in self._opening

    def opened(self, table: str) -> TableRun:
        """Return what a table is prepared with, the same for all its blocks.

        Raises:
            Exception: It cannot be opened.
        """
        with self._opening[table]:
            if table not in self._runs:
                self._runs[table] = self._open_run(table)
            return self._runs[table]

    def take(self, table: str, block: int) -> Prepared | None:
        """Return a prepared block, which is waited for where it was begun; None where the caller has to compute it.

        Raises:
            Exception: What went wrong when it was prepared.
        """
        with self._lock:
            self._needs.pop((table, block), None)
            begun = self._begun.get((table, block))
        if begun is None:
            return None
        wait([begun])
        with self._lock:
            del self._begun[table, block]
        self._submit()
        return begun.result()

    def is_under_way(self, table: str) -> bool:
        """Return whether the first block of the table was begun and is not ready."""
        with self._lock:
            begun = self._begun.get((table, 0))
        return begun is not None and not begun.done()

    def published(self, table: str, through: date) -> None:
        """Begin the blocks that needed only these days of this table.

        Args:
            table: The table.
            through: The last day up to which it is published.
        """
        with self._lock:
            for needed in self._needs.values():
                if table in needed and needed[table] <= through:
                    del needed[table]
        self._submit()

    def drop(self, tables: Collection[str]) -> None:
        """Begin no more blocks of these tables, stop those that are under way, and drop their rows.

        Args:
            tables: Tables whose steps take no more blocks.
        """
        with self._lock:
            self._needs = {block: needed for block, needed in self._needs.items() if block[0] not in tables}
            dropped = {block: work for block, work in self._begun.items() if block[0] in tables}
            threads = [thread for block, thread in self._threads_of.items() if block in dropped]
            self._held = True  # the threads that are requested to stop begin nothing else before they have
        try:
            _close(ended(dropped.values(), threads))
            with self._lock:
                self._running -= sum(work.cancelled() for work in dropped.values())
                for block in dropped:
                    del self._begun[block]
        finally:
            with self._lock:
                self._held = False
            self._submit()

    def _submit(self) -> None:
        """Begin as many blocks as there are threads without work."""
        with self._lock:
            while not self._held and self._running < self._threads and len(self._begun) < self._most:
                block = next((b for b, needed in self._needs.items() if not needed), None)
                if block is None:
                    return
                del self._needs[block]
                self._running += 1
                self._begun[block] = self._pool.submit(self._prepared, *block)

    def _prepared(self, table: str, block: int) -> Prepared:
        with self._lock:
            self._threads_of[table, block] = get_ident()
        try:
            return self.opened(table).prepare(block)
        finally:
            with self._lock:
                self._running -= 1
                del self._threads_of[table, block]
            self._submit()

    def close(self) -> None:
        """Stop what was begun and not taken, and drop its rows."""
        with self._lock:
            self._needs.clear()
            begun = list(self._begun.values())
        _close(ended(begun))
        self._pool.shutdown()


def _close(blocks: Sequence[Prepared]) -> None:
    for made in blocks:
        made.close()


class _Run:
    """A run whose first step begins to prepare its tables."""

    def __init__(self, run_id: str, tables: Sequence[str], tags: Mapping[str, str]) -> None:
        self.run_id, self.tables, self.tags = run_id, tables, tags
        self.ahead: Ahead | None = None

    def begin(self, days: Sequence[date], settings: Settings) -> Ahead:
        """Begin to prepare the tables, once."""

        def opened(table: str) -> TableRun:
            return open_table_run(CATALOG[table], tuple(days), settings, self.run_id)

        if self.ahead is None:
            needs = _needs(self.tables, self.tags, settings, days)
            most = MOST_OF_LONG if len(settings.markets) == 1 else MOST_OF_MARKETS
            self.ahead = Ahead(needs, opened, most=math.inf if len(days) <= SHORT else most)
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


def _needs(
    tables: Sequence[str], tags: Mapping[str, str], settings: Settings, days: Sequence[date]
) -> dict[str, list[dict[str, date]]]:
    """Return the tables to prepare, each with its blocks: the tables of the run that each reads, and the last day that it needs.

    Left out are tables that BigQuery holds, and those whose step fetches what it reads. Days before the run need not be waited
    for.
    """
    if settings.warehouse != "duckdb":
        return {}
    needs, first = {}, min(days)
    for table in (t for t in graph_order() if t in tables):
        transform = CATALOG[table]
        if fetches(settings, tags) and (transform.feeds or transform.witnesses):
            continue
        schedule = schedule_read(transform)
        reads = [*transform.reads.values(), *([schedule] if schedule else [])]
        last = [last_days_needed(reads, block) for block in blocks_of(transform, days, len(settings.markets))]
        needs[table] = [
            {t: day for t, day in of_block.items() if t in tables and t != table and day >= first} for of_block in last
        ]
    return needs


def take(run_id: str, transform: Transform, days: Sequence[date], settings: Settings) -> TableRun | None:
    """Return a table's days whose blocks are prepared for a run; None where they are not.

    Args:
        run_id: The id of the run.
        transform: What computes the table.
        days: The days of the run.
        settings: The settings of the run.

    Raises:
        Exception: The table cannot be opened.
    """
    if run_id not in _runs or CATALOG.get(transform.table.id) is not transform:
        return None
    run, table = _runs[run_id], transform.table.id
    ahead = run.begin(days, settings)
    if not ahead.prepares(table):
        return None
    for other in _meanwhile.values():
        if other.table == table and other.step in run.tables and ahead.is_under_way(table):
            other.work(run_id, days, settings)
    return replace(ahead.opened(table), ready=partial(ahead.take, table))


def published(run_id: str, table: str, through: date) -> None:
    """Tell a run that a table of it is published up to a day."""
    if run_id in _runs and (ahead := _runs[run_id].ahead):
        ahead.published(table, through)


@contextmanager
def dropping_on_error(run_id: str, table: str) -> Iterator[None]:
    """Drop what a run has prepared of a table, and of those below it, whose steps take nothing any more, if the block fails.

    Args:
        run_id: The id of the run.
        table: The table.
    """
    try:
        yield
    except BaseException:
        interrupts.is_requested()  # an interruption is noticed before the threads are waited for, which may take seconds
        if run_id in _runs and (ahead := _runs[run_id].ahead):
            ahead.drop(_with_those_below(table))
        raise


def _with_those_below(table: str) -> set[str]:
    found = {table}
    for other in graph_order():
        if found & {t.id for t in CATALOG[other].upstream()}:
            found.add(other)
    return found
