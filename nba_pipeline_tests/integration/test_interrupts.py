"""Ctrl-C and SIGTERM end the run of this process as canceled, whatever becomes of the signal on its way."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest

from nba_pipeline.orchestration import interrupts
from nba_pipeline.orchestration.executor import refusal_tolerant_executor
from nba_pipeline.orchestration.local_run import execute
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline_tests.support.results import days, state, write


@dg.asset
def interrupted(context: dg.AssetExecutionContext) -> None:
    """Receive the signal of the run's tag; with the tag `swallow`, an error takes the place of the interruption."""
    try:
        os.kill(os.getpid(), int(context.run.tags["signal"]))
    except BaseException:
        if "swallow" in context.run.tags:
            raise RuntimeError("the engine was interrupted") from None
        raise


@dg.asset
def independent() -> None:
    """Run after `interrupted`, of which it needs nothing."""


JOB = dg.Definitions(
    assets=[interrupted, independent], executor=refusal_tolerant_executor
).resolve_implicit_global_asset_job_def()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("swallow", [{}, {"swallow": "yes"}])
def test_a_signal_cancels_the_run_and_nothing_runs_after_it(
    instance: dg.DagsterInstance, number: int, swallow: dict[str, str]
) -> None:
    with interrupts.stopping_on_signals():
        keys = [*interrupted.keys, *independent.keys]
        result = execute(JOB, instance, str(uuid4()), keys, {"signal": str(int(number)), **swallow})
        assert interrupts.is_requested()
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.CANCELED
    started = [e.step_key for e in result.all_events if e.event_type_value == "STEP_START"]
    assert started[-1] == "interrupted"


def test_after_a_command_signals_have_the_handlers_of_before() -> None:
    before = [signal.getsignal(n) for n in sorted(interrupts.STOPPING)]
    with interrupts.stopping_on_signals():
        assert [signal.getsignal(n) for n in sorted(interrupts.STOPPING)] != before
    assert [signal.getsignal(n) for n in sorted(interrupts.STOPPING)] == before


def test_outside_a_command_no_signal_counts() -> None:
    with interrupts.stopping_on_signals():
        pass
    assert not interrupts.is_requested()


def test_a_signal_in_a_block_counts_in_the_block_around_it_too() -> None:
    with interrupts.stopping_on_signals():
        with pytest.raises(KeyboardInterrupt), interrupts.stopping_on_signals():
            signal.raise_signal(signal.SIGINT)
        assert interrupts.is_requested()


def test_a_block_in_which_no_signal_came_tells_the_block_around_it_of_none() -> None:
    with interrupts.stopping_on_signals():
        with interrupts.stopping_on_signals():
            pass
        assert not interrupts.is_requested()


# The main thread is in a library, between two of whose steps the interpreter runs no handler, or waits for a thread that goes on.
LONG_STEP = (
    "SELECT list_sum(list_transform(range(20000000), lambda e: hash(md5(md5(md5(e::VARCHAR)))) % 7)) FROM range(8)"
)
HELD_UP = {
    "a statement": "db.execute('SELECT count(*), sum(hash(a.range + b.range)) FROM range(300000) AS a, range(300000) AS b')",
    "a long step of a statement": f"db.execute('{LONG_STEP}')",
    "threads": "run_in_a_pool()",
    "an open transaction": "delete_slowly()",
}
PROGRAM = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4
import dagster as dg
from nba_pipeline.common import duckdb as duck
from nba_pipeline.orchestration import interrupts
from nba_pipeline.orchestration.executor import refusal_tolerant_executor
from nba_pipeline.orchestration.local_run import execute
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline_tests.support.results import days, state, write
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse

warehouse = DuckDBWarehouse(Path(sys.argv[1]))
db = duck.connect()
def run_in_a_pool():
    with ThreadPoolExecutor(1) as pool:
        list(pool.map(time.sleep, [60]))
def delete_slowly():
    with warehouse._writing() as open_file:
        open_file.execute("DELETE FROM nba_ops.ledger")
        open_file.execute("{LONG_STEP}")
@dg.asset
def busy():
    print("begun", flush=True)
    {step}
job = dg.Definitions(assets=[busy], executor=refusal_tolerant_executor).resolve_implicit_global_asset_job_def()
with dg.DagsterInstance.ephemeral() as instance, interrupts.stopping_on_signals(lambda: "last words"):
    execute(job, instance, str(uuid4()), list(busy.keys), {{}})
    print("stopped" if interrupts.is_requested() else "finished", flush=True)
"""


@pytest.mark.parametrize(
    ("held_up", "number"), [*((held_up, signal.SIGINT) for held_up in HELD_UP), ("an open transaction", signal.SIGTERM)]
)
def test_a_process_ends_after_a_signal_without_waiting_for_its_step_and_leaves_the_tables_as_they_were(
    tmp_path: Path, held_up: str, number: int
) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb")
    write(warehouse, days(0))
    program = PROGRAM.format(step=HELD_UP[held_up], LONG_STEP=LONG_STEP)
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(warehouse.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "DAGSTER_HOME": ""},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(1)
    asked = time.monotonic()
    process.send_signal(number)
    said, errors = process.communicate(timeout=60)
    assert time.monotonic() - asked < 8  # on a busy machine; each of the steps takes 20 seconds and more
    assert said == "stopped\n" or "last words" in errors
    assert (warehouse.ledger().num_rows, state(warehouse)) == (1, {0: (2, 1)})


ASKED = """
import os, signal, time
from nba_pipeline.orchestration import interrupts

interrupts.PATIENCE_SECONDS, interrupts.CLOSING_SECONDS = 0.5, 1
waiting = interrupts.select.select
interrupts.select.select = lambda *pipes: (time.sleep(0.5), waiting(*pipes))[1]  # the asker reads the pipe first
with interrupts.stopping_on_signals(lambda: "last words"):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    except KeyboardInterrupt:
        print(interrupts.is_requested(), interrupts.is_requested(), flush=True)
        time.sleep(60)
"""


def test_a_signal_that_the_executor_has_read_is_held_to_as_well() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("True True\n", "last words\n", interrupts.STOPPED)


CLOSING = """
import os, signal, sys, time
from nba_pipeline.orchestration import interrupts

interrupts.PATIENCE_SECONDS, interrupts.CLOSING_SECONDS = 0.5, {bound}
try:
    with interrupts.stopping_on_signals(lambda: "last words"):
        try:
            os.kill(os.getpid(), {number})
            time.sleep(60)
        except KeyboardInterrupt:
            time.sleep({closing})
            print("closed", flush=True)
            raise
except KeyboardInterrupt:
    print("ended by itself", flush=True)
"""


def closed(number: int, closing: float, bound: float) -> tuple[str, str]:
    """Return what a process says whose main thread takes a signal at once and then closes for some seconds."""
    program = CLOSING.format(number=int(number), closing=closing, bound=bound)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_takes_the_signal_at_once_may_close_for_longer_than_a_signal_is_waited_for(number: int) -> None:
    assert closed(number, closing=1.5, bound=60) == ("closed\nended by itself\n", "")


def test_a_closing_without_end_is_ended() -> None:
    assert closed(signal.SIGINT, closing=60, bound=1) == ("", "last words\n")


NESTED = """
import os, signal, time
from nba_pipeline.orchestration import interrupts

interrupts.PATIENCE_SECONDS, interrupts.CLOSING_SECONDS = 0.5, 1
with interrupts.stopping_on_signals(lambda: "last words"):
    try:
        with interrupts.stopping_on_signals(lambda: "of the inner block"):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
    except KeyboardInterrupt:
        print(interrupts.is_requested(), flush=True)
        time.sleep(60)
"""


def test_a_signal_of_an_inner_block_is_held_to_by_the_outer_one() -> None:
    done = subprocess.run([sys.executable, "-c", NESTED], capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("True\n", "last words\n", interrupts.STOPPED)


def test_a_request_is_not_overwritten_by_a_read_of_the_outer_block_that_is_under_way() -> None:
    reading, writing = os.pipe()
    try:
        outer, inner = interrupts._Watch(reading, writing), interrupts._Watch(reading, writing, requested=True)
        passing = threading.Thread(target=inner.pass_on, args=(outer,))
        with outer.reading:
            passing.start()
            passing.join(0.2)
            outer.requested = False  # as the read ends that found another signal
        passing.join()
        assert outer.requested
    finally:
        os.close(reading)
        os.close(writing)
