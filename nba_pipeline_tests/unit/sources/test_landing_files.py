"""Landing files by day: the rows of others are told from those that were written from stored answers."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba_pipeline.sources.landing import FEEDS, Feed
from nba_pipeline.sources.landing_files import landed_rows


def test_rows_of_own_sources_are_left_out_and_rows_without_a_source_stay(tmp_path: Path) -> None:
    path = tmp_path / "2024-11-05.parquet"
    pq.write_table(pa.table({"game_id": ["1", "2", "3"], "source": ["ours", None, "theirs"]}), path)
    assert [r["game_id"] for r in landed_rows(path, without=["ours"])] == ["2", "3"]
    assert len(landed_rows(path)) == 3


def test_rows_of_a_file_that_names_no_source_stay(tmp_path: Path) -> None:
    path = tmp_path / "2024-11-05.parquet"
    pq.write_table(pa.table({"game_id": ["1"]}), path)
    assert landed_rows(path, without=["ours"]) == [{"game_id": "1"}]


@pytest.mark.parametrize("feed", FEEDS.values(), ids=FEEDS)
def test_a_feed_that_is_not_daily_names_columns_that_tell_its_rows_apart(feed: Feed) -> None:
    assert bool(feed.key) == (feed.day is None)
    assert set(feed.key) <= {c.name for c in feed.columns if c.required}
