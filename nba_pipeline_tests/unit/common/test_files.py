"""Atomic replacement of files."""

from pathlib import Path

import pytest

from nba_pipeline.common.files import replacing, write_atomically


def test_a_file_is_replaced_whole_and_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "day.parquet"
    write_atomically(path, b"first")
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def stop_while_writing(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(b"sec")
        raise ValueError("stopped")


def test_an_error_before_the_end_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "day.parquet"
    write_atomically(path, b"first")
    with pytest.raises(ValueError, match="stopped"):
        stop_while_writing(path)
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]
