"""Blocks of a run are prepared once what they read is published, each for one step only, and none outlives the run."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.ending import EndedError, raise_if_ending
from nba_pipeline.common.errors import SourceError
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.orchestration import ahead as module
from nba_pipeline.orchestration.ahead import Ahead, Block
from nba_pipeline.orchestration.tags import BY
from nba_pipeline.tables.catalog import CATALOG, blocks_of, graph_order
from nba_pipeline_tests.support import day

FACTS, FORM, PRICES = "facts", "form", "prices"
FIRST, LAST = day("2024-01-05"), day("2024-06-05")
SECONDS = 10.0
FOUR_SEASONS = days_between(day("2021-10-19"), day("2025-06-22"))

Needs = Mapping[str, list[dict[str, date]]]


class Kitchen:
    """Prepares blocks, notes which, and says which were dropped; a block in `held` waits until it is let go."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.begun: list[Block] = []
        self.dropped: list[Block] = []
        self.held: dict[Block, threading.Event] = {}
        self.failing: dict[Block, Exception] = {}
        self.started = threading.Semaphore(0)

    def wait_for(self, *blocks: Block) -> None:
        """Wait until so many more blocks are begun, and check that they are these."""
        for _ in blocks:
            assert self.started.acquire(timeout=SECONDS)
        assert self.begun[-len(blocks) :] == list(blocks)

    def nothing_more_is_begun(self) -> bool:
        return not self.started.acquire(timeout=0.05)

    def __call__(self, table: str) -> Any:
        self.opened.append(table)
        return SimpleNamespace(prepare=lambda block: self._prepared((table, block)))

    def _prepared(self, block: Block) -> Any:
        self.begun.append(block)
        self.started.release()
        raise_if_ending()
        if block in self.held:
            assert self.held[block].wait(SECONDS)
        if block in self.failing:
            raise self.failing[block]
        return SimpleNamespace(block=block, close=lambda: self.dropped.append(block))


@pytest.fixture
def kitchen() -> Kitchen:
    return Kitchen()


Opens = Callable[..., Ahead]


@pytest.fixture
def opened(kitchen: Kitchen) -> Iterator[Opens]:
    made: list[Ahead] = []

    def opens(needs: Needs, threads: int = 1, most: float = math.inf) -> Ahead:
        made.append(Ahead(needs, kitchen, threads, most))
        return made[-1]

    yield opens
    for event in kitchen.held.values():
        event.set()
    for each in made:
        each.close()


def taken(ahead: Ahead, table: str, block: int = 0) -> Block | None:
    made: Any = ahead.take(table, block)
    return made and made.block


def test_a_block_is_begun_when_the_days_that_it_reads_are_published(kitchen: Kitchen, opened: Opens) -> None:
    ahead = opened({FACTS: [{}], FORM: [{FACTS: FIRST, PRICES: FIRST}, {FACTS: LAST, PRICES: FIRST}]})
    kitchen.wait_for((FACTS, 0))
    assert taken(ahead, FACTS) == (FACTS, 0)
    ahead.published(FACTS, FIRST)
    assert kitchen.nothing_more_is_begun()
    ahead.published(PRICES, LAST)
    kitchen.wait_for((FORM, 0))
    assert kitchen.nothing_more_is_begun()
    ahead.published(FACTS, LAST)
    kitchen.wait_for((FORM, 1))
    assert [taken(ahead, FORM, block) for block in (0, 1)] == [(FORM, 0), (FORM, 1)]
    assert kitchen.opened == [FACTS, FORM], "all blocks of a table are of one opening"


def test_blocks_of_a_table_come_before_those_of_tables_after_it(kitchen: Kitchen, opened: Opens) -> None:
    kitchen.held[FORM, 0] = threading.Event()
    ahead = opened({FACTS: [{PRICES: FIRST}] * 2, FORM: [{}], PRICES: [{FORM: FIRST}]})
    kitchen.wait_for((FORM, 0))
    ahead.published(FORM, FIRST)  # prices are ready first
    ahead.published(PRICES, FIRST)
    kitchen.held[FORM, 0].set()
    kitchen.wait_for((FACTS, 0), (FACTS, 1), (PRICES, 0))


def test_a_step_computes_itself_what_was_not_begun_and_it_is_never_begun_again(kitchen: Kitchen, opened: Opens) -> None:
    kitchen.held[FACTS, 0] = threading.Event()
    ahead = opened({FACTS: [{}], PRICES: [{}], FORM: [{FACTS: FIRST}]})
    kitchen.wait_for((FACTS, 0))
    assert taken(ahead, PRICES) is None  # behind the facts
    assert taken(ahead, FORM) is None  # waits for the facts
    kitchen.held[FACTS, 0].set()
    assert taken(ahead, FACTS) == (FACTS, 0)
    ahead.published(FACTS, LAST)
    assert taken(ahead, FACTS) is None  # a second attempt of the step computes anew
    ahead.close()
    assert kitchen.begun == [(FACTS, 0)]


def test_an_error_is_raised_in_the_step_of_its_table_only(kitchen: Kitchen, opened: Opens) -> None:
    kitchen.failing[FACTS, 0] = SourceError("the file of facts is damaged", "replace it")
    ahead = opened({FACTS: [{}], PRICES: [{}]})
    kitchen.wait_for((FACTS, 0), (PRICES, 0))
    assert taken(ahead, PRICES) == (PRICES, 0)
    with pytest.raises(SourceError, match="the file of facts is damaged"):
        ahead.take(FACTS, 0)
    assert taken(ahead, FACTS) is None  # a second attempt of the step computes anew


class UntilEnded(threading.Event):
    """Holds a block until it is requested to stop, and is set then; it stops so many seconds later."""

    def __init__(self, lingers: float = 0) -> None:
        super().__init__()
        self.lingers = lingers

    def wait(self, timeout: float | None = None) -> bool:
        until = time.monotonic() + (timeout or SECONDS)
        while time.monotonic() < until:
            try:
                raise_if_ending()
            except EndedError:
                self.set()
                time.sleep(self.lingers)
                raise
            time.sleep(0.001)
        return False


def test_tables_whose_steps_take_nothing_are_dropped_what_runs_is_stopped_and_the_others_go_on(
    kitchen: Kitchen, opened: Opens
) -> None:
    kitchen.held[FACTS, 1] = UntilEnded()
    ahead = opened({FACTS: [{}, {}, {}], FORM: [{FACTS: FIRST}], PRICES: [{}, {}]})
    kitchen.wait_for((FACTS, 0), (FACTS, 1))
    ahead.drop([FACTS, FORM])
    kitchen.wait_for((PRICES, 0), (PRICES, 1))
    assert [taken(ahead, PRICES, block) for block in range(2)] == [(PRICES, 0), (PRICES, 1)]
    assert kitchen.held[FACTS, 1].is_set()
    assert kitchen.dropped == [(FACTS, 0)]
    ahead.published(FACTS, LAST)
    assert kitchen.nothing_more_is_begun()
    assert [taken(ahead, FACTS, block) for block in range(3)] == [None] * 3


def test_a_thread_that_is_requested_to_stop_begins_nothing_else_meanwhile(kitchen: Kitchen, opened: Opens) -> None:
    """It would be stopped there too."""
    kitchen.held[FACTS, 0] = UntilEnded()
    kitchen.held[FACTS, 1] = UntilEnded(lingers=0.1)
    ahead = opened({FACTS: [{}, {}], FORM: [{}] * 4}, threads=2)
    for _ in range(2):
        assert kitchen.started.acquire(timeout=SECONDS)
    ahead.drop([FACTS])
    assert [taken(ahead, FORM, block) for block in range(4)] == [(FORM, block) for block in range(4)]


def test_an_interrupted_wait_leaves_the_block_to_the_end_of_the_run_which_stops_it(
    kitchen: Kitchen, opened: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    kitchen.held[FACTS, 0] = UntilEnded()
    ahead = opened({FACTS: [{}]})
    kitchen.wait_for((FACTS, 0))

    def interrupted(work: list[Future[Any]]) -> None:
        raise KeyboardInterrupt(work)

    monkeypatch.setattr(module, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ahead.take(FACTS, 0)
    ahead.close()
    assert kitchen.held[FACTS, 0].is_set()


def test_where_a_step_fails_its_table_and_those_below_it_are_dropped(
    opened: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead, dropped = opened({FACTS: [{}]}), list[set[str]]()
    monkeypatch.setattr(module._Run, "begin", lambda run, *_: setattr(run, "ahead", ahead) or ahead)
    monkeypatch.setattr(Ahead, "drop", lambda _, tables: dropped.append(tables))
    settings = Settings.from_environment()
    with module.preparing_ahead("run", graph_order(), {}):
        module.take("run", CATALOG["nba_raw.schedule"], [FIRST], settings)
        with module.dropping_on_error("run", "nba_predictions.prop_prices"):
            pass
        assert dropped == []
        for run in ("run", "other"):
            with pytest.raises(SourceError), module.dropping_on_error(run, "nba_predictions.prop_prices"):
                raise SourceError("the file is damaged", "replace it")
    prices = {"nba_predictions.prop_prices", "nba_predictions.calls", "nba_predictions.call_grades"}
    assert dropped == [prices]


def test_the_end_of_a_run_drops_what_no_step_took_and_stops_what_is_under_way(
    kitchen: Kitchen, opened: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    kitchen.held[FORM, 0] = threading.Event()
    monkeypatch.setattr(duck, "interrupt_statements", lambda _: kitchen.held[FORM, 0].set())
    ahead = opened({FACTS: [{}], FORM: [{}], PRICES: [{}]})
    kitchen.wait_for((FACTS, 0), (FORM, 0))
    ahead.close()
    assert kitchen.begun == [(FACTS, 0), (FORM, 0)]
    assert sorted(kitchen.dropped) == [(FACTS, 0), (FORM, 0)]


def test_so_many_blocks_are_prepared_at_once_and_no_more(kitchen: Kitchen, opened: Opens) -> None:
    kitchen.held = {(FACTS, block): threading.Event() for block in range(3)}
    ahead = opened({FACTS: [{}] * 3}, threads=2)
    for _ in range(2):
        assert kitchen.started.acquire(timeout=SECONDS)
    assert kitchen.nothing_more_is_begun()
    for event in kitchen.held.values():
        event.set()
    assert [taken(ahead, FACTS, block) for block in (1, 0)] == [(FACTS, 1), (FACTS, 0)]


def test_of_many_days_few_blocks_are_in_memory_at_once(kitchen: Kitchen, opened: Opens) -> None:
    ahead = opened({FACTS: [{}, {}], FORM: [{}]}, threads=2, most=2)
    for _ in range(2):
        assert kitchen.started.acquire(timeout=SECONDS)
    assert kitchen.nothing_more_is_begun()
    assert taken(ahead, FACTS) == (FACTS, 0)
    kitchen.wait_for((FORM, 0))


def test_an_interruption_is_noticed_before_the_threads_are_waited_for(
    opened: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the process would be ended as one that hangs, and its run would stay open."""
    ahead, order = opened({FACTS: [{}]}), list[str]()
    monkeypatch.setattr(module._Run, "begin", lambda run, *_: setattr(run, "ahead", ahead) or ahead)
    monkeypatch.setattr(Ahead, "drop", lambda *_: order.append("dropped"))
    monkeypatch.setattr(module.interrupts, "is_requested", lambda: order.append("noticed"))
    with module.preparing_ahead("run", graph_order(), {}):
        module.take("run", CATALOG["nba_raw.schedule"], [FIRST], Settings.from_environment())
        with pytest.raises(KeyboardInterrupt), module.dropping_on_error("run", FACTS):
            raise KeyboardInterrupt
    assert order == ["noticed", "dropped"]


@pytest.mark.parametrize(
    ("days", "markets", "most"),
    [
        ([FIRST], "points", math.inf),
        (FOUR_SEASONS, "points", module.MOST_OF_LONG),
        (FOUR_SEASONS, "points,rebounds", module.MOST_OF_MARKETS),
    ],
    ids=["one day", "many days", "many days of two markets"],
)
def test_only_a_run_of_many_days_has_few_blocks_in_memory(
    days: list[date], markets: str, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_needs", lambda *_: {})
    settings = Settings.from_environment({"NBA_PIPELINE_HOME": str(Path.cwd()), "NBA_PIPELINE_MARKETS": markets})
    begun = module._Run("run", [], {}).begin(days, settings)
    assert begun._most == most
    begun.close()


def needs(tags: dict[str, str] | None = None, days: list[date] | None = None, **environment: str) -> Needs:
    settings = Settings.from_environment({"NBA_PIPELINE_HOME": str(Path.cwd()), **environment})
    return module._needs(graph_order(), tags or {}, settings, days or FOUR_SEASONS)


def test_every_block_waits_for_the_days_that_it_reads_and_for_the_schedule() -> None:
    found = needs()
    assert list(found) == graph_order()
    for table, blocks in found.items():
        for needed in blocks:
            assert {t.id for t in CATALOG[table].upstream()} <= needed.keys()
            assert "nba_raw.schedule" in {table, *needed}
    context, forecasts = found["nba_analytics.upcoming_player_game_context"], "nba_predictions.player_prop_predictions"
    assert [block["nba_analytics.player_game_summary"] for block in context] == [day("2023-07-30"), day("2025-06-21")]
    assert [b["nba_predictions.prediction_models"] for b in found[forecasts]][:2] == [
        day("2022-03-01"),
        day("2022-07-01"),
    ]


def test_every_day_of_the_run_that_a_block_reads_is_waited_for() -> None:
    found = needs()
    for table, blocks in found.items():
        transform = CATALOG[table]
        days_of_blocks = blocks_of(transform, FOUR_SEASONS, 1)
        for needed, days in zip(blocks, days_of_blocks, strict=True):
            for read in (r for r in transform.reads.values() if r.kind != "kept"):
                last = max(read.last_needed(d) for d in days if read.first_needed(d) <= read.last_needed(d))
                assert last <= needed[read.table.id]


def test_days_before_the_run_need_not_be_waited_for() -> None:
    (context,) = needs(days=[FIRST])["nba_analytics.upcoming_player_game_context"]
    assert "nba_analytics.player_game_summary" not in context
    assert context["nba_raw.injury_reports"] == FIRST


def test_what_a_step_fetches_is_not_read_before() -> None:
    fetched = needs({BY: "overnight"}, NBA_PIPELINE_SOURCE="nba_stats")
    assert fetched and not any(CATALOG[t].feeds or CATALOG[t].witnesses for t in fetched)
    assert needs({}, NBA_PIPELINE_SOURCE="nba_stats").keys() == CATALOG.keys()


def test_a_transform_that_is_not_of_the_catalog_is_computed_by_its_step(
    kitchen: Kitchen, opened: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the catalog's own, others are begun as soon as the first step asks; a variant of a table must not get its rows."""
    asked: list[str] = []
    begun = opened({FACTS: [{}]})
    monkeypatch.setattr(module._Run, "begin", lambda run, *_: asked.append(run.run_id) or begun)
    own, settings = CATALOG["nba_raw.schedule"], Settings.from_environment()
    with module.preparing_ahead("run", graph_order(), {}):
        assert module.take("run", replace(own), [FIRST], settings) is None
        assert module.take("other", own, [FIRST], settings) is None
        assert asked == []
        assert module.take("run", own, [FIRST], settings) is None  # not among those to prepare
        assert asked == ["run"]
    kitchen.wait_for((FACTS, 0))


@pytest.mark.parametrize(
    ("steps", "under_way", "done"),
    [(("nba_raw.schedule", "a.check"), True, 1), (("nba_raw.schedule",), True, 0), (("a.check",), False, 0)],
    ids=["waiting", "without the step", "ready"],
)
def test_work_is_done_for_a_step_of_the_run_instead_of_waiting_for_a_table(
    kitchen: Kitchen,
    opened: Opens,
    monkeypatch: pytest.MonkeyPatch,
    steps: tuple[str, ...],
    under_way: bool,
    done: int,
) -> None:
    table, worked = CATALOG["nba_raw.schedule"], list[str]()
    block = table.table.id, 0
    kitchen.held[block] = threading.Event()
    begun = opened({table.table.id: [{}]})
    kitchen.wait_for(block)
    if not under_way:
        kitchen.held[block].set()
        begun._begun[block].result(SECONDS)

    def work(run_id: str, *_: object) -> None:
        worked.append(run_id)

    monkeypatch.setattr(module, "_meanwhile", {})
    monkeypatch.setattr(module, "replace", lambda run, ready: SimpleNamespace(run=run, ready=ready))
    module.instead_of_waiting(module.Meanwhile(table.table.id, "a.check", work))
    monkeypatch.setattr(module._Run, "begin", lambda *_: begun)
    threading.Timer(0.05, kitchen.held[block].set).start()
    with module.preparing_ahead("run", steps, {}):
        found: Any = module.take("run", table, [FIRST], Settings.from_environment())
        assert found.ready(0).block == block
    assert worked == ["run"] * done
