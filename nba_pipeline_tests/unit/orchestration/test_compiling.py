"""Plans are compiled in a process of its own: a run waits for one that is under way only, and ends the process with itself."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nba_pipeline.config.settings import Settings
from nba_pipeline.engine.fingerprint import CodeTree
from nba_pipeline.orchestration import backfill, executor, table_run
from nba_pipeline.orchestration import compiling as module
from nba_pipeline.orchestration.backfill_plan import Step
from nba_pipeline.orchestration.compiling import Compiling, compiling, wait_for_plan
from nba_pipeline.tables import plans
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline_tests.support import day

SECONDS = 10.0
SMALL = "nba_raw.rosters"


class Process:
    """Stands for the process that compiles: says what it is told to."""

    def __init__(self, command: list[str], **_: Any) -> None:
        self.tables = command[command.index(module.MODULE) + 2 :]
        reading, writing = os.pipe()
        self.stdout, self._said = os.fdopen(reading), os.fdopen(writing, "w")
        self.deaf, self.killed = False, False

    def say(self, table: str) -> None:
        print(table, file=self._said, flush=True)

    @property
    def ended(self) -> bool:
        return self._said.closed

    def terminate(self) -> None:
        if not self.deaf:
            self._said.close()

    def kill(self) -> None:
        self.killed = True
        self._said.close()

    def wait(self, timeout: float | None = None) -> int:
        if not self.ended and timeout is not None:
            raise subprocess.TimeoutExpired("compiling", timeout)
        return 0


@pytest.fixture(autouse=True)
def processes(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """The processes that were begun. The code is older than this one, however late it was edited."""
    made: list[Process] = []

    def begin(command: list[str], **more: Any) -> Process:
        made.append(Process(command, **more))
        return made[-1]

    monkeypatch.setattr(subprocess, "Popen", begin)
    monkeypatch.setattr(CodeTree, "changed_at", lambda _: 0.0)
    return made


@pytest.fixture(autouse=True)
def this_process_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "nice", lambda by: print("nicer by", by))


@pytest.fixture
def begun(tmp_path: Path, processes: list[Process]) -> Iterator[tuple[Compiling, Process]]:
    compiler = Compiling(tmp_path, ["one", "two"])
    processes[0].say("one")
    ends = time.monotonic() + SECONDS
    while compiler._current != "one":
        assert time.monotonic() < ends
        time.sleep(0.001)
    yield compiler, processes[0]
    if not processes[0].ended:
        compiler.close()


def test_a_plan_under_way_is_waited_for_and_no_other(begun: tuple[Compiling, Process]) -> None:
    compiler, process = begun
    compiler.wait("two")
    waiting = threading.Thread(target=compiler.wait, args=["one"])
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    process.say("two")
    waiting.join(SECONDS)
    assert not waiting.is_alive()


def test_nobody_waits_for_a_process_that_has_died(begun: tuple[Compiling, Process]) -> None:
    compiler, process = begun
    process.kill()
    compiler.wait("one")


@pytest.mark.parametrize("deaf", [False, True])
def test_a_process_that_still_compiles_is_ended_with_the_run(begun: tuple[Compiling, Process], deaf: bool) -> None:
    compiler, process = begun
    process.deaf = deaf
    compiler.close()
    assert (process.ended, process.killed) == (True, deaf)


def settings_of(home: Path) -> Settings:
    return Settings.from_environment({"NBA_PIPELINE_HOME": str(home)})


def test_missing_plans_are_compiled_elsewhere_once_and_first_those_that_are_needed_later(
    tmp_path: Path, processes: list[Process]
) -> None:
    plans.main([str(tmp_path / "cache"), SMALL])
    with compiling(settings_of(tmp_path), graph_order()):
        with compiling(settings_of(tmp_path), graph_order()):
            wait_for_plan(SMALL)
        (process,) = processes
        assert not process.ended
        assert set(process.tables) == set(graph_order()) - {SMALL}
        reading = [bool(CATALOG[t].upstream()) for t in process.tables]
        assert reading == sorted(reading, reverse=True)
    assert process.ended
    wait_for_plan(process.tables[0])


def test_few_missing_plans_are_no_work_for_another_process(tmp_path: Path, processes: list[Process]) -> None:
    with compiling(settings_of(tmp_path), graph_order()[: module.LEAST - 1]):
        assert processes == []


def test_what_the_other_process_compiles_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plans.main([str(tmp_path), SMALL])
    assert capsys.readouterr().out == f"{SMALL}\n\nnicer by 19\n"
    assert CATALOG[SMALL] not in plans.stored_plans(tmp_path).missing("duckdb")
    assert len(plans.stored_plans(tmp_path).missing("duckdb")) == len(CATALOG) - 1


def test_those_of_one_day_are_compiled_when_no_plan_is_waited_for_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = SimpleNamespace(
        of=lambda t, dialect: print("of", t.table.name, dialect),
        rows_of_one_day=lambda t: print("one day", t.table.name),
    )
    monkeypatch.setattr(plans, "stored_plans", lambda _: kept)
    plans.main([str(tmp_path), SMALL, "nba_raw.shots"])
    assert capsys.readouterr().out.splitlines() == [
        SMALL,
        "of rosters duckdb",
        "nba_raw.shots",
        "of shots duckdb",
        "",
        "nicer by 19",
        "one day shots",
        "one day rosters",
    ]


def test_a_table_waits_for_its_plan_before_it_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = list[str]()
    plan = SimpleNamespace(used_columns={})

    def of(transform: Any, _: str) -> Any:
        done.append(f"taken {transform.table.id}")
        return plan

    monkeypatch.setattr(table_run, "wait_for_plan", lambda table: done.append(f"waited {table}"))
    monkeypatch.setattr(table_run, "stored_plans", lambda _: SimpleNamespace(of=of))
    table_run.open_table_run(CATALOG[SMALL], (day("2024-11-05"),), settings_of(tmp_path), "run")
    assert done == [f"waited {SMALL}", f"taken {SMALL}"]


@contextmanager
def noted(active: list[str], name: str) -> Iterator[None]:
    active.append(name)
    yield
    active.remove(name)


def test_plans_are_compiled_while_a_run_is_recorded_and_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    active, seen = list[str](), list[list[str]]()

    def execute(*_: Any) -> Any:
        seen.append(list(active))
        return SimpleNamespace(all_events=[], run_id="run", success=True)

    monkeypatch.setattr(backfill, "compiling", lambda _, tables: noted(active, tables))
    monkeypatch.setattr(backfill, "execute", execute)
    step = Step((SMALL,), day("2024-11-05"), day("2024-11-05"), "asked for")
    backfill.run_step(step, SimpleNamespace(resolve_job_def=lambda _: None), None, {})  # pyright: ignore[reportArgumentType]
    assert (active, seen) == ([], [[(SMALL,)]])


def test_a_run_that_the_ui_launched_has_its_plans_compiled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    active, seen = list[str](), list[list[str]]()

    def steps(*_: Any) -> Iterator[Any]:
        seen.append(list(active))
        yield from ()

    for name in ("_events_held", "_warehouse_kept_open", "preparing_ahead"):
        monkeypatch.setattr(executor, name, lambda *_: noted([], "other"))
    monkeypatch.setattr(executor, "compiling", lambda _, tables: noted(active, tables))
    monkeypatch.setattr(executor, "_take_snapshot", lambda _: None)
    context: Any = SimpleNamespace(dagster_run=SimpleNamespace(run_id="run", tags={}), instance=None)
    plan: Any = SimpleNamespace(step_keys_to_execute=["nba_raw__rosters"])
    list(executor.RefusalTolerantExecutor(SimpleNamespace(execute=steps)).execute(context, plan))  # pyright: ignore[reportArgumentType]
    assert (active, seen) == ([], [[[SMALL]]])
