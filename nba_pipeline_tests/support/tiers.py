"""Sort tests into tiers, fail a fast test that breaks the rule of its tier, and count the CPU seconds of each tier.

A test without a mark is fast: it starts no process, opens no socket, opens no home and needs less than two CPU seconds.
CPU seconds depend on the machine and on what else it does: tests over the two are listed at the end of a run, and fail
only past a bound that no machine explains, or past the seconds that the caller names.
Everything in the directory `integration` or `e2e` has the mark of that name; elsewhere the mark is written at the test.
"""

import gc
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3  # noqa: F401  its first import binds a socket to ask for IPv6, which is the fault of no test

FAST = "fast"
MARKED = ("live", "e2e", "integration")
TIERS = (FAST, "integration", "e2e", "live")
FAST_CPU_SECONDS = 2.0
# A slow or busy core takes several times as long for the same work, not ten times: on two cores with ten busy processes the
# longest of 1,500 fast tests took 3.7 CPU seconds.
NEVER_FAST_CPU_SECONDS = 20.0
HOMES = frozenset({"finished_home", "home"})
PROCESSES = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "os.exec"})
SOCKETS = frozenset({"socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto"})
DAGSTER_RUNS = "/history/runs"
# New objects between two collections of garbage: expressions are many small objects, of which few are garbage.
GARBAGE = 50_000
# Few objects may hold much memory, such as databases: growth of a process by so many bytes is a reason to collect, too.
GROWTH = 300_000_000
TIER_PROPERTY = "tier_cpu_seconds"
SLOW_PROPERTY = "slow_cpu_seconds"


@dataclass
class Observation:
    """What one test does that a fast test must not."""

    events: list[str] = field(default_factory=list)

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Keep an audit event of the interpreter if it starts a process, opens a socket or opens a Dagster instance."""
        if event in PROCESSES:
            self.events.append(f"starts a process ({event})")
        elif event in SOCKETS:
            self.events.append(f"opens a socket ({event})")
        elif event == "sqlite3.connect" and DAGSTER_RUNS in str(arguments[0]):
            self.events.append("opens a Dagster instance on disk")


_OBSERVATIONS: list[Observation] = []
_HOOKED: list[bool] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _OBSERVATIONS:
        _OBSERVATIONS[-1].note(event, arguments)


@contextmanager
def observed(observation: Observation) -> Iterator[None]:
    """Send the events of the block to this observation alone."""
    if not _HOOKED:  # a hook cannot be taken away again, so there is one for the whole process
        sys.addaudithook(_audit)
        _HOOKED.append(True)
    _OBSERVATIONS.append(observation)
    try:
        yield
    finally:
        _OBSERVATIONS.pop()


def cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def violations(observation: Observation, fixtures: frozenset[str], seconds: float, limit: float) -> list[str]:
    """List what breaks the rule of the fast tier.

    Args:
        observation: Events of the test and of the fixtures that were set up for it.
        fixtures: Names of the fixtures that the test uses.
        seconds: CPU seconds of the test itself, without its fixtures.
        limit: CPU seconds that a fast test may take.
    """
    homes = [f"uses the fixture {name}" for name in sorted(fixtures & HOMES)]
    slow = [f"takes {seconds:.1f} CPU seconds, more than {limit:g}"] if seconds > limit else []
    return [*dict.fromkeys(observation.events), *homes, *slow]


def tier_of(item: pytest.Item) -> str:
    return next((mark for mark in MARKED if item.get_closest_marker(mark)), FAST)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast-seconds",
        type=float,
        help="Fail tests without a mark that take more CPU seconds than this (default: list those over"
        f" {FAST_CPU_SECONDS:g}, fail those over {NEVER_FAST_CPU_SECONDS:g}).",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark tests by their directory, before `-m` chooses among them, and put the files of the chosen ones in order."""
    for item in items:
        for mark in ("integration", "e2e"):
            if mark in Path(item.path).parent.parts:
                item.add_marker(mark)
    result = yield
    long = {item.path for item in items if tier_of(item) != FAST}
    homes = {item.path for item in items if HOMES.intersection(getattr(item, "fixturenames", ()))}
    place = {path: n for n, path in enumerate(order(list(dict.fromkeys(i.path for i in items)), long, homes))}
    items.sort(key=lambda item: place[item.path])
    return result


def order(files: Sequence[Path], long: Collection[Path], homes: Collection[Path]) -> list[Path]:
    """Return the files in the order in which workers shall take them: `--no-loadscope-reorder` keeps it.

    Args:
        files: Files with tests, each once.
        long: Files with tests of the long tiers; they begin, so that no worker is left alone with one at the end.
        homes: Files whose tests use the finished home. One begins and builds it; the others come when half is done, since a
            worker that asks for the home while it is built waits.
    """
    users = [f for f in files if f in homes]
    rest = sorted((f for f in files if f not in homes), key=lambda f: f not in long)
    half = len(rest) // 2
    return [*users[:1], *rest[:half], *users[1:], *rest[half:]]


def pytest_collection_finish() -> None:
    """Hide what was imported from the garbage collector, which would walk over these millions of objects again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)


_LARGEST: list[int] = [GROWTH]


def _collect_after_growth() -> None:
    """Collect garbage once the process has grown by more than `GROWTH` bytes since the last time."""
    process = psutil.Process()
    if process.memory_info().rss > _LARGEST[0] + GROWTH:
        gc.collect()
        _LARGEST[0] = process.memory_info().rss


_STARTED = pytest.StashKey[float]()
_OBSERVED = pytest.StashKey[Observation]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    item.stash[_STARTED] = cpu_seconds()
    item.stash[_OBSERVED] = Observation()
    with observed(item.stash[_OBSERVED]):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test without a mark that is not fast; a test that fails by itself keeps its own error."""
    began = cpu_seconds()
    with observed(item.stash[_OBSERVED]):
        result = yield
    if tier_of(item) == FAST:
        seconds, named = cpu_seconds() - began, item.config.option.fast_seconds
        if seconds > (FAST_CPU_SECONDS if named is None else named):
            item.user_properties.append((SLOW_PROPERTY, f"{seconds:.1f}"))
        fixtures = frozenset(getattr(item, "fixturenames", ()))
        limit = NEVER_FAST_CPU_SECONDS if named is None else named
        if broken := violations(item.stash[_OBSERVED], fixtures, seconds, limit):
            pytest.fail(f"a test without a mark must be fast, and this one {'; '.join(broken)}", pytrace=False)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    try:
        return (yield)
    finally:
        _collect_after_growth()
        seconds = cpu_seconds() - item.stash.get(_STARTED, cpu_seconds())
        item.user_properties.append((TIER_PROPERTY, f"{tier_of(item)} {seconds:.3f}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print tests and CPU seconds of each tier, fixtures included, and the tests that are too slow for theirs.

    Imports and collection are the rest of the whole run.
    """
    tests: Counter[str] = Counter()
    seconds: defaultdict[str, float] = defaultdict(float)
    slow: list[tuple[float, str]] = []
    for report in _ended(terminalreporter):
        for name, value in report.user_properties:
            if name == TIER_PROPERTY:
                tier, used = str(value).split()
                tests[tier] += 1
                seconds[tier] += float(used)
            elif name == SLOW_PROPERTY:
                slow.append((float(str(value)), report.nodeid))
    if slow:
        terminalreporter.section("Too slow for a test without a mark")
        for used, test in sorted(slow, reverse=True):
            terminalreporter.line(f"{used:>6.1f} s  {test}")
    if tests:
        terminalreporter.section("CPU seconds")
        for tier in filter(tests.get, TIERS):
            terminalreporter.line(f"{tier:<12}{tests[tier]:>6} tests {seconds[tier]:>9.1f} s")
        terminalreporter.line(f"{'whole run':<12}{sum(tests.values()):>6} tests {cpu_seconds():>9.1f} s")


def _ended(terminalreporter: pytest.TerminalReporter) -> Iterator[pytest.TestReport]:
    """Yield the last report of each test, which has all properties."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "teardown":
                yield report
