"""Work in order, of which the next piece is done in a thread while the result of the last one is used."""

import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from nba_pipeline.common import duckdb as duck

POLL_SECONDS = 0.1
T = TypeVar("T")


def one_ahead(tasks: Iterable[Callable[[], T]], drop: Callable[[T], None]) -> Generator[T]:
    """Yield the results of the tasks, in order; the next task is under way while the caller uses a result.

    What a task raises is raised where its result would come, and no further task is begun. A caller who stops ends the task that
    is under way, and no work of other threads.

    Args:
        tasks: The tasks. No two are done at once.
        drop: Drops a result that the caller did not take.
    """
    begun: Future[T] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="one-ahead") as thread:
        number = thread.submit(threading.get_ident).result()
        try:
            for task in tasks:
                earlier, begun = begun, _after(begun, thread, task)
                if earlier:
                    yield earlier.result()
            if begun:
                result = begun.result()
                begun = None
                yield result
        finally:
            for result in ended([begun] if begun else [], number):
                drop(result)


def _after(earlier: "Future[T] | None", thread: ThreadPoolExecutor, task: Callable[[], T]) -> "Future[T]":
    """Begin a task once the earlier one has its result: after an error none is begun."""
    if earlier:
        earlier.result()
    return thread.submit(task)


def ended(begun: "Iterable[Future[T]]", thread: int | None = None) -> list[T]:
    """End work in threads, and return the results of what was done all the same.

    Args:
        begun: The work.
        thread: The thread whose statements are interrupted; None for all of this process.
    """
    left = [work for work in begun if not work.cancel()]
    while wait(left, timeout=POLL_SECONDS).not_done:
        duck.interrupt_statements(thread)
    return [work.result() for work in left if work.exception() is None]
