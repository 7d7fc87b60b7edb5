"""Memory that long work has freed goes back to the system."""

import ctypes
import sys
from types import SimpleNamespace

import psutil
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common import memory
from nba_pipeline.common.memory import give_back

PIECE, PIECES = 64 << 10, 2_000


@pytest.fixture(autouse=True)
def nothing_may_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "KEPT_BYTES", 0)


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc")
def test_memory_between_what_is_still_used_is_given_back() -> None:
    held = [bytes([i % 255 + 1]) * PIECE for i in range(PIECES)]
    del held[: PIECES - 1]  # the last piece keeps the C library from giving back by itself what lies before it
    before = psutil.Process().memory_info().rss
    give_back()
    assert before - psutil.Process().memory_info().rss > PIECE * PIECES // 2


def test_memory_that_duckdb_has_freed_is_given_back_while_its_database_is_open() -> None:
    with duck.scratch(threads=1) as db:
        db.execute("CREATE TEMP TABLE held AS SELECT range AS number, md5(range::VARCHAR) AS text FROM range(500000)")
        size = db.execute("SELECT * FROM held ORDER BY text").to_arrow_table().nbytes
        db.execute("DROP TABLE held")
        before = psutil.Process().memory_info().rss
        give_back()
        assert before - psutil.Process().memory_info().rss > size


def test_a_process_that_has_little_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    given_back = list[int]()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(malloc_trim=given_back.append))
    now = psutil.Process().memory_info().rss
    for most in (now * 2, now // 2):
        monkeypatch.setattr(memory, "KEPT_BYTES", most)
        give_back()
        assert len(given_back) == (most < now)


def test_where_the_c_library_cannot_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    give_back()
