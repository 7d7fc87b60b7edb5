"""A file of the cache is whole and of its key, or it is not there."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nba_pipeline.common.cache_files import VERSIONS_KEPT, CacheFiles

VALUE = {"statement": "SELECT 1 AS points", "columns": ["points"]}


@pytest.fixture
def files(tmp_path: Path) -> CacheFiles:
    return CacheFiles(tmp_path / "cache")


def the_file(files: CacheFiles) -> Path:
    (path,) = files.directory.iterdir()
    return path


def test_what_was_kept_is_found_by_its_name_and_key_only(files: CacheFiles) -> None:
    assert files.put("calls", "k" * 64, VALUE)
    assert files.get("calls", "k" * 64) == VALUE
    assert files.get("calls", "k" * 63 + "x") is None
    assert files.get("grades", "k" * 64) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text[:0],
        lambda text: text.replace("SELECT 1", "SELECT 2"),
        lambda text: text.replace("kkk", "kkx", 1),
        lambda text: text[:0] + "[]",
        lambda text: "\x00" * len(text),
    ],
)
def test_a_damaged_file_counts_as_absent_and_is_replaced(files: CacheFiles, damage) -> None:
    files.put("calls", "k" * 64, VALUE)
    path = the_file(files)
    path.write_text(damage(path.read_text()))
    assert files.get("calls", "k" * 64) is None
    files.put("calls", "k" * 64, VALUE)
    assert files.get("calls", "k" * 64) == VALUE


def test_writers_at_once_lose_nothing(files: CacheFiles) -> None:
    names = [f"table_{i}" for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(lambda i: files.put(names[i % 8], "k" * 64, [names[i % 8]]), range(64)))
    assert all(written)
    assert [files.get(n, "k" * 64) for n in names] == [[n] for n in names]
    assert len(list(files.directory.iterdir())) == len(names), "a draft was left behind"


def test_of_one_name_the_latest_few_versions_are_kept(files: CacheFiles) -> None:
    keys = [f"{i:064d}"[::-1] for i in range(VERSIONS_KEPT + 3)]
    for key in keys:
        files.put("calls", key, key)
    assert [k for k in keys if files.get("calls", k)] == keys[-VERSIONS_KEPT:]


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    files = CacheFiles(tmp_path / "no home" / "cache")
    assert not files.put("calls", "k" * 64, VALUE)
    assert files.get("calls", "k" * 64) is None
    assert not (tmp_path / "no home").exists(), "a look must not make a home"
