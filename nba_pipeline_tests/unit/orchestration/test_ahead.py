"""Tables of a run are prepared once what they read is published, each for one step only, and none outlives the run."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import SourceError
from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration import ahead as module
from nba_pipeline.orchestration.ahead import Ahead
from nba_pipeline.orchestration.tags import BY
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline_tests.support import day

FACTS, FORM, PRICES = "facts", "form", "prices"
SECONDS = 10.0


class Kitchen:
    """Prepares tables, notes which, and says which were dropped; a table in `held` waits until it is let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.dropped: list[str] = []
        self.held: dict[str, threading.Event] = {}
        self.failing: dict[str, Exception] = {}
        self.started = threading.Semaphore(0)

    def wait_for(self, *tables: str) -> None:
        """Wait until so many more tables are begun, and check that they are these."""
        for _ in tables:
            assert self.started.acquire(timeout=SECONDS)
        assert self.begun[-len(tables) :] == list(tables)

    def __call__(self, table: str) -> Any:
        self.begun.append(table)
        self.started.release()
        return SimpleNamespace(prepare=lambda: self._prepared(table))

    def _prepared(self, table: str) -> Any:
        if table in self.held:
            assert self.held[table].wait(SECONDS)
        if table in self.failing:
            raise self.failing[table]
        return SimpleNamespace(table=table, prepared=SimpleNamespace(close=lambda: self.dropped.append(table)))


@pytest.fixture
def kitchen() -> Kitchen:
    return Kitchen()


@pytest.fixture
def opened(kitchen: Kitchen) -> Iterator[Callable[[dict[str, set[str]]], Ahead]]:
    made: list[Ahead] = []

    def opens(needs: dict[str, set[str]]) -> Ahead:
        made.append(Ahead(needs, kitchen, threads=1))
        return made[-1]

    yield opens
    for event in kitchen.held.values():
        event.set()
    for each in made:
        each.close()


def test_a_table_is_begun_when_all_it_needs_is_published(
    kitchen: Kitchen, opened: Callable[[dict[str, set[str]]], Ahead]
) -> None:
    ahead = opened({FACTS: set(), FORM: {FACTS, PRICES}})
    kitchen.wait_for(FACTS)
    assert ahead.take(FACTS) is not None
    ahead.published(FACTS)
    assert kitchen.begun == [FACTS]
    ahead.published(PRICES)
    kitchen.wait_for(FORM)
    taken: Any = ahead.take(FORM)
    assert (taken.table, kitchen.begun) == (FORM, [FACTS, FORM])


def test_a_step_computes_itself_what_was_not_begun_and_it_is_never_begun_again(
    kitchen: Kitchen, opened: Callable[[dict[str, set[str]]], Ahead]
) -> None:
    kitchen.held[FACTS] = threading.Event()
    ahead = opened({FACTS: set(), PRICES: set(), FORM: {FACTS}})
    kitchen.wait_for(FACTS)
    assert ahead.take(PRICES) is None  # queued behind the facts
    assert ahead.take(FORM) is None  # waits for the facts
    kitchen.held[FACTS].set()
    assert ahead.take(FACTS) is not None
    ahead.published(FACTS)
    assert ahead.take(FACTS) is None  # a second attempt of the step computes anew
    ahead.close()
    assert kitchen.begun == [FACTS]


def test_an_error_is_raised_in_the_step_of_its_table_only(
    kitchen: Kitchen, opened: Callable[[dict[str, set[str]]], Ahead]
) -> None:
    kitchen.failing[FACTS] = SourceError("the file of facts is damaged", "replace it")
    ahead = opened({FACTS: set(), PRICES: set()})
    kitchen.wait_for(FACTS)
    kitchen.wait_for(PRICES)
    assert ahead.take(PRICES) is not None
    with pytest.raises(SourceError, match="the file of facts is damaged"):
        ahead.take(FACTS)
    assert ahead.take(FACTS) is None  # a second attempt of the step computes anew


def test_the_end_of_a_run_drops_what_no_step_took_and_stops_what_is_under_way(
    kitchen: Kitchen, opened: Callable[[dict[str, set[str]]], Ahead], monkeypatch: pytest.MonkeyPatch
) -> None:
    kitchen.held[FORM] = threading.Event()
    monkeypatch.setattr(duck, "interrupt_statements", lambda _: kitchen.held[FORM].set())
    ahead = opened({FACTS: set(), FORM: set(), PRICES: set()})
    kitchen.wait_for(FACTS)
    kitchen.wait_for(FORM)
    ahead.close()
    assert kitchen.begun == [FACTS, FORM]
    assert sorted(kitchen.dropped) == [FACTS, FORM]


def test_several_tables_are_prepared_at_once(kitchen: Kitchen) -> None:
    kitchen.held = {FACTS: threading.Event(), FORM: threading.Event()}
    ahead = Ahead({FACTS: set(), FORM: set()}, kitchen)
    for _ in kitchen.held:
        assert kitchen.started.acquire(timeout=SECONDS)
    for event in kitchen.held.values():
        event.set()
    assert ahead.take(FORM) is not None
    assert ahead.take(FACTS) is not None
    ahead.close()


def needs(tags: dict[str, str] | None = None, **environment: str) -> dict[str, set[str]]:
    settings = Settings.from_environment({"NBA_PIPELINE_HOME": str(Path.cwd()), **environment})
    return module._needs(graph_order(), tags or {}, settings)


def test_every_table_waits_for_all_it_reads_and_for_the_schedule() -> None:
    found = needs()
    assert list(found) == graph_order()
    for table, needed in found.items():
        assert {t.id for t in CATALOG[table].upstream()} <= needed
        assert "nba_raw.schedule" in {table, *needed}


def test_of_many_days_few_tables_are_in_memory_at_once(kitchen: Kitchen) -> None:
    ahead = Ahead({FACTS: set(), FORM: set(), PRICES: set()}, kitchen, most=2)
    for _ in (FACTS, FORM):
        assert kitchen.started.acquire(timeout=SECONDS)
    assert not kitchen.started.acquire(timeout=0.05)
    assert ahead.take(FACTS) is not None
    kitchen.wait_for(PRICES)
    ahead.close()


def test_what_a_step_fetches_is_not_read_before() -> None:
    fetched = needs({BY: "overnight"}, NBA_PIPELINE_SOURCE="nba_stats")
    assert fetched and not any(CATALOG[t].feeds or CATALOG[t].witnesses for t in fetched)
    assert needs({}, NBA_PIPELINE_SOURCE="nba_stats").keys() == CATALOG.keys()


def test_a_transform_that_is_not_of_the_catalog_is_computed_by_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the catalog's own, others are begun as soon as the first step asks; a variant of a table must not get its rows."""
    asked: list[str] = []
    monkeypatch.setattr(module._Run, "begin", lambda _, first, *__: asked.append(first) or Ahead({}, Kitchen()))
    own, settings = CATALOG["nba_raw.schedule"], Settings.from_environment()
    with module.preparing_ahead("run", graph_order(), {}):
        assert module.take("run", replace(own), [day("2024-01-05")], settings) is None
        assert module.take("other", own, [day("2024-01-05")], settings) is None
        assert asked == []
        assert module.take("run", own, [day("2024-01-05")], settings) is None
        assert asked == ["nba_raw.schedule"]


@pytest.mark.parametrize(
    ("steps", "under_way", "done"),
    [(("nba_raw.schedule", "a.check"), True, 1), (("nba_raw.schedule",), True, 0), (("a.check",), False, 0)],
    ids=["waiting", "without the step", "ready"],
)
def test_work_is_done_for_a_step_of_the_run_instead_of_waiting_for_a_table(
    kitchen: Kitchen,
    opened: Callable[[dict[str, set[str]]], Ahead],
    monkeypatch: pytest.MonkeyPatch,
    steps: tuple[str, ...],
    under_way: bool,
    done: int,
) -> None:
    table, worked = CATALOG["nba_raw.schedule"], list[str]()
    kitchen.held[table.table.id] = threading.Event()
    begun = opened({table.table.id: set()})
    kitchen.wait_for(table.table.id)
    if not under_way:
        kitchen.held[table.table.id].set()
        begun._begun[table.table.id].result(SECONDS)

    def work(run_id: str, *_: object) -> None:
        worked.append(run_id)

    monkeypatch.setattr(module, "_meanwhile", {})
    module.instead_of_waiting(module.Meanwhile(table.table.id, "a.check", work))
    monkeypatch.setattr(module._Run, "begin", lambda *_: begun)
    threading.Timer(0.05, kitchen.held[table.table.id].set).start()
    with module.preparing_ahead("run", steps, {}):
        assert module.take("run", table, [day("2024-01-05")], Settings.from_environment()) is not None
    assert worked == ["run"] * done
