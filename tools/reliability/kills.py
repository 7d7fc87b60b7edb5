"""Writers killed by SIGKILL: before, after and within every call of the storage, and at random moments."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

from tools.reliability.calls import watched
from tools.reliability.processes import forked, killed, reaped
from tools.reliability.proof import Proof, Scale, Tally, following
from tools.reliability.versions import TABLES, Versions, versions

TITLE = "All or nothing: a killed writer leaves every day in its old or its new version"
SEED = 20211019
WITHIN, AT_RANDOM = {"quick": 1, "full": 8}, {"quick": 10, "full": 400}


def prove(scale: Scale) -> list[Proof]:
    """Kill writers of one table after another, and look at everything after each."""
    tables = TABLES if scale == "full" else TABLES[1:2]
    with versions(scale) as scene:
        calls = {t: _calls(scene, t) for t in tables}
        return [
            _at_every_call(scene, calls),
            _within_every_call(scene, calls, WITHIN[scale]),
            _at_random(scene, tables, AT_RANDOM[scale]),
        ]


def _calls(scene: Versions, table: str) -> int:
    """How many calls of the storage a write takes."""
    with watched() as counter:
        scene.write(table, 0)
    return counter[0]


class _Trial:
    """Kills one writer after the other; every write has the next version."""

    def __init__(self, scene: Versions) -> None:
        self.scene, self.tally, self.outcomes = scene, Tally(), Counter[str]()
        self.standing = {t: max(scene.found(t)[0].values()) for t in TABLES}
        self._next = max(self.standing.values()) + 1

    def kill(self, table: str, how: str, writer: Callable[[int], int]) -> None:
        """`writer` starts a write of the given version in a child, and gives its id once that is killed or has ended."""
        version, self._next = self._next, self._next + 1
        died = killed(writer(version))
        standing = self.standing[table]
        found, faults = self.scene.outcome(table, standing, version)
        self.standing[table] = found
        self.outcomes["old version" if found == standing else "written"] += died
        self.outcomes["ended before the kill"] += not died
        if died:
            self.tally.case(f"{how}: {'; '.join(faults)}" if faults else None)

    def proof(self, promise: str, method: str) -> Proof:
        """Write once more over what the kills left: it must succeed, and nothing may lie about."""
        for table in TABLES:
            self.scene.write(table, self._next)
            _, faults = self.scene.outcome(table, self._next, self._next)
            self.tally.case("; ".join(faults) or None)
        left = self.scene.leftovers()
        self.tally.case(f"left behind: {left}" if left else None)
        figures = {"kills": self.tally.cases - len(TABLES) - 1, **self.outcomes}
        return self.tally.proof(promise, method, self.scene.on, figures)


def _at_every_call(scene: Versions, calls: dict[str, int]) -> Proof:
    trial = _Trial(scene)
    moments = [(t, n, when) for t, total in calls.items() for n in range(1, total + 1) for when in ("before", "after")]
    for table, number, when in following(moments, len(moments), "kills at calls"):

        def suicide(at: int, _said: str, number: int = number) -> None:
            if at == number:
                os.kill(os.getpid(), signal.SIGKILL)

        def writer(version: int, table: str = table, when: str = when, act: Callable = suicide) -> int:
            def work() -> None:
                with watched(**{when: act}):
                    scene.write(table, version)

            return reaped(forked(work))

        trial.kill(table, f"{when} call {number}", writer)
    return trial.proof(
        "a writer killed before or after any storage call leaves complete versions and no temporary files",
        "SIGKILL to itself before and after each statement of a replace",
    )


def _within_every_call(scene: Versions, calls: dict[str, int], draws: int) -> Proof:
    trial, chance = _Trial(scene), random.Random(SEED)
    moments = [(t, n) for t, total in calls.items() for n in range(1, total + 1) for _ in range(draws)]
    for table, number in following(moments, len(moments), "kills within calls"):

        def writer(version: int, table: str = table, number: int = number) -> int:
            told, tell = os.pipe()

            def say(at: int, _said: str) -> None:
                if at == number:
                    os.write(tell, b".")

            def work() -> None:
                with watched(before=say):
                    scene.write(table, version)

            child = forked(work)
            os.close(tell)
            os.read(told, 1)
            os.close(told)
            time.sleep(chance.uniform(0, 0.005))
            return reaped(child, signal.SIGKILL)

        trial.kill(table, f"within call {number}", writer)
    return trial.proof(
        "a writer killed within any storage call, including the commit, leaves complete versions and no temporary files",
        "the writer signals the start of a statement; SIGKILL 0 to 5 ms later",
    )


def _at_random(scene: Versions, tables: tuple[str, ...], kills: int) -> Proof:
    trial, chance = _Trial(scene), random.Random(SEED + 1)
    began = time.monotonic()
    reaped(forked(lambda: scene.write(tables[0], trial.standing[tables[0]])))
    usual = time.monotonic() - began
    for number in following(range(kills), kills, "kills at random"):
        table = tables[number % len(tables)]

        def writer(version: int, table: str = table) -> int:
            child = forked(lambda: scene.write(table, version))
            time.sleep(chance.uniform(0, usual))
            return reaped(child, signal.SIGKILL)

        trial.kill(table, "at a random moment", writer)
    return trial.proof(
        "a writer killed at a random time leaves complete versions and no temporary files",
        "SIGKILL after a random fraction of the duration of a write",
    )
