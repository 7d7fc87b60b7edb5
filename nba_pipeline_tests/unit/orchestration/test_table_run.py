"""One table in a run: its blocks, those that others prepare, and the stored features that are looked at before."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline.common.errors import MissingHistoryError
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.publish import Publication
from nba_pipeline.orchestration import table_run
from nba_pipeline.orchestration.table_run import TableRun, open_table_run
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline_tests.support import day

FOUR_SEASONS = tuple(days_between(day("2021-10-19"), day("2025-06-22")))
# The first day and the number of days: of two blocks, and of both.
FIRST, SECOND, BOTH = (day("2021-10-19"), 651), (day("2023-08-01"), 692), (day("2021-10-19"), 1343)
Span = tuple[date, int]


@pytest.fixture
def models(tmp_path: Path) -> TableRun:
    settings = Settings.from_environment({"NBA_PIPELINE_HOME": str(tmp_path)})
    return open_table_run(CATALOG["nba_predictions.prediction_models"], FOUR_SEASONS, settings, "run")


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[Span]:
    """The days for which stored features were looked at, each time; nothing is computed."""
    found: list[Span] = []

    def require(transform: Any, used: Any, warehouse: Any, days: Sequence[date], run_id: str) -> None:  # noqa: ARG001
        found.append(span(days))

    monkeypatch.setattr(table_run, "require_model_features", require)
    monkeypatch.setattr(table_run, "prepare", lambda _, days, *__, **___: days)
    monkeypatch.setattr(table_run, "publish_in_blocks", lambda *_: (Publication([]) for _ in range(1)))
    return found


def span(days: Sequence[date]) -> Span:
    return days[0], len(days)


def test_a_block_is_prepared_with_its_own_days(models: TableRun, looked_at: list[Span]) -> None:
    assert [span(days) for days in models.blocks] == [FIRST, SECOND]
    prepared: Any = models.prepare(1)
    assert span(prepared) == SECOND
    assert looked_at == [SECOND]


@pytest.mark.parametrize(
    ("prepared", "left"),
    [((), [BOTH]), ((0,), [FIRST, SECOND]), ((1,), [SECOND, FIRST]), ((0, 1), [FIRST, SECOND])],
    ids=["none", "the first", "the second", "both"],
)
def test_stored_features_are_looked_at_once_for_each_day_and_for_all_before_any_is_published(
    models: TableRun, looked_at: list[Span], prepared: tuple[int, ...], left: list[Span]
) -> None:
    for block in prepared:
        models.prepare(block)
    assert len(list(replace(models, ready=lambda _: None).publish())) == 1
    assert looked_at == left


def test_where_features_are_missing_nothing_is_published_and_they_are_looked_at_again(
    models: TableRun, looked_at: list[Span], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any) -> None:
        raise MissingHistoryError("they were not computed", "compute them")

    with monkeypatch.context() as patch:
        patch.setattr(table_run, "require_model_features", missing)
        for attempt in (lambda: models.prepare(0), lambda: next(models.publish())):
            with pytest.raises(MissingHistoryError):
                attempt()
    models.prepare(0)
    assert looked_at == [FIRST]


@pytest.mark.usefixtures("looked_at")
def test_blocks_that_others_prepare_are_taken_where_there_are_others(
    models: TableRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Callable[[int], Any] | None] = []

    def noted(*arguments: Any) -> Any:
        given.append(arguments[-1])
        return (publication for publication in ())

    def ready(block: int) -> None:
        raise AssertionError(block)

    monkeypatch.setattr(table_run, "publish_in_blocks", noted)
    assert list(replace(models, ready=ready).publish()) == list(models.publish()) == []
    assert given == [ready, None]
