"""Models learn and forecast from days that hold the features they read, or not at all."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Literal

import dagster as dg
import duckdb
import pyarrow as pa
import pytest

from nba_pipeline.asof.reads import same_day
from nba_pipeline.common.errors import MissingHistoryError
from nba_pipeline.contracts.table import Table
from nba_pipeline.engine.transform import Transform
from nba_pipeline.orchestration import feature_readiness
from nba_pipeline.orchestration.failures import step_failure
from nba_pipeline.tables.catalog import TRANSFORMS
from nba_pipeline.tables.predictions.ml_feature_store_v2 import ML_FEATURE_STORE
from nba_pipeline.warehouse import Days, LedgerEntry
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse
from nba_pipeline.warehouse.protocol import entries_table
from nba_pipeline_tests.support.homes import LAST, Home, asset_of

STORE = ML_FEATURE_STORE.id
FORECASTS = next(t for t in TRANSFORMS if t.table.id == "nba_predictions.player_prop_predictions")
MODELS = next(t for t in TRANSFORMS if t.table.id == "nba_predictions.prediction_models")
FEATURES = next(t for t in TRANSFORMS if t.table.id == STORE)
TRAINING_DAY = date(2021, 11, 1)
USED = {name: ("game_date", "points_avg_last_5") for name in ("features",)}
FIRST, SECOND = date(2024, 11, 1), date(2024, 11, 2)


@pytest.fixture
def warehouse(tmp_path) -> DuckDBWarehouse:
    """A feature store whose first day holds both versions, and whose second day was computed before the later one."""
    path = tmp_path / "nba.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute("CREATE SCHEMA nba_predictions")
        db.execute(f"CREATE TABLE {STORE} (game_date DATE, feature_version VARCHAR, points_avg_last_5 DOUBLE)")
        db.execute(
            f"INSERT INTO {STORE} VALUES ('{FIRST}', 'v1_25', 1), ('{FIRST}', 'v2', 1), ('{SECOND}', 'v1_25', 1)"
        )
    return DuckDBWarehouse(path)


def require(
    warehouse: DuckDBWarehouse, days: Sequence[date], transform: Transform | SimpleNamespace = FORECASTS
) -> None:
    feature_readiness.require_model_features(transform, USED, warehouse, days, "run")  # pyright: ignore[reportArgumentType]


def test_a_day_that_holds_the_version_of_the_models_passes(warehouse: DuckDBWarehouse) -> None:
    require(warehouse, [FIRST])
    require(warehouse, [date(2024, 11, 3)])  # nothing is stored of it: the ledger says whether it is due


def test_a_day_that_was_computed_before_the_version_is_refused_with_the_command_that_mends_it(
    warehouse: DuckDBWarehouse,
) -> None:
    with pytest.raises(
        MissingHistoryError,
        match=rf"without the version v2 of the features[\s\S]*2024-11-02[\s\S]*backfill {SECOND} {SECOND} --select {STORE}",
    ):
        require(warehouse, [FIRST, SECOND])


def test_models_are_not_trained_on_what_is_left_of_the_days_before(warehouse: DuckDBWarehouse) -> None:
    with pytest.raises(MissingHistoryError, match="2024-11-02"):
        require(warehouse, [date(2024, 12, 1)], MODELS)
    require(warehouse, [date(2024, 12, 2)], MODELS)  # no training day


def test_a_column_that_the_store_lacks_is_named(warehouse: DuckDBWarehouse) -> None:
    with duckdb.connect(str(warehouse.path)) as db:
        db.execute(f"ALTER TABLE {STORE} DROP points_avg_last_5")
    with pytest.raises(
        MissingHistoryError, match=rf"without points_avg_last_5 on 2024-11-01[\s\S]*backfill {FIRST} {FIRST}"
    ):
        require(warehouse, [FIRST])


def test_a_day_that_was_computed_without_a_column_is_refused_when_another_day_filled_it_since(
    warehouse: DuckDBWarehouse,
) -> None:
    with duckdb.connect(str(warehouse.path)) as db:
        db.execute(f"DELETE FROM {STORE}")
        db.execute(f"INSERT INTO {STORE} VALUES ('{FIRST}', 'v2', NULL), ('{SECOND}', 'v2', 1)")
    with pytest.raises(
        MissingHistoryError,
        match=rf"without points_avg_last_5 on 2024-11-01 \(1 day\)\n[\s\S]*backfill {FIRST} {FIRST}",
    ):
        require(warehouse, [FIRST, SECOND])
    require(warehouse, [SECOND])


@pytest.mark.parametrize(
    ("unknown", "lacking"),
    [
        (None, {"b"}),
        ("b", set()),
        ("a, b", set()),
        ("b, c", set()),
        ("a, b, c", set()),
        ("bb, ab", {"b"}),
    ],
)
def test_a_feature_that_is_empty_was_computed_where_the_row_names_it_as_unknown(
    unknown: str | None, lacking: set[str]
) -> None:
    of_day = {"game_date": FIRST, "feature_version": "v2", "unknown_features": unknown, "a": 1.0, "b": None, "c": 0.0}
    rows = pa.Table.from_pylist([of_day, of_day | {"feature_version": "v1_25", "c": None}])
    assert feature_readiness.days_by_uncomputed_column(rows, "v2") == {c: {FIRST} for c in lacking}


def test_features_of_a_long_range_are_read_a_season_at_a_time(warehouse: DuckDBWarehouse) -> None:
    class Counted:
        ledger = warehouse.ledger

        def read(self, wanted: Mapping[str, tuple[Table, Days]]) -> dict[str, pa.Table]:
            asked.extend((days.start, days.end) for _, days in wanted.values())
            return warehouse.read(wanted)

    asked: list[tuple[date, date]] = []
    with pytest.raises(MissingHistoryError, match=rf"2024-11-02 \(1 day\)[\s\S]*backfill {SECOND} {SECOND}"):
        require(Counted(), [date(2022, 11, 1), SECOND, date(2026, 3, 1)])  # pyright: ignore[reportArgumentType]
    assert [end - start < timedelta(days=366) for start, end in asked] == [True] * 4
    assert asked[0][0] == date(2022, 11, 1)
    assert asked[-1][1] == date(2026, 3, 1)
    assert [later[0] - earlier[1] for earlier, later in pairwise(asked)] == [timedelta(days=1)] * 3


@pytest.mark.parametrize(
    ("run_id", "state", "passes"),
    [("run", "published", True), ("run", "refused", False), ("earlier", "published", False)],
)
def test_what_the_run_itself_has_published_is_not_looked_at(
    warehouse: DuckDBWarehouse, run_id: str, state: Literal["published", "refused"], passes: bool
) -> None:
    entry = LedgerEntry(
        table=STORE,
        day=SECOND,
        state=state,
        rows=1,
        expected=1,
        absent={},
        unexplained=0,
        games=1,
        rejected=0,
        content_hash="",
        reasons=(),
        run_id=run_id,
        recorded_at=datetime(2024, 11, 3, tzinfo=UTC),
    )
    published = SimpleNamespace(read=warehouse.read, ledger=lambda *_: entries_table([entry]))
    with nullcontext() if passes else pytest.raises(MissingHistoryError, match="2024-11-02"):
        require(published, [FIRST, SECOND])  # pyright: ignore[reportArgumentType]


def test_what_reads_no_features_is_not_held_up(warehouse: DuckDBWarehouse) -> None:
    other = next(t for t in TRANSFORMS if t.table.id == "nba_analytics.player_game_summary")
    require(warehouse, [SECOND], other)
    assert same_day(ML_FEATURE_STORE) in FORECASTS.reads.values()


def test_a_run_of_the_forecasts_alone_is_refused_by_name(home: Home) -> None:
    with duckdb.connect(str(home.settings.database)) as db:
        db.execute(f"DELETE FROM {STORE} WHERE feature_version = 'v2' AND game_date = DATE '{LAST}'")
    result = home.materialize(LAST, LAST, [asset_of(FORECASTS)])
    (failure,) = [step_failure(e) for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_FAILURE]
    assert (failure.error, failure.refused_days) == ("MissingHistoryError", 0)
    assert f"backfill {LAST} {LAST} --select {STORE}" in failure.message


@pytest.mark.parametrize("column", ["back_to_back", "games_played_season"])
def test_models_are_refused_after_one_day_was_published_with_a_column_that_the_others_lack(
    home: Home, column: str
) -> None:
    """The home is one of an earlier release, whose features lack a column, and then computes its last day anew."""
    with duckdb.connect(str(home.settings.database)) as db:
        db.execute(f"ALTER TABLE {STORE} DROP {column}")
    assert home.materialize(LAST, LAST, [asset_of(FEATURES)]).success
    with duckdb.connect(str(home.settings.database)) as db:
        filled = db.execute(f"SELECT DISTINCT game_date FROM {STORE} WHERE {column} IS NOT NULL").fetchall()
    assert filled == [(LAST,)]
    result = home.materialize(TRAINING_DAY, TRAINING_DAY, [asset_of(MODELS)])
    (failure,) = [step_failure(e) for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_FAILURE]
    assert failure.error == "MissingHistoryError"
    assert f"without {column} on" in failure.message
    assert home.materialize(LAST, LAST, [asset_of(FORECASTS)]).success
