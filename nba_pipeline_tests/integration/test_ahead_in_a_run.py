"""A run whose tables are prepared ahead publishes and reports what a run that computes them step by step does."""

import errno
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline.common.errors import SourceError
from nba_pipeline.config.settings import Settings
from nba_pipeline.definitions import ASSETS
from nba_pipeline.domain.calendar import EPOCH, days_between
from nba_pipeline.engine import publish
from nba_pipeline.orchestration import ahead, table_run
from nba_pipeline.orchestration.table_run import TableRun, open_table_run
from nba_pipeline.sources.state_db import SourceState
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline_tests.support.homes import Home

pytestmark = pytest.mark.integration
DAY = date(2021, 10, 28)
BEFORE_FEATURES = [a for a in ASSETS if a.key.path[0] in ("nba_raw", "nba_analytics", "nba_precompute")]


def reported(home: Home, run_id: str) -> list[tuple[Any, ...]]:
    """The results of days and checks in a run, without what differs from run to run."""
    with home.instance() as instance:
        logs = instance.all_logs(run_id)
    days = [(e.step_key, made.partition) for e in logs if (made := e.asset_materialization)]
    checks = [(str(c.asset_check_key), c.partition, c.passed) for e in logs if (c := e.asset_check_evaluation)]
    assert days
    assert checks
    return sorted([*days, *checks], key=str)


def entries(home: Home) -> list[dict[str, Any]]:
    rows = home.warehouse.ledger(None, DAY, DAY).to_pylist()
    return [{n: v for n, v in row.items() if n not in ("run_id", "recorded_at")} for row in rows]


def test_days_verdicts_and_contents_are_the_same(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    honest = ahead.Ahead.take

    def noted(self: ahead.Ahead, table: str, block: int) -> Any:
        found = honest(self, table, block)
        taken.extend([table] if found else [])
        return found

    monkeypatch.setattr(ahead.Ahead, "take", noted)
    with_it = home.materialize(DAY, DAY, BEFORE_FEATURES)
    assert with_it.success and len(taken) > 5, taken
    with_it_entries, with_it_content = entries(home), home.content()
    monkeypatch.setattr(ahead, "_needs", lambda *_: {})
    without = home.materialize(DAY, DAY, BEFORE_FEATURES)
    assert without.success
    assert reported(home, with_it.run_id) == reported(home, without.run_id)
    assert (with_it_entries, with_it_content) == (entries(home), home.content())


def test_an_error_while_a_table_is_prepared_fails_it_and_stops_those_below(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = table_run.prepare

    def damaged(transform: Any, *more: Any, **options: Any) -> Any:
        if transform.table.id == "nba_analytics.upcoming_player_game_context":
            raise SourceError("the file is damaged", "replace it")
        return honest(transform, *more, **options)

    monkeypatch.setattr(table_run, "prepare", damaged)
    result = home.materialize(DAY, DAY)
    assert not result.success
    failed = {e.step_key: str(e.step_failure_data.user_failure_data) for e in result.get_step_failure_events()}
    assert list(failed) == ["nba_analytics__upcoming_player_game_context"]
    assert "SourceError: the file is damaged" in failed["nba_analytics__upcoming_player_game_context"]
    assert "nba_precompute__player_daily_cache" not in {e.step_key for e in result.get_step_success_events()}
    assert not ahead._runs


def test_what_another_run_changes_between_preparing_and_publishing_is_computed_again(home: Home) -> None:
    table = "nba_precompute.player_daily_cache"

    def prepared(run_id: str) -> TableRun:
        run = open_table_run(CATALOG[table], (DAY,), home.settings, run_id)
        made = run.prepare(0)
        return replace(run, ready=lambda _: made)

    first, other, later = (prepared(run_id) for run_id in ("first", "other", "later"))
    assert [b.published for b in first.publish()] == [[DAY]]  # nobody published meanwhile: stored as it was prepared
    assert home.published_by(table)[DAY] == "first"
    computed = list[str]()
    honest = publish.prepare

    def noted(*given: Any, **options: Any) -> Any:
        computed.append(given[-1].id)
        return honest(*given, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publish, "prepare", noted)
        for each in (other, later):
            assert [b.published for b in each.publish()] == [[DAY]]
    assert computed == ["other", "later"]


@pytest.fixture
def two_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, list[date]]:
    """The settings of a new home, and days of which every table has two blocks."""
    days = days_between(EPOCH, date(2021, 11, 30))
    monkeypatch.setattr(table_run, "blocks_of", lambda *_: [days[:20], days[20:]])
    monkeypatch.setattr(ahead, "blocks_of", lambda *_: [days[:20], days[20:]])
    return Settings.from_environment({"NBA_PIPELINE_HOME": str(tmp_path)}), days


def test_two_blocks_are_computed_at_once_and_all_days_have_the_digests_of_their_feeds(
    two_blocks: tuple[Settings, list[date]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings, days), run_id, schedule = two_blocks, "run", CATALOG["nba_raw.schedule"]
    next_one, honest = threading.Event(), table_run.prepare

    def held(transform: Any, block: list[date], *more: Any, **options: Any) -> Any:
        if block[0] > days[0]:
            next_one.set()
        else:
            assert next_one.wait(60)
        return honest(transform, block, *more, **options)

    monkeypatch.setattr(table_run, "prepare", held)
    with ahead.preparing_ahead(run_id, [schedule.table.id], {}):
        work = ahead.take(run_id, schedule, days, settings)
        assert work
        assert [block.published for block in work.publish()] == [days[:20], days[20:]]
    built = SourceState(settings.open_state()).built()
    assert {day for _, day in built} == set(days)
    assert len({entry["recorded_at"] for entry in settings.open_warehouse().ledger().to_pylist()}) == 1


def test_a_table_is_computed_while_the_step_of_the_one_above_it_goes_on_with_later_days(
    home: Home, two_blocks: tuple[Settings, list[date]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, days = two_blocks
    above, below = CATALOG["nba_raw.schedule"], CATALOG["nba_raw.rosters"]
    begun, honest = threading.Event(), table_run.prepare

    def held(transform: Any, block: list[date], *more: Any, **options: Any) -> Any:
        if transform is below:
            begun.set()
        elif block[0] > days[0]:
            assert begun.wait(60)  # the later days of the table above wait for the table below
        return honest(transform, block, *more, **options)

    monkeypatch.setattr(table_run, "prepare", held)
    computed = list[str]()
    monkeypatch.setattr(publish, "prepare", lambda transform, *_, **__: computed.append(transform.table.id))
    result = home.materialize(days[0], days[-1], [a for a in ASSETS if a.key.path[-1] in ("schedule", "rosters")])
    assert result.success
    assert computed == [], "what was prepared is stored as it is"
    published = [home.published_by(t.table.id) for t in (above, below)]
    assert [{published[d] for d in days} for published in published] == [{result.run_id}] * 2


def test_a_step_that_fails_drops_its_blocks_and_those_of_the_tables_below_before_the_run_ends(
    home: Home, two_blocks: tuple[Settings, list[date]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, days = two_blocks
    honest, left = ahead.Ahead.drop, list[set[str]]()

    def noted(self: ahead.Ahead, tables: set[str]) -> None:
        honest(self, tables)
        left.append(tables | {table for table, _ in [*self._needs, *self._begun]})

    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(ahead.Ahead, "drop", noted)
    monkeypatch.setattr(publish, "store", full)
    assert not home.materialize(
        days[0], days[-1], [a for a in ASSETS if a.key.path[-1] in ("schedule", "rosters")]
    ).success
    (tables,) = left
    assert tables == ahead._with_those_below("nba_raw.schedule")
    assert not ahead._runs
