"""The check `replay` of a run: it draws one of the run's game days by the run's id, and fails where a cell differs."""

from datetime import date, timedelta

import dagster as dg
import duckdb
import pytest

from nba_pipeline.common.errors import WarehouseError
from nba_pipeline.config.settings import Settings
from nba_pipeline.definitions import defs
from nba_pipeline.orchestration import ahead
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.tags import days_of_run, table_of
from nba_pipeline.tables.predictions.prop_prices import PROP_PRICES
from nba_pipeline.verification import asset_check
from nba_pipeline.verification.asset_check import replay_of_a_day
from nba_pipeline.verification.replay import FEATURES
from nba_pipeline_tests.support.homes import Home, HomePipeline

pytestmark = pytest.mark.integration

FIRST, LAST = date(2021, 10, 27), date(2021, 10, 29)
CACHE = "nba_precompute.player_daily_cache"


def evaluation(home: Home, first: date, last: date) -> dg.AssetCheckEvaluation:
    """What the check says in a run of its own over these days."""
    tags = {"dagster/asset_partition_range_start": str(first), "dagster/asset_partition_range_end": str(last)}
    result = dg.materialize(
        [dg.AssetSpec(asset_key(PROP_PRICES)), replay_of_a_day],
        selection=dg.AssetSelection.all_asset_checks(),
        resources={"pipeline": HomePipeline(home=str(home.path))},
        tags=tags,
        instance=dg.DagsterInstance.ephemeral(),
    )
    (found,) = result.get_asset_check_evaluations()
    return found


def test_a_day_of_the_run_is_replayed_and_nothing_differs(finished_home: Home) -> None:
    found = evaluation(finished_home, FIRST, LAST)
    assert found.passed, found.description
    assert FIRST <= date.fromisoformat(str(found.metadata["day"].value)) <= LAST
    assert found.metadata["tables"].value == 11


def test_a_published_cell_that_cannot_be_reproduced_fails_the_check_by_name(home: Home) -> None:
    with duckdb.connect(str(home.settings.database)) as db:
        db.execute(f"UPDATE {CACHE} SET points_avg_season = points_avg_season + 1")
        db.execute(f"UPDATE nba_ops.ledger SET content_hash = 'x' WHERE table_id = '{CACHE}'")
    found = evaluation(home, FIRST, LAST)
    assert not found.passed
    assert found.description and f"{CACHE} 2021-10-2" in found.description and "points_avg_season" in found.description


def test_a_run_without_game_days_passes_and_says_so(finished_home: Home) -> None:
    found = evaluation(finished_home, LAST + timedelta(days=300), LAST + timedelta(days=301))
    assert (found.passed, found.description) == (True, "the run has no game day with features")


@pytest.mark.parametrize(
    ("tags", "days"),
    [
        ({"dagster/partition": "2024-01-05"}, (date(2024, 1, 5), date(2024, 1, 5))),
        (
            {"dagster/asset_partition_range_start": "2024-01-05", "dagster/asset_partition_range_end": "2024-01-07"},
            (date(2024, 1, 5), date(2024, 1, 7)),
        ),
        ({}, None),
    ],
)
def test_the_days_of_a_run_are_read_off_its_tags(tags: dict[str, str], days: tuple[date, date] | None) -> None:
    assert days_of_run(tags) == days


def test_the_job_over_the_whole_graph_holds_the_check() -> None:
    job = defs.resolve_job_def("whole_graph")
    assert dg.AssetCheckKey(asset_key(PROP_PRICES), "replay") in job.asset_layer.asset_graph.asset_check_keys


def test_the_replay_is_begun_for_its_own_step_while_the_features_of_a_single_day_are_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = [table_of(node) for node in defs.resolve_job_def("whole_graph").graph.node_dict]
    (begun,) = (m for m in ahead._meanwhile.values() if m.table == FEATURES)
    assert begun.step in steps
    days: list[date] = []
    monkeypatch.setattr(asset_check, "replay_early", lambda day, *_: days.append(day))
    for asked in ([FIRST], [FIRST, LAST]):
        begun.work("run", asked, Settings.from_environment())
    assert days == [FIRST]


def test_what_fails_before_the_check_is_left_to_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise WarehouseError("the file is damaged", "restore it")

    monkeypatch.setattr(asset_check, "replay_early", failing)
    (begun,) = (m for m in ahead._meanwhile.values() if m.table == FEATURES)
    begun.work("run", [FIRST], Settings.from_environment())
