"""Results come in the order of their tasks, one task is under way while a result is used, and nothing is left behind."""

import threading
from collections.abc import Generator
from contextlib import closing

import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import SourceError
from nba_pipeline.common.one_ahead import one_ahead

SECONDS = 10


class Tasks:
    """Tasks that return their numbers, and note which were begun; one in `held` waits, one in `failing` raises."""

    def __init__(self, number: int) -> None:
        self.number, self.begun, self.dropped = number, list[int](), list[int]()
        self.held = dict[int, threading.Event]()
        self.failing = dict[int, Exception]()
        self.started = [threading.Event() for _ in range(number)]

    def _done(self, n: int) -> int:
        self.begun.append(n)
        self.started[n].set()
        if n in self.held:
            assert self.held[n].wait(SECONDS)
        if n in self.failing:
            raise self.failing[n]
        return n

    def results(self) -> Generator[int]:
        return one_ahead([lambda n=n: self._done(n) for n in range(self.number)], self.dropped.append)


@pytest.mark.parametrize("number", range(4))
def test_all_results_come_in_order(number: int) -> None:
    assert list(Tasks(number).results()) == list(range(number))


def test_the_next_task_is_under_way_while_a_result_is_used_and_the_one_after_it_is_not() -> None:
    tasks = Tasks(3)
    with closing(tasks.results()) as results:
        assert next(results) == 0
        assert tasks.started[1].wait(SECONDS)
        assert not tasks.started[2].wait(0.05)


def test_an_error_comes_where_its_result_would_and_no_later_task_is_begun() -> None:
    tasks = Tasks(4)
    tasks.failing[1] = SourceError("the file is damaged", "replace it")
    results = tasks.results()
    assert next(results) == 0
    with pytest.raises(SourceError, match="damaged"):
        next(results)
    assert (tasks.begun, tasks.dropped) == ([0, 1], [])


def test_a_caller_who_stops_interrupts_the_task_that_is_under_way_and_drops_its_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tasks = Tasks(3)
    tasks.held[1] = threading.Event()
    monkeypatch.setattr(duck, "interrupt_statements", tasks.held[1].set)
    with closing(tasks.results()) as results:
        next(results)
        assert tasks.started[1].wait(SECONDS)
    assert (tasks.begun, tasks.dropped) == ([0, 1], [1])
