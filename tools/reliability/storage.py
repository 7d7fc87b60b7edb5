"""Storage that fails: calls that raise, a full disk, files and directories that may not be written or are taken away."""

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any
from unittest.mock import patch

import dagster as dg
import duckdb
import sqlalchemy.event
from sqlalchemy.engine import Engine

from nba_pipeline.artifacts.local import LocalArtifacts
from nba_pipeline.common.errors import ArtifactError, PipelineError, WarehouseError
from nba_pipeline.orchestration.event_log.sqlite import BatchedSqliteEventLogStorage, EventLogFailedError
from tools.reliability.calls import watched
from tools.reliability.processes import forked, reaped
from tools.reliability.proof import Proof, Scale, Tally, following
from tools.reliability.versions import TABLES, Versions, versions

TITLE = "All or nothing: failing storage leaves the old or the new state, and an error with a fix"
ERRORS: tuple[Callable[[], BaseException], ...] = (
    lambda: duckdb.IOException("IO Error: Could not write file: No space left on device"),
    lambda: OSError(5, "Input/output error"),
    MemoryError,
    KeyboardInterrupt,
)
NAMED = (duckdb.Error, OSError)
FREE_KIB = {"quick": (0, 64), "full": tuple(range(0, 2400, 40))}
EVERY = {"quick": 7, "full": 1}
EVENTS = 40
NOBODY = 65534


def prove(scale: Scale) -> list[Proof]:
    """Let every call fail; then let the disk be full, closed or gone."""
    tables = TABLES if scale == "full" else TABLES[:1]
    with versions(scale) as scene:
        proofs = [
            _failing_calls(scene, tables, EVERY[scale]),
            _full_disk(scene, FREE_KIB[scale]),
            _closed(scene),
            _taken_away(scene, tables[-1], EVERY[scale]),
        ]
    return [*proofs, _failing_artifacts(), _failing_event_log()]


class _Sequence:
    """Versions written one after the other, each of which may fail."""

    def __init__(self, scene: Versions) -> None:
        self.scene, self.tally = scene, Tally()
        self.standing = {t: max(scene.found(t)[0].values()) for t in TABLES}
        self._next = max(self.standing.values()) + 1

    def write(
        self, table: str, how: str, fail: Callable[[Callable[[], None]], str | None], *, fails: bool = True
    ) -> None:
        """`fail` does the write in a bad place and says what is wrong with the error; the state must be whole after it."""
        version, self._next = self._next, self._next + 1
        wrong = fail(lambda: self.scene.write(table, version))
        found, faults = self.scene.outcome(table, self.standing[table], version)
        self.standing[table] = found
        faults += [wrong] if wrong else []
        faults += ["it was written"] if fails and found == version else []
        self.tally.case(f"{how}: {'; '.join(faults)}" if faults else None)


def _failing_calls(scene: Versions, tables: tuple[str, ...], step: int) -> Proof:
    """An error raised before and after every call; after the commit, the write has happened and must not be called failed."""
    trial, outcomes = _Sequence(scene), {"before": 0, "after": 0}
    for table in tables:
        with watched() as counter:
            scene.write(table, trial.standing[table])
        calls = [c for c in product(range(1, counter[0] + 1), outcomes, ERRORS) if _possible(*c, counter[0])][::step]
        for number, when, new in following(calls, len(calls), "failing calls"):
            error = new()

            def fail(write: Callable[[], None], number: int = number, when: str = when, e: Any = error) -> str | None:
                def act(at: int, _said: str) -> None:
                    if at == number:
                        raise e

                def failing() -> None:
                    with watched(**{when: act}):
                        write()

                return _complaint(failing, e, trial, table)  # noqa: B023

            trial.write(table, f"{type(error).__name__} {when} call {number}", fail, fails=False)
            outcomes[when] += 1
    return trial.tally.proof(
        "an error at any storage call leaves complete versions; if the error states that nothing changed, nothing changed",
        f"{', '.join(type(e()).__name__ for e in ERRORS)} before and after each statement of a replace",
        scene.on,
        {"calls that failed": sum(outcomes.values())},
    )


def _possible(number: int, when: str, new: Callable[[], BaseException], calls: int) -> bool:
    """The last call closes the connection, whether or not it fails; a commit that happened does not report an error."""
    if number == calls:
        return when == "after"
    return not (number == calls - 1 and when == "after" and isinstance(new(), NAMED))


def _complaint(write: Callable[[], None], error: BaseException, trial: _Sequence, table: str) -> str | None:
    """What is wrong with how the write ended: a passed error, an unnamed one, or a false word about what was changed."""
    before = trial.scene.found(table)[0]
    try:
        write()
    except WarehouseError as e:
        changed = trial.scene.found(table)[0] != before
        if changed and "nothing was changed" in str(e):
            return f"it was written, but the error says: {e}"
        return None if e.remedy and trial.scene.warehouse.path.name in e.what else f"the error helps nobody: {e}"
    except BaseException as e:  # noqa: BLE001 whatever else is raised is what is looked for
        return None if e is error and not isinstance(error, NAMED) else f"not a named error: {e!r}"
    return None if trial.scene.found(table)[0] != before else "no error, and nothing was written"


def _full_disk(scene: Versions, free: tuple[int, ...]) -> Proof:
    """A real file system that is full (where it can be mounted), or a limit on the size of files."""
    tally, table, refused = Tally(), TABLES[2], 0
    with _small_disk(scene.warehouse.path) as (disk, fill):
        trial = _Sequence(scene.at(disk / "nba.duckdb"))
        for kib in following(free, len(free), "full disks"):

            def fail(write: Callable[[], None], kib: int = kib) -> str | None:
                with fill(kib):
                    return _in_child(write)

            trial.write(table, f"{kib} KiB free", fail, fails=False)
            refused += trial.standing[table] != trial._next - 1
        trial.write(table, "room again", lambda write: write(), fails=False)
        tally = trial.tally
        tally.case(
            None if trial.standing[table] == trial._next - 1 else "it could not be written when there was room again"
        )
        left = trial.scene.leftovers()
        tally.case(f"left behind: {left}" if left else None)
    return tally.proof(
        "a full disk leaves the old version or the complete new one, with an error that names the disk; with free "
        "space, the same write succeeds",
        f"{'a tmpfs filled' if _can_mount() else 'RLIMIT_FSIZE'} but for {free[0]} to {free[-1]} KiB, {len(free)} sizes",
        scene.on,
        {"writes refused": refused},
    )


def _in_child(write: Callable[[], None]) -> str | None:
    """What is wrong with how the write ended in a child of its own: it may succeed, or raise a named error with a remedy."""
    told, tell = os.pipe()

    def work() -> None:
        try:
            write()
        except PipelineError as e:
            helpful = any(word in e.remedy for word in ("disk", "space", "permissions"))
            os.write(tell, b"" if helpful else f"the error helps nobody: {e}".encode()[:4000])
        except BaseException as e:  # noqa: BLE001
            os.write(tell, f"not a named error: {e!r}".encode()[:4000])

    child = forked(work)
    os.close(tell)
    with open(told) as said:
        text = said.read()
    status = reaped(child)
    return text or (f"the child ended with {status}" if status else None)


def _can_mount() -> bool:
    return os.getuid() == 0 and shutil.which("mount") is not None


@contextmanager
def _small_disk(path: Path) -> Iterator[tuple[Path, Callable[[int], Any]]]:
    """A directory with a copy of the warehouse, and a context in which only so many KiB are free there."""
    place = Path(mkdtemp(prefix="reliability-"))
    size = path.stat().st_size * 4 + 2**22
    mounted = (
        _can_mount()
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=False, capture_output=True
        ).returncode
    )
    try:
        disk = place / "disk"
        disk.mkdir()
        shutil.copy(path, disk / "nba.duckdb")
        yield disk, (lambda kib: _ballast(place, kib)) if mounted else (lambda kib: _limited(disk / "nba.duckdb", kib))
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)
        shutil.rmtree(place)


@contextmanager
def _ballast(place: Path, kib: int) -> Iterator[None]:
    found = os.statvfs(place)
    ballast = place / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(found.f_bavail * found.f_frsize - kib * 1024, 1))
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def _limited(file: Path, kib: int) -> Iterator[None]:
    """Files of this process and its children may not grow beyond the file's size by more than that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + kib * 1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def _closed(scene: Versions) -> Proof:
    """What may not be written: the file, the lock beside it, the directory; by a user who has no other rights."""
    trial, place = _Sequence(scene), scene.warehouse.path.parent
    file, lock = scene.warehouse.path, place / f"{scene.warehouse.path.name}.lock"
    above = [p for p in place.parents if p.stat().st_uid == os.getuid() and p != Path("/")]
    kept = {p: p.stat().st_mode for p in (file, lock, place, *above)}
    for p in (*above, place):
        p.chmod(p.stat().st_mode | 0o055)
    try:
        for what, modes in {
            "file and lock may only be read": {file: 0o444, lock: 0o444},
            "only the file may be written": {file: 0o666, lock: 0o444},
            "only the lock may be written": {file: 0o444, lock: 0o666},
            "the directory may not be written": {file: 0o666, lock: 0o666, place: 0o555},
            "the file may not even be read": {file: 0o000, lock: 0o666},
        }.items():
            for p, mode in modes.items():
                p.chmod(mode)
            trial.write(TABLES[0], what, lambda write: _in_child(_unprivileged(write)), fails=False)
            for p, mode in kept.items():
                p.chmod(mode | (0o055 if p in (*above, place) else 0))
    finally:
        for p, mode in kept.items():
            p.chmod(mode)
    return trial.tally.proof(
        "files and directories without write permission leave the old version, and an error that names them",
        "modes of file, lock and directory, for a user without rights",
        scene.on,
    )


def _unprivileged(write: Callable[[], None]) -> Callable[[], None]:
    def work() -> None:
        if os.getuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        write()

    return work


def _taken_away(scene: Versions, table: str, step: int) -> Proof:
    """The file, the lock or the directory is removed at each call of a write; the write must not be called a success."""
    tally = Tally()
    with watched() as counter:
        scene.write(table, 0)
    for what in ("file", "directory", "lock"):
        for number in range(1, counter[0] + 1, step):
            with TemporaryDirectory() as scratch:
                path = Path(scratch) / "home" / "nba.duckdb"
                path.parent.mkdir()
                shutil.copy(scene.warehouse.path, path)
                own = scene.at(path)
                tally.case(_after_removal(own, table, what, number))
    return tally.proof(
        "a write whose file or directory is removed meanwhile fails with an error that names it, and the next one "
        "succeeds; without the lock file, the write is complete",
        "removed before each statement of a replace",
        scene.on,
    )


def _after_removal(own: Versions, table: str, what: str, number: int) -> str | None:
    path = own.warehouse.path
    targets = {"file": path, "directory": path.parent, "lock": path.with_name(f"{path.name}.lock")}

    def act(at: int, _said: str) -> None:
        if at == number:
            shutil.rmtree(targets[what]) if what == "directory" else targets[what].unlink()

    how = f"{what} removed before call {number}"
    version = max(own.found(table)[0].values()) + 1
    try:
        with watched(before=act):
            own.write(table, version)
    except WarehouseError as e:
        if what == "lock" or not e.remedy:
            return f"{how}: {e}"
    except BaseException as e:  # noqa: BLE001 whatever else is raised is what is looked for
        return f"{how}: not a named error: {e!r}"
    else:
        if what != "lock":
            return f"{how}: it is called a success"
    own.write(table, version)
    return "; ".join(own.outcome(table, version, version)[1]) or None


# --- artifacts --------------------------------------------------------------------------------------------------------

CALLS = ("os.open", "os.close", "os.fsync", "tempfile.mkstemp", "Path.mkdir", "Path.replace", "Path.open")


def _failing_artifacts() -> Proof:
    """Every call of the operating system fails once, while artifacts are put, and while a published one is replaced."""
    tally = Tally()
    for what in ("put", "publish"):
        number = 0
        while True:
            number += 1
            with TemporaryDirectory() as scratch:
                store = LocalArtifacts(Path(scratch))
                store.publish("reports", "page.html", b"old" * 1000)
                with _failing_call(number) as reached:
                    said = _put_or_publish(store, what)
                if not reached:
                    break
                tally.case(_artifact_fault(store, Path(scratch), what, said, number))
    return tally.proof(
        "an artifact is stored completely or not at all, and a published page is the old or the new one, whichever call fails",
        f"OSError at each call of {', '.join(CALLS)}",
        "files of 3 kB in a directory",
    )


@contextmanager
def _failing_call(number: int) -> Iterator[list[str]]:
    """The n-th call that the store makes of the operating system raises; the list is empty where there are fewer."""
    seen, reached = [0], list[str]()

    def failing(name: str, real: Callable) -> Callable:
        def call(*arguments: Any, **options: Any) -> Any:
            seen[0] += 1
            if seen[0] == number:
                reached.append(name)
                if name == "os.close":
                    real(*arguments)
                raise OSError(28, "No space left on device")
            return real(*arguments, **options)

        return call

    homes = {"os": os, "Path": Path, "tempfile": __import__("tempfile")}
    patches = []
    for name in CALLS:
        home, attribute = homes[name.split(".")[0]], name.split(".")[1]
        patches.append(patch.object(home, attribute, failing(name, getattr(home, attribute))))
    for p in patches:
        p.start()
    try:
        yield reached
    finally:
        for p in patches:
            p.stop()


def _put_or_publish(store: LocalArtifacts, what: str) -> str:
    """What the error says; empty where there is none."""
    try:
        if what == "put":
            store.put("models", "model.json", b"new" * 1000)
        else:
            store.publish("reports", "page.html", b"new" * 1000)
    except ArtifactError as e:
        return str(e) if e.remedy else f"not helpful: {e}"
    except OSError as e:
        return f"not a named error: {e!r}"
    return ""


def _artifact_fault(store: LocalArtifacts, root: Path, what: str, said: str, number: int) -> str | None:
    faults = [said] if said.startswith("not ") else []
    faults += [] if said else ["no error"]
    new = b"new" * 1000
    page = (root / "reports" / "page.html").read_bytes()
    faults += [] if page in (b"old" * 1000, new) else ["the page is torn"]
    faults += [f"{p.name} is torn" for p in root.glob("models/*") if p.read_bytes() != new]
    with suppress(PipelineError):
        stored = store.put("models", "model.json", new)
        faults += [] if store.get(stored.location, stored.sha256) == new else ["it cannot be put again"]
        if what == "publish":
            store.publish("reports", "page.html", new)
        return f"{what}, call {number}: {'; '.join(faults)}" if faults else None
    return f"{what}, call {number}: it cannot be put again"


# --- the event log ----------------------------------------------------------------------------------------------------


def _failing_event_log() -> Proof:
    """A batch of materializations and verdicts, in which each statement fails once."""
    tally, number = Tally(), 0
    while True:
        number += 1
        with TemporaryDirectory() as scratch:
            storage = BatchedSqliteEventLogStorage(scratch)
            storage.store_event_batch(_events("first"))
            reached, said = _store_failing_at(storage, number)
            if reached:
                tally.case(_event_fault(Path(scratch) / "event_log.db", storage, said, number))
            storage.dispose()
        if not reached:
            break
    return tally.proof(
        "a batch of events is recorded completely or not at all, whichever statement fails, and can be recorded again",
        "an error of SQLite (disk full) at each statement of a batch",
        f"{EVENTS} materializations with {EVENTS} verdicts",
    )


def _events(run: str) -> list[dg.EventLogEntry]:
    from nba_pipeline_tests.integration.test_event_log import evaluation, materialization

    days = [f"2024-01-{d + 1:02}" for d in range(EVENTS // 2)]
    keys = [(k, d) for k in "ab" for d in days]
    return [materialization(k, d, run) for k, d in keys] + [evaluation(k, d, True, run) for k, d in keys]


def _store_failing_at(storage: BatchedSqliteEventLogStorage, number: int) -> tuple[bool, str]:
    seen = [0]

    def fail(*_: object) -> None:
        seen[0] += 1
        if seen[0] == number:
            raise sqlite3.OperationalError("database or disk is full")

    # SQLAlchemy wraps what the driver raises, not what a listener raises: the driver's call is what must fail.
    sqlalchemy.event.listen(Engine, "do_execute", fail)
    sqlalchemy.event.listen(Engine, "do_executemany", fail)
    sqlalchemy.event.listen(Engine, "do_execute_no_params", fail)
    try:
        storage.store_event_batch(_events("second"))
    except EventLogFailedError as e:
        return seen[0] >= number, str(e)
    except Exception as e:  # noqa: BLE001
        return seen[0] >= number, f"not a named error: {e!r}"
    finally:
        for name in ("do_execute", "do_executemany", "do_execute_no_params"):
            sqlalchemy.event.remove(Engine, name, fail)
    return seen[0] >= number, ""


def _event_fault(path: Path, storage: BatchedSqliteEventLogStorage, said: str, number: int) -> str | None:
    faults = [said] if said.startswith("not ") or not said else []
    with closing(sqlite3.connect(path)) as log:
        counts = [
            log.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("event_logs", "asset_check_executions")
        ]
    if counts != [2 * EVENTS, EVENTS]:
        faults.append(f"events and verdicts are {counts}, not those of the batch before")
    storage.store_event_batch(_events("second"))
    return f"statement {number}: {'; '.join(faults)}" if faults else None
