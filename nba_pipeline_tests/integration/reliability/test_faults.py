"""Kills, competition and failing storage in small, and the faults that each harness is there to find."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline.common import duckdb as duck
from tools.reliability import concurrency, kills, run_kills, storage
from tools.reliability.proof import Proof
from tools.reliability.versions import TABLES, Versions, versions

TABLE = TABLES[1]


@pytest.fixture(scope="module")
def shared() -> Iterator[Versions]:
    with versions("quick", timeout=60) as made:
        yield made


@pytest.fixture
def scene(shared: Versions) -> Versions:
    """Version 0 of all tables, whatever a test did before."""
    for table in TABLES:
        shared.write(table, 0)
    return shared


def told(proofs: list[Proof]) -> list[str]:
    return [f"{p.promise}: {p.examples or 'nothing was tried'}" for p in proofs if not p.holds]


def test_killed_writers_leave_whole_versions(scene: Versions) -> None:
    calls = {TABLE: kills._calls(scene, TABLE)}
    assert told([kills._at_every_call(scene, calls), kills._at_random(scene, (TABLE,), 6)]) == []


class _EachOnItsOwn:
    """A connection that commits every statement."""

    def __init__(self, db: Any) -> None:
        self._db = db

    def execute(self, sql: str, *arguments: Any) -> Any:
        return self._db.execute("SELECT 1" if sql in ("BEGIN TRANSACTION", "COMMIT", "ROLLBACK") else sql, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


@contextmanager
def without_transaction() -> Iterator[None]:
    real = duck.connect

    def connect(path: Path | None = None, *, read_only: bool = False, threads: int | None = None) -> Any:
        db = real(path, read_only=read_only, threads=threads)
        return db if read_only else _EachOnItsOwn(db)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duck, "connect", connect)
        yield


def test_a_warehouse_that_commits_each_statement_is_found_by_kills(scene: Versions) -> None:
    with without_transaction():
        found = kills._at_every_call(scene, {TABLE: kills._calls(scene, TABLE)})
    assert found.failures > 5
    assert "the ledger says" in " ".join(found.examples)


def test_a_warehouse_that_commits_each_statement_is_found_by_failing_calls(scene: Versions) -> None:
    with without_transaction():
        assert storage._failing_calls(scene, (TABLE,), 5).failures > 2


def test_competing_writers_and_readers_see_whole_days(scene: Versions) -> None:
    assert told([concurrency._writers_and_readers(scene, "quick"), concurrency._waiting(scene)]) == []


def test_a_lost_write_and_a_doubled_row_are_found(scene: Versions) -> None:
    scene.write(TABLE, 1)
    scene.write(TABLE, 2)
    assert concurrency._lost(scene, TABLE, [(1.0, 2.0, 1, TABLE, scene.days), (3.0, 4.0, 2, TABLE, scene.days)]) == []
    later = [(1.0, 2.0, 2, TABLE, scene.days), (3.0, 4.0, 1, TABLE, scene.days)]
    assert len(concurrency._lost(scene, TABLE, later)) == len(scene.days)
    with duck.connect(scene.warehouse.path) as db:
        db.execute(f"INSERT INTO {TABLE} SELECT * FROM {TABLE} LIMIT 1")
    assert len(concurrency._torn(scene, TABLE)) == 1
    assert any("not those that were written" in fault for fault in scene.found(TABLE)[1])


def test_failing_storage_leaves_the_state_before_or_after(scene: Versions) -> None:
    proofs = [
        storage._failing_calls(scene, (TABLE,), 7),
        storage._full_disk(scene, (0, 64)),
        storage._closed(scene),
        storage._taken_away(scene, TABLE, 7),
    ]
    assert told(proofs) == []


def test_failing_artifacts_and_event_logs_leave_the_state_before_or_after() -> None:
    assert told([storage._failing_artifacts(), storage._failing_event_log()]) == []


@pytest.mark.e2e
def test_a_backfill_that_is_killed_again_and_again_ends_like_one_that_was_left_alone() -> None:
    assert told(run_kills.prove("quick")) == []
