"""A run whose tables are prepared ahead publishes and reports what a run that computes them step by step does."""

import threading
import time
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

    def noted(self: ahead.Ahead, table: str) -> Any:
        found = honest(self, table)
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
        return open_table_run(CATALOG[table], (DAY,), home.settings, run_id).prepare()

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


def test_the_next_block_is_computed_beside_a_first_one_and_all_days_have_the_digests_of_their_feeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, run_id = Settings.from_environment({"NBA_PIPELINE_HOME": str(tmp_path)}), "run"
    days = days_between(EPOCH, date(2021, 11, 30))
    schedule, other = CATALOG["nba_raw.schedule"], CATALOG["nba_raw.lineups"]
    next_one, honest = threading.Event(), table_run.prepare

    def held(transform: Any, block: list[date], *more: Any, **options: Any) -> Any:
        if block[0] > days[0]:
            next_one.set()
        else:
            assert next_one.wait(60)
        return honest(transform, block, *more, **options)

    for module in (table_run, publish):
        monkeypatch.setattr(module, "prepare", held)
    monkeypatch.setattr(table_run, "blocks_of", lambda *_: [days[:20], days[20:]])
    with ahead.preparing_ahead(run_id, [schedule.table.id, other.table.id], {}):
        assert ahead.take(run_id, other, days, settings) is None
        begun = ahead._runs[run_id].ahead
        while not (begun and begun.opened(schedule.table.id)):
            time.sleep(0.01)
        work = ahead.take(run_id, schedule, days, settings)
        assert work and work.under_way
        assert [block.published for block in work.publish()] == [days[:20], days[20:]]
    built = SourceState(settings.open_state()).built()
    assert {day for _, day in built} == set(days)
    assert len({entry["recorded_at"] for entry in settings.open_warehouse().ledger().to_pylist()}) == 1
