"""Results come in the order of their tasks, the next tasks are under way while a result is used, and nothing is left behind."""

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import closing
from types import SimpleNamespace

import duckdb
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common import in_order as module
from nba_pipeline.common.ending import raise_if_ending
from nba_pipeline.common.errors import SourceError
from nba_pipeline.common.in_order import in_order

SECONDS = 10


class Tasks:
    """Tasks that return their numbers, and note which were begun; one in `held` waits, one in `failing` raises."""

    def __init__(self, number: int) -> None:
        self.number, self.begun, self.dropped = number, list[int](), list[int]()
        self.held = dict[int, threading.Event]()
        self.failing = dict[int, Exception]()
        self.started = [threading.Event() for _ in range(number)]

    def done(self, n: int) -> int:
        self.begun.append(n)
        self.started[n].set()
        if n in self.held:
            assert self.held[n].wait(SECONDS)
        if n in self.failing:
            raise self.failing[n]
        return n

    def results(self, at_once: int = 1) -> Generator[int]:
        return in_order([lambda n=n: self.done(n) for n in range(self.number)], self.dropped.append, at_once)


@pytest.mark.parametrize("at_once", [1, 2, 3])
@pytest.mark.parametrize("number", range(5))
def test_all_results_come_in_order(number: int, at_once: int) -> None:
    assert list(Tasks(number).results(at_once)) == list(range(number))


def test_a_result_waits_for_those_of_earlier_tasks() -> None:
    tasks = Tasks(2)
    tasks.held[0] = threading.Event()
    tasks.held[1] = threading.Event()
    tasks.held[1].set()
    with closing(tasks.results(at_once=2)) as results:
        threading.Timer(0.05, tasks.held[0].set).start()
        assert next(results) == 0


@pytest.mark.parametrize("at_once", [1, 2])
def test_so_many_next_tasks_are_under_way_while_a_result_is_used_and_no_more(at_once: int) -> None:
    tasks = Tasks(4)
    with closing(tasks.results(at_once)) as results:
        assert next(results) == 0
        assert all(started.wait(SECONDS) for started in tasks.started[1 : at_once + 1])
        assert not tasks.started[at_once + 1].wait(0.05)


def test_a_first_result_that_others_make_comes_first_and_is_waited_for_while_tasks_are_under_way() -> None:
    tasks = Tasks(3)

    def first() -> int:
        assert tasks.started[1].wait(SECONDS)
        return -1

    found = in_order([lambda n=n: tasks.done(n) for n in range(3)], tasks.dropped.append, 3, first)
    assert list(found) == [-1, 0, 1, 2]


@pytest.mark.parametrize(("at_once", "beside"), [(1, 1), (2, 1), (3, 2)])
def test_a_first_result_counts_among_those_at_once_but_one_task_is_always_beside_it(at_once: int, beside: int) -> None:
    tasks = Tasks(4)

    def first() -> int:
        assert all(started.wait(SECONDS) for started in tasks.started[:beside])
        assert not tasks.started[beside].wait(0.05)
        return -1

    results = in_order([lambda n=n: tasks.done(n) for n in range(4)], tasks.dropped.append, at_once, first)
    with closing(results):
        assert next(results) == -1
        assert all(started.wait(SECONDS) for started in tasks.started[:at_once])
        assert not tasks.started[at_once].wait(0.05)


def test_tasks_beside_a_first_result_that_fails_are_dropped() -> None:
    tasks = Tasks(1)

    def first() -> int:
        assert tasks.started[0].wait(SECONDS)
        raise SourceError("the file is damaged", "replace it")

    with pytest.raises(SourceError, match="damaged"):
        next(in_order([lambda: tasks.done(0)], tasks.dropped.append, 2, first))
    assert tasks.dropped == [0]


def test_two_tasks_are_done_side_by_side() -> None:
    tasks = Tasks(2)
    tasks.held[0] = tasks.started[1]
    assert list(tasks.results(at_once=2)) == [0, 1]


def test_what_was_done_beside_a_task_that_fails_is_dropped() -> None:
    tasks = Tasks(4)
    tasks.failing[1] = SourceError("the file is damaged", "replace it")
    tasks.held[1] = tasks.started[2]
    results = tasks.results(at_once=2)
    assert next(results) == 0
    with pytest.raises(SourceError, match="damaged"):
        next(results)
    assert (sorted(tasks.begun), tasks.dropped) == ([0, 1, 2], [2])


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
    monkeypatch.setattr(duck, "interrupt_statements", lambda _: tasks.held[1].set())
    with closing(tasks.results()) as results:
        next(results)
        assert tasks.started[1].wait(SECONDS)
    assert (tasks.begun, tasks.dropped) == ([0, 1], [1])


def test_work_without_statements_is_told_to_end_and_other_threads_are_not() -> None:
    begun, elsewhere, go_on = threading.Event(), threading.Event(), threading.Event()

    def without_end() -> int:
        begun.set()
        while True:
            raise_if_ending()
            time.sleep(0.001)

    def other() -> None:
        while not go_on.wait(0.001):
            raise_if_ending()
        elsewhere.set()

    beside = threading.Thread(target=other)
    beside.start()
    results = in_order([lambda: 0, without_end], lambda _: None)
    assert next(results) == 0
    assert begun.wait(SECONDS)
    results.close()
    go_on.set()
    beside.join(SECONDS)
    assert elsewhere.is_set()
    raise_if_ending()


def test_where_no_work_is_left_no_other_is_told_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(work: list[Future[int]], timeout: float) -> SimpleNamespace:  # noqa: ARG001
        raise_if_ending()
        return SimpleNamespace(not_done=[])

    monkeypatch.setattr(module, "wait", wait)
    assert module.ended([]) == []


def test_an_interruption_of_the_wait_for_the_last_result_ends_its_task_too(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = Tasks(1)
    tasks.held[0] = threading.Event()
    monkeypatch.setattr(duck, "interrupt_statements", lambda _: tasks.held[0].set())
    monkeypatch.setattr(Future, "result", interrupted_once(tasks))
    with pytest.raises(KeyboardInterrupt):
        next(tasks.results())
    assert (tasks.begun, tasks.dropped) == ([0], [0])


def interrupted_once(tasks: Tasks) -> Callable[..., object]:
    """A wait for a result that a signal interrupts once, as soon as the first task is under way."""
    honest, left = Future.result, [1]

    def result(future: "Future[object]", timeout: float | None = None) -> object:
        if tasks.started[0].wait(0.1) and left:
            left.pop()
            raise KeyboardInterrupt
        return honest(future, timeout)

    return result


def test_only_statements_of_the_named_thread_are_interrupted() -> None:
    interrupted: dict[str, bool] = {}

    def long(name: str) -> None:
        with duck.scratch() as db:
            begun[name].set()
            try:
                db.execute("SELECT count(*) FROM range(40000000) a WHERE hash(a.range) % 7 = 3")
            except duckdb.InterruptException:
                interrupted[name] = True

    begun = {name: threading.Event() for name in ("mine", "other")}
    threads = {name: threading.Thread(target=long, args=(name,)) for name in begun}
    for name, thread in threads.items():
        thread.start()
        assert begun[name].wait(SECONDS)
    while threads["mine"].is_alive():
        duck.interrupt_statements([threads["mine"].ident or 0])
        threads["mine"].join(0.01)
    threads["other"].join()
    assert interrupted == {"mine": True}
