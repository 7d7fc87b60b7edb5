"""What a range needs before it can run: every lack is named with what mends it, and nothing is asked that is not needed."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from nba_pipeline.common.errors import SourceError
from nba_pipeline.contracts.table import arrow_type
from nba_pipeline.definitions import ASSETS
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.waivers import NO_WAIVERS, Waiver, Waivers
from nba_pipeline.orchestration import preflight as looking
from nba_pipeline.orchestration.preflight import Finding, preflight
from nba_pipeline.sources.landing import SHOTS, Feed
from nba_pipeline.tables.catalog import graph_order
from nba_pipeline_tests.unit.engine.test_readiness import PUBLISHED, REFUSED, ledger

assert ASSETS
START, END = date(2024, 1, 8), date(2024, 1, 9)


class Empty:
    """A source without rows, whose shots cannot be read if asked so."""

    def __init__(self, broken: bool = False) -> None:
        self.broken = broken

    def describe(self) -> dict[str, str]:
        return {}

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        assert set(days) == {START, END}
        if self.broken and feed is SHOTS:
            raise SourceError("shots.parquet cannot be read: too small", "replace the file")
        return pa.schema([(n, arrow_type(t)) for n, t in feed.ibis_schema.items()]).empty_table()


def looked(home: Path, source: Empty, entries: pa.Table, waivers: Waivers = NO_WAIVERS) -> dict[str, Finding]:
    return {f.what: f for f in preflight(home, source, entries, START, END, waivers)}


def test_a_range_with_a_readable_source_can_run_and_its_history_is_announced(tmp_path: Path) -> None:
    found = looked(tmp_path, Empty(), ledger({}))
    assert all(f.fine for f in found.values())
    assert "no games in these days" in found["feed schedule"].said
    assert "backfill runs them first" in found["history"].said


def test_a_feed_that_cannot_be_read_is_named_with_its_remedy(tmp_path: Path) -> None:
    found = looked(tmp_path, Empty(broken=True), ledger({}))["feed shots"]
    assert (found.fine, found.said, found.fix) == (
        False,
        "shots.parquet cannot be read: too small",
        "replace the file",
    )


def test_a_full_disk_is_said_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LEAST_FREE_BYTES", 2**60)
    assert not looked(tmp_path, Empty(), ledger({}))["disk"].fine


FACTS = "nba_analytics.player_game_summary"


def test_a_refused_day_that_the_range_looks_back_on_blocks_it_until_it_is_waived(tmp_path: Path) -> None:
    entries = ledger({2: REFUSED, 3: PUBLISHED}, FACTS)
    found = looked(tmp_path, Empty(), entries)[f"history {FACTS}"]
    assert not found.fine
    assert "refused 2024-01-03" in found.said
    assert found.fix.startswith("correct the source, then run nba-pipeline backfill 2024-01-03 2024-01-07 --missing")
    waiver = Waiver(FACTS, date(2024, 1, 3), date(2024, 1, 3), date(2024, 1, 4), "ann", "lost")
    found = looked(tmp_path, Empty(), entries, Waivers((waiver,)))
    assert f"history {FACTS}" not in found
    assert "waived by ann" in found["waiver"].said


def test_a_refused_day_of_the_range_itself_may_be_run_again(tmp_path: Path) -> None:
    assert all(f.fine for f in looked(tmp_path, Empty(), ledger({7: REFUSED}, FACTS)).values())


def test_a_published_history_needs_nothing(tmp_path: Path) -> None:
    first = date(2021, 10, 19)
    numbers = {(d - date(2024, 1, 1)).days: PUBLISHED for d in days_between(first, END)}
    entries = pa.concat_tables([ledger(numbers, table) for table in graph_order()])
    assert looked(tmp_path, Empty(), entries)["history"].said == "all days that the range looks back on are published"
