"""Work in threads is ended: what was done is kept, what has not begun never is, and other threads go on."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import duckdb
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common import ending as module
from nba_pipeline.common.ending import ended, raise_if_ending

SECONDS = 10


def test_what_was_done_is_returned_what_fails_is_not_and_what_has_not_begun_never_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on, done = threading.Event(), threading.Event(), list[int]()

    def held() -> int:
        begun.set()
        assert go_on.wait(SECONDS)
        return 1

    def failing() -> int:
        raise ValueError

    monkeypatch.setattr(duck, "interrupt_statements", lambda _: go_on.set())
    with ThreadPoolExecutor(1) as threads:
        work = [threads.submit(f) for f in (lambda: 0, failing, held, lambda: done.append(3) or 3)]
        assert begun.wait(SECONDS)
        assert ended(work) == [0, 1]
    assert done == []


def test_work_without_statements_is_told_to_end_and_other_threads_are_not() -> None:
    begun, elsewhere, go_on = threading.Event(), threading.Event(), threading.Event()
    numbers = list[int]()

    def without_end() -> int:
        numbers.append(threading.get_ident())
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
    with ThreadPoolExecutor(1) as threads:
        work = threads.submit(without_end)
        assert begun.wait(SECONDS)
        assert ended([work], numbers) == []
    go_on.set()
    beside.join(SECONDS)
    assert elsewhere.is_set()
    raise_if_ending()


def test_where_no_work_is_left_no_other_is_told_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(work: list[Future[int]], timeout: float) -> SimpleNamespace:  # noqa: ARG001
        raise_if_ending()
        return SimpleNamespace(not_done=[])

    monkeypatch.setattr(module, "wait", wait)
    assert ended([]) == []


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
