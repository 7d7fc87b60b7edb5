"""Kept answers are never overwritten, come back as they were, and say when they were touched."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nba_pipeline.common.errors import SourceError
from nba_pipeline.sources.payloads import META, PayloadStore

AT = datetime(2024, 11, 6, 12, 0, 0, 123456, tzinfo=UTC)


def keep(store: PayloadStore, content: bytes = b"{}", at: datetime = AT, **more: str):
    return store.keep("nba_stats", "schedule", "2024-25", content, at, {"a": 1}, **more)


def test_an_answer_is_named_by_its_moment_and_hash_and_comes_back_as_it_was(tmp_path: Path) -> None:
    store = PayloadStore(tmp_path)
    kept = keep(store, b'{"n": "Don\xc4\x8di\xc4\x87"}')
    assert kept.path.relative_to(tmp_path).parts[:3] == ("nba_stats", "schedule", "2024-25")
    assert kept.path.name.startswith("20241106T120000.123456Z-") and kept.path.name.endswith(".json.gz")
    assert kept.meta["sha256"].startswith(kept.path.name.split("-")[1][:16])
    found = store.latest("nba_stats", "schedule", "2024-25")
    assert found is not None
    assert (found.fetched_at, found.read()) == (AT, b'{"n": "Don\xc4\x8di\xc4\x87"}')


def test_every_answer_stays_and_the_newest_is_the_latest(tmp_path: Path) -> None:
    store = PayloadStore(tmp_path)
    keep(store, b"2", AT + timedelta(hours=1))
    keep(store, b"1", AT)
    assert [p.read() for p in store.all("nba_stats", "schedule", "2024-25")] == [b"1", b"2"]
    assert store.fetched("nba_stats", "schedule", "2024-25") == AT + timedelta(hours=1)
    assert store.fetched("nba_stats", "schedule", "2023-24") is None


def test_an_altered_answer_is_refused_by_name(tmp_path: Path) -> None:
    kept = keep(PayloadStore(tmp_path))
    kept.path.write_bytes(gzip.compress(b"[]"))
    with pytest.raises(SourceError, match=f"{kept.path.name} is not what was fetched"):
        kept.read()


@pytest.mark.parametrize("damage", [b"", b"no gzip", gzip.compress(b"{}")[:-4]], ids=["empty", "no gzip", "cut"])
def test_a_damaged_answer_is_refused_by_name(tmp_path: Path, damage: bytes) -> None:
    kept = keep(PayloadStore(tmp_path))
    kept.path.write_bytes(damage)
    with pytest.raises(SourceError, match=kept.path.name):
        kept.read()


def test_a_rejected_answer_is_kept_apart_with_its_reason(tmp_path: Path) -> None:
    store = PayloadStore(tmp_path)
    kept = keep(store, b"<html>", rejected_because="a web page")
    assert kept.meta["rejected_because"] == "a web page"
    assert store.all("nba_stats", "schedule", "2024-25") == []


def test_nothing_half_written_is_ever_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PayloadStore(tmp_path)

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        keep(store)
    monkeypatch.undo()
    assert store.all("nba_stats", "schedule", "2024-25") == []
    assert [p for p in tmp_path.rglob("*") if p.is_file() and META not in p.name] == []


@pytest.mark.parametrize("key", ["../../escape", "a/b", "", ".hidden", "x" * 200])
def test_a_key_cannot_leave_its_directory(tmp_path: Path, key: str) -> None:
    with pytest.raises(SourceError, match="cannot be part of the name"):
        PayloadStore(tmp_path).keep("nba_stats", "schedule", key, b"{}", AT, {})
