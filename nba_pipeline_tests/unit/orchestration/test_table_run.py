"""One table in a run: which of its blocks are computed while others are stored."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.orchestration import table_run
from nba_pipeline.orchestration.table_run import open_table_run
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline_tests.support import day

FOUR_SEASONS = tuple(days_between(day("2021-10-19"), day("2025-06-22")))


@pytest.mark.parametrize(
    ("table", "days", "ahead"),
    [
        ("nba_raw.player_prop_lines", FOUR_SEASONS, 2),
        ("nba_raw.player_prop_lines", FOUR_SEASONS[:40], 0),
        ("nba_raw.rosters", FOUR_SEASONS, 0),
        ("nba_predictions.prediction_models", FOUR_SEASONS, 2),
    ],
    ids=["several blocks", "one block of many", "one block of all", "training"],
)
def test_two_blocks_are_computed_while_another_is_stored_where_there_are_several(
    table: str, days: tuple[Any, ...], ahead: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def noted(*_: Any, ahead: int, **__: Any) -> Iterator[Any]:
        asked.append(ahead)
        yield from ()

    monkeypatch.setattr(table_run, "publish_in_blocks", noted)
    monkeypatch.setattr(table_run, "require_model_features", lambda *_: None)
    settings = Settings.from_environment({"NBA_PIPELINE_HOME": str(tmp_path)})
    assert list(open_table_run(CATALOG[table], days, settings, "run").publish()) == []
    assert asked == [ahead]


def test_a_prepared_block_is_closed_where_the_run_ends_before_it_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = list[bool]()

    def interrupted(*_: Any, **__: Any) -> Iterator[Any]:
        yield from ()
        raise KeyboardInterrupt

    monkeypatch.setattr(table_run, "publish_in_blocks", interrupted)
    prepared: Any = SimpleNamespace(close=lambda: closed.append(True))
    settings = Settings.from_environment({"NBA_PIPELINE_HOME": str(tmp_path)})
    run = open_table_run(CATALOG["nba_raw.rosters"], FOUR_SEASONS, settings, "run")
    with pytest.raises(KeyboardInterrupt):
        list(replace(run, prepared=prepared).publish())
    assert closed == [True]
