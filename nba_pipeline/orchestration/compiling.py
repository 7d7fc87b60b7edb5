"""Compiles the plans of a run in a process of its own, while the run computes with those that are there.

Compiling is Python alone, of which one thread of a process works at a time: beside it nothing else of the run would go on but
statements that are under way. The process keeps each plan where the run finds it. The run itself compiles a plan that it needs
and that the process has not begun or, having ended early, left out; so the run raises the error of a plan that does not compile.
"""

import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Thread

from nba_pipeline.common.environment import environment_with
from nba_pipeline.config.settings import Settings
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.tables.plans import stored_plans

MODULE = stored_plans.__module__
# Fewer are compiled before another process has loaded what compiles.
LEAST = 5
PATIENCE_SECONDS = 2.0


class Compiling:
    """A process that compiles plans, one table after the other."""

    def __init__(self, directory: Path, tables: Collection[str]) -> None:
        """Begin.

        Args:
            directory: Where the plans are kept.
            tables: The tables, in order.
        """
        self._current = ""
        self._changed = Condition()  # guards it
        paths = os.pathsep.join(p for p in sys.path if p)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-m", MODULE, str(directory), *tables],
            env=environment_with({"PYTHONPATH": paths}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # the run compiles the plan itself and raises the error
            text=True,
        )
        self._thread = Thread(target=self._follow, name="compiling", daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._set_current(line.strip())
        self._set_current("")

    def _set_current(self, table: str) -> None:
        with self._changed:
            self._current = table
            self._changed.notify_all()

    def wait(self, table: str) -> None:
        """Wait while the plan of this table is being compiled."""
        with self._changed:
            self._changed.wait_for(lambda: self._current != table)

    def close(self) -> None:
        """End the process, which removes what it was about to write."""
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join()
        assert self._process.stdout
        self._process.stdout.close()


_under_way: list[Compiling] = []


@contextmanager
def compiling(settings: Settings, tables: Collection[str]) -> Iterator[None]:
    """Compile, until the block ends, plans of a run that are missing; within another such block nothing more.

    Args:
        settings: The settings of the run.
        tables: The tables of the run.
    """
    missing = {t.table.id for t in stored_plans(settings.cache).missing("duckdb")}
    # Tables that read none are needed first, before the other process is ready.
    wanted = sorted((t for t in graph_order() if t in tables and t in missing), key=lambda t: not CATALOG[t].upstream())
    if _under_way or len(wanted) < LEAST:
        yield
        return
    _under_way.append(Compiling(settings.cache, wanted))
    try:
        yield
    finally:
        _under_way.pop().close()


def wait_for_plan(table: str) -> None:
    """Wait while another process compiles the plan of a table; not where it has not begun."""
    for each in list(_under_way):
        each.wait(table)
