"""The registry: what a month's model may learn from, that its artifact is what was trained, and that none is missing."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier, get_ident
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nba_pipeline import definitions
from nba_pipeline.artifacts.local import LocalArtifacts
from nba_pipeline.asof import learned_from
from nba_pipeline.common.ending import EndedError, ending
from nba_pipeline.common.errors import ArtifactError
from nba_pipeline.domain.calendar import EPOCH, days_between
from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.engine.transform import FinishContext
from nba_pipeline.systems import SYSTEM_IDS, VERSIONS
from nba_pipeline.systems.shared_training import Earlier, SharedTraining, Train
from nba_pipeline.systems.training import Models, Trained
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.predictions import prediction_models
from nba_pipeline.tables.predictions.prediction_models import (
    PREDICTION_MODELS,
    TRAINING_DAYS,
    ModelRegistry,
    registered,
)
from nba_pipeline.tables.predictions.versions import MODEL_FEATURES
from nba_pipeline_tests.support import day, expected_rows

assert definitions.defs  # every table is registered
MODELS = CATALOG[PREDICTION_MODELS.id]
FEBRUARY = day("2024-02-01")
SYSTEM = SYSTEM_IDS[0]
KEY: dict[str, Any] = {"game_id": "0022300500", "player_id": 7}
FEATURES = KEY | {"feature_version": MODEL_FEATURES.name, "season": "2023-24", "team": "BOS", "games_played_season": 30}


class Recorder:
    """Stands in for the training of a month's models, and keeps what it was shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, pd.DataFrame]] = []

    def __call__(self, rows: pd.DataFrame, market: str, trained_on: date, train: Train) -> dict[str, Trained]:  # noqa: ARG002
        self.seen.append((market, rows))
        if len(rows) < 2:
            return {SYSTEM: Trained(None, {"rows": len(rows)}, f"only {len(rows)} rows")}
        facts = {"rows": len(rows), "features": ["a"], "hyperparameters": {"b": 1}, "library_versions": {"c": "2"}}
        return {SYSTEM: Trained(f"{market}: {rows['actual'].sum()}".encode(), facts)}


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(prediction_models, "models_of_the_month", recorder)
    return recorder


def learned(*played: tuple[date, int], lines: float | None = None) -> pa.Table:
    rows = [
        {"game_date": d, "player_id": p}
        | {f"actual_{m}": i for i, m in enumerate(MARKETS)}
        | {f"{c}_{m}": lines for m in MARKETS for c in ("line", "market_line")}
        | {f"market_over_{m}": np.nan for m in MARKETS}
        for d, p in played
    ]
    return pa.Table.from_pylist(rows)


def finish_context(store: LocalArtifacts, *days: date, markets: tuple[str, ...] = ("points",)) -> FinishContext:
    return FinishContext(days, markets, {}, store)


def test_training_ends_where_its_thread_is_told_to(training: Recorder, tmp_path: Path) -> None:
    rows, context = learned((day("2024-01-05"), 1)), finish_context(LocalArtifacts(tmp_path), FEBRUARY)
    with ending([get_ident()]), pytest.raises(EndedError):
        registered(rows, context)
    assert training.seen == []
    registered(rows, context)
    assert len(training.seen) == 1


# --- what it learns from ----------------------------------------------------------------------------------------------


def test_a_model_sees_rows_before_its_training_day_only_and_none_older_than_its_window(
    training: Recorder, tmp_path: Path
) -> None:
    first = learned_from(FEBRUARY, TRAINING_DAYS)
    days = [first - timedelta(days=1), first, FEBRUARY - timedelta(days=1), FEBRUARY, FEBRUARY + timedelta(days=1)]
    registered(learned(*[(d, 7) for d in days]), finish_context(LocalArtifacts(tmp_path), FEBRUARY))
    ((_, rows),) = training.seen
    assert rows["game_date"].dt.date.tolist() == days[1:3]


@pytest.mark.usefixtures("training")
def test_a_training_day_sees_the_same_rows_alone_and_within_a_range(tmp_path: Path) -> None:
    rows = learned(*[(FEBRUARY + timedelta(days=n), p) for n in range(-40, 40) for p in (7, 8)])
    store = LocalArtifacts(tmp_path)
    alone = registered(rows, finish_context(store, FEBRUARY))
    within = registered(
        rows.take(list(range(rows.num_rows))[::-1]),
        finish_context(store, *days_between(day("2024-01-15"), day("2024-03-10"))),
    )
    assert within.filter(pa.compute.field("trained_on") == FEBRUARY).to_pylist() == alone.to_pylist()  # pyright: ignore
    assert within["trained_on"].to_pylist() == [FEBRUARY, day("2024-03-01")]


def test_every_market_asked_for_learns_its_own_value(training: Recorder, tmp_path: Path) -> None:
    rows = learned((day("2024-01-05"), 7), (day("2024-01-06"), 7))
    found = registered(rows, finish_context(LocalArtifacts(tmp_path), FEBRUARY, markets=("points", "assists")))
    assert {m: r["actual"].tolist() for m, r in training.seen} == {"points": [0, 0], "assists": [2, 2]}
    assert found["market"].to_pylist() == ["points", "assists"]


def test_only_players_who_played_are_learned_from_with_the_lines_of_their_cut_off() -> None:
    context = {"game_date": day("2024-01-05"), "player_id": 7, "cutoff_at": "2024-01-06 00:29"}
    quote = {
        "game_date": day("2024-01-05"),
        "player_id": 7,
        "market": "points",
        "bookmaker": "dk",
        "book_kind": "sportsbook",
        "line_kind": "main",
        "documented_pre_game": False,
    }
    inputs: dict[str, Any] = {
        "features": [
            FEATURES | {"game_date": day("2024-01-05")},
            FEATURES | {"game_date": day("2024-01-05"), "player_id": 8},
        ],
        "facts": [
            KEY | {"game_date": day("2024-01-05"), "points": 21, "rebounds": 5, "assists": 4, "minutes_played": 30.0}
        ],
        "context": [context],
        "quotes": [
            quote | {"line": 19.5, "captured_at": "2024-01-05 20:00"},
            quote | {"line": 23.5, "captured_at": "2024-01-06 01:00"},
        ],
        "markets": [{"market": "points"}],
    }
    from nba_pipeline_tests import support

    (row,) = support._execute(MODELS, inputs, support._statement(MODELS)).to_pylist()
    assert (row["player_id"], row["actual_points"], row["actual_pra"], row["line_points"]) == (7, 21, 30, 19.5)


def test_the_trainings_of_a_month_and_of_the_next_are_done_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = Barrier(2)

    def trained(rows: pd.DataFrame, market: str, earlier: Earlier | None) -> Models:  # noqa: ARG001
        together.wait(timeout=10)
        return Models({SYSTEM: Trained(None, {"rows": len(rows)}, "not asked for")})

    def judged(rows: pd.DataFrame, market: str, trained_on: date, train: Train) -> Mapping[str, Trained]:  # noqa: ARG001
        return train([rows], market).systems

    def begun(rows: pd.DataFrame, market: str, trained_on: date, shared: SharedTraining) -> None:  # noqa: ARG001
        shared.begin([rows], market)

    monkeypatch.setattr(prediction_models, "train", trained)
    monkeypatch.setattr(prediction_models, "models_of_the_month", judged)
    monkeypatch.setattr(prediction_models, "begin_trainings", begun)
    rows = learned(*[(FEBRUARY + timedelta(days=n), 7) for n in range(-40, 40)])
    found = registered(rows, finish_context(LocalArtifacts(tmp_path), FEBRUARY, day("2024-03-01")))
    assert found["rows"].to_pylist() == [40, 69]


# --- what is registered -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("training")
def test_the_registered_artifact_is_what_was_trained(tmp_path: Path) -> None:
    store = LocalArtifacts(tmp_path)
    rows = registered(learned((day("2024-01-05"), 7), (day("2024-01-06"), 7)), finish_context(store, FEBRUARY))
    (row,) = rows.to_pylist()
    assert (row["model_version"], row["feature_version"], row["rows"]) == (VERSIONS[SYSTEM], MODEL_FEATURES.name, 2)
    assert (row["features"], row["hyperparameters"]) == ('["a"]', '{"b": 1}')
    assert ModelRegistry(rows, store).artifacts(FEBRUARY, "points") == {SYSTEM: b"points: 0.0"}


@pytest.mark.usefixtures("training")
def test_a_model_that_cannot_be_trained_has_a_row_that_says_why(tmp_path: Path) -> None:
    store = LocalArtifacts(tmp_path)
    rows = registered(learned((day("2024-01-05"), 7)), finish_context(store, FEBRUARY))
    (row,) = rows.to_pylist()
    assert (row["artifact_sha256"], row["reason"]) == (None, "only 1 rows")
    assert ModelRegistry(rows, store).artifacts(FEBRUARY, "points") == {SYSTEM: None}


@pytest.mark.usefixtures("training")
def test_an_artifact_that_is_gone_is_an_error_that_names_it(tmp_path: Path) -> None:
    store = LocalArtifacts(tmp_path)
    rows = registered(learned((day("2024-01-05"), 7), (day("2024-01-06"), 7)), finish_context(store, FEBRUARY))
    for file in tmp_path.rglob("*points*"):
        file.unlink()
    with pytest.raises(ArtifactError, match="2024-02-01"):
        ModelRegistry(rows, store).artifacts(FEBRUARY, "points")


def test_days_on_which_nothing_is_trained_have_no_rows(training: Recorder, tmp_path: Path) -> None:
    rows = registered(learned((day("2024-01-05"), 7)), finish_context(LocalArtifacts(tmp_path), day("2024-02-02")))
    assert rows.num_rows == 0
    assert rows.schema == PREDICTION_MODELS.computed_schema
    assert training.seen == []


def test_every_system_is_expected_on_the_first_of_a_month_and_on_the_first_partition() -> None:
    days = [{"day": d} for d in (EPOCH, EPOCH + timedelta(days=1), FEBRUARY, FEBRUARY + timedelta(days=1))]
    wanted = expected_rows(MODELS, days=days, markets=[{"market": "points"}, {"market": "pra"}])
    assert {w["trained_on"] for w in wanted} == {EPOCH, FEBRUARY}
    assert len(wanted) == 2 * 2 * len(SYSTEM_IDS)
