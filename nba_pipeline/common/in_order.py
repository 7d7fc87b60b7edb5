"""Work whose results are used in order, while threads do the next pieces of it."""

import threading
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.ending import ending

POLL_SECONDS = 0.1
T = TypeVar("T")


def in_order(
    tasks: Iterable[Callable[[], T]],
    drop: Callable[[T], None],
    at_once: int = 1,
    first: Callable[[], T] | None = None,
) -> Generator[T]:
    """Yield the results of the tasks, in order; the next tasks are under way while the caller uses a result.

    What a task raises is raised where its result would come, and no task is begun after that. A caller who stops ends the tasks
    that are under way, and no work of other threads.

    Args:
        tasks: The tasks.
        drop: Drops a result that the caller did not take.
        at_once: How many tasks are under way, or done and not taken, at once.
        first: Waits for a result that comes before those of the tasks, and that others make; None where there is none. It counts
            among those at once, but one task is always under way beside it.
    """
    left, begun, numbers = iter(tasks), deque[Future[T]](), list[int]()

    def note_thread() -> None:
        numbers.append(threading.get_ident())

    def begin(number: int) -> None:
        begun.extend(threads.submit(task) for task in islice(left, number))

    with ThreadPoolExecutor(at_once, thread_name_prefix="in-order", initializer=note_thread) as threads:
        try:
            begin(max(at_once - 1, 1) if first else at_once)
            if first:
                result = first()
                begin(at_once - len(begun))
                yield result
            while begun:
                result = begun[0].result()
                del begun[0]
                begin(1)
                yield result
        finally:
            for result in ended(begun, numbers):
                drop(result)


def ended(begun: "Iterable[Future[T]]", threads: Collection[int] | None = None) -> list[T]:
    """End work in threads, and return the results of what was done all the same.

    Args:
        begun: The work.
        threads: The threads whose statements are interrupted, and that are requested to stop; None for all of this process.
    """
    left = [work for work in begun if not work.cancel()]
    with ending(threads if left else ()):
        while wait(left, timeout=POLL_SECONDS).not_done:
            duck.interrupt_statements(threads)
    return [work.result() for work in left if work.exception() is None]
