"""Training and forecasting: deterministic, honest about what they have not seen, and strict about artifacts."""

import json
from collections.abc import Mapping
from datetime import date
from functools import cache

import numpy as np
import pandas as pd
import pytest

from nba_pipeline.common.errors import ModelError
from nba_pipeline.systems import (
    BASELINE_IDS,
    LEARNERS,
    LINE_SYSTEM_IDS,
    RULES,
    SYSTEM_IDS,
    Forecast,
    artifact,
    ensemble_v1,
)
from nba_pipeline.systems.distribution import Law
from nba_pipeline.systems.forecasting import forecast
from nba_pipeline.systems.training import MINIMUM_ROWS, Trained, day_blocks, train
from nba_pipeline.tables.predictions.versions import MODEL_FEATURES
from nba_pipeline_tests.support.seasons import season

LEARNED = tuple(s.system_id for s in LEARNERS)
TRAINED_ON = date(2024, 2, 1)


@cache
def trained() -> Mapping[str, Trained]:
    return systems(season())


def systems(rows: pd.DataFrame) -> Mapping[str, Trained]:
    return train(rows, "points").systems


def foreseen(rows: pd.DataFrame, market: str, models: Mapping[str, bytes | None]) -> dict[str, Forecast]:
    return forecast(rows, market, models, TRAINED_ON)


def artifacts(made: Mapping[str, Trained]) -> dict[str, bytes | None]:
    return {s: t.artifact for s, t in made.items()}


def later(**more: object) -> pd.DataFrame:
    return season(days=3, seed=12).assign(**{"games_played_season": 40.0, **more})


# --- training ---------------------------------------------------------------------------------------------------------


def test_the_same_rows_in_another_order_give_the_same_bytes() -> None:
    shuffled = season().sample(frac=1, random_state=3)
    assert artifacts(systems(shuffled)) == artifacts(trained())


def test_another_outcome_gives_other_bytes() -> None:
    other = season()
    other["actual"] += np.where(other.index == 100, 20, 0)
    assert artifacts(systems(other)) != artifacts(trained())


def test_every_system_is_trained_and_says_on_what() -> None:
    assert tuple(trained()) == SYSTEM_IDS
    for made in trained().values():
        assert made.reason is None
        assert made.facts["rows"] == 80 * 60
        assert str(made.facts["first_day"]) == "2023-11-01"
    assert "xgboost-cpu" in trained()["xgboost_v1"].facts["library_versions"]


def test_features_of_every_learner_stand_in_the_version_that_models_read() -> None:
    for learner in LEARNERS:
        for market in ("points", "threes"):
            assert set(learner.features(market)) <= set(MODEL_FEATURES.names)


def test_a_training_that_goes_on_forecasts_what_came_since_by_the_earlier_models_and_keeps_their_forecasts() -> None:
    rows = season().sort_values(["game_date", "player_id"], ignore_index=True)
    since = (rows["game_date"] >= "2024-01-10").to_numpy()
    earlier = train(rows[~since], "points")
    found = train(rows, "points", lambda: earlier)
    for learner in LEARNERS:
        mean, _ = learner.predict(rows[since], "points", dict(earlier.bodies[learner.system_id]))
        unseen = found.unseen[learner.system_id]
        assert np.array_equal(unseen[since], np.maximum(mean, 0))
        assert np.array_equal(unseen[~since], earlier.unseen[learner.system_id])
    assert found.bodies == train(rows, "points").bodies
    assert artifacts(found.systems) != artifacts(trained())


def test_outcomes_of_rows_change_no_forecast_that_is_called_unseen() -> None:
    rows = season().sort_values(["game_date", "player_id"], ignore_index=True)
    since = (rows["game_date"] >= "2024-01-10").to_numpy()
    earlier = train(rows[~since], "points")
    other = rows.assign(actual=rows["actual"] + np.where(since, 9.0, 0.0))
    found, moved = train(rows, "points", lambda: earlier), train(other, "points", lambda: earlier)
    for learner in LEARNERS:
        assert np.array_equal(found.unseen[learner.system_id], moved.unseen[learner.system_id])
    assert artifacts(found.systems) != artifacts(moved.systems)


def test_a_training_goes_on_without_the_days_that_have_left_its_window() -> None:
    rows = season().sort_values(["game_date", "player_id"], ignore_index=True)
    earlier = train(rows[:4200], "points")
    found = train(rows[120:], "points", lambda: earlier)
    assert found.bodies == train(rows[120:], "points").bodies
    for system, unseen in found.unseen.items():
        assert np.array_equal(unseen[:4080], earlier.unseen[system][120:])
        assert len(unseen) == len(rows) - 120


@pytest.mark.parametrize("last", [4199, 4800])
def test_models_of_other_rows_or_of_part_of_a_day_are_refused(last: int) -> None:
    rows = season().sort_values(["game_date", "player_id"], ignore_index=True)
    others = {
        4199: [rows[:last], rows[60:4200], rows.assign(player_id=rows["player_id"] + 1)[:4200]],
        4800: [rows[:last]],
    }
    for other in others[last]:
        made = train(other, "points")
        with pytest.raises(ValueError, match="other rows than the first days"):
            train(rows[:4500], "points", lambda made=made: made)


def test_models_that_had_too_few_rows_are_nothing_to_go_on_from() -> None:
    few = season()[:500]
    assert artifacts(train(season(), "points", lambda: train(few, "points")).systems) == artifacts(trained())


def test_too_few_rows_are_no_model_and_a_reason() -> None:
    few = season(days=30)
    assert (few["games_played_season"] >= 10).sum() < MINIMUM_ROWS
    for made in systems(few).values():
        assert made.artifact is None
        assert made.reason is not None
        assert "3,000 are needed" in made.reason
    assert all(t.artifact is None for t in systems(few.iloc[:0]).values())


def test_blocks_are_whole_days_in_order() -> None:
    days = pd.Series(pd.to_datetime(["2024-01-01"] * 5 + ["2024-01-02"] * 3 + ["2024-01-03"] * 4))
    block = day_blocks(days, 3)
    assert (np.diff(block) >= 0).all()
    assert pd.Series(block).groupby(days).nunique().max() == 1
    assert set(block) == {0, 1, 2}


def test_weights_of_the_ensemble_are_not_negative_and_add_up_to_one() -> None:
    weights = json.loads(trained()["ensemble_v1"].artifact or b"")["body"]["weights"]
    assert set(weights) == set(ensemble_v1.MEMBERS)
    assert min(weights.values()) >= 0
    assert sum(weights.values()) == pytest.approx(1)


def test_a_member_that_is_right_gets_the_weight() -> None:
    rng = np.random.default_rng(1)
    actual = rng.uniform(0, 30, 500)
    means = {m: rng.uniform(0, 30, 500) for m in ensemble_v1.MEMBERS} | {"ewma": actual + rng.normal(0, 1, 500)}
    assert ensemble_v1.fit_weights(means, actual)["ewma"] > 0.9


def test_a_season_without_lines_trains_and_leaves_the_raw_law_marked_as_uncalibrated() -> None:
    models = artifacts(systems(season(lined=False)))
    with_line = foreseen(later(), "points", models)["ensemble_v1"]
    without = foreseen(later(line=np.nan), "points", models)["ensemble_v1"]
    assert with_line.calibration_rows == 0
    assert np.array_equal(with_line.mean, without.mean, equal_nan=True)


def test_without_lines_before_it_a_month_has_no_model_that_knows_the_line_and_all_others() -> None:
    made = systems(season(lined=False))
    assert [s for s, t in made.items() if t.artifact is None] == list(LINE_SYSTEM_IDS)
    assert made["line_aware_v1"].reason == "0 rows with a line, 500 are needed"
    found = foreseen(later(), "points", artifacts(made))
    assert np.isnan(found["line_aware_v1"].mean).all()
    assert "no model this month" in found["line_aware_v1"].reason[0]
    assert not np.isnan(found["ensemble_v1"].mean).any()


def test_columns_that_are_unknown_throughout_do_not_stop_training() -> None:
    silent = [
        "game_spread",
        "spread_size",
        "implied_team_total",
        "minutes_newly_out",
        "starter_last_game",
        "injury_risk",
    ]
    rows = season().assign(**dict.fromkeys(silent, np.nan))
    found = foreseen(later(**dict.fromkeys(silent, np.nan)), "points", artifacts(systems(rows)))
    assert not np.isnan(found["ensemble_v1"].mean).any()


# --- forecasting ------------------------------------------------------------------------------------------------------


def test_every_system_forecasts_with_a_spread_or_says_why_not() -> None:
    found = foreseen(later(), "points", artifacts(trained()))
    assert tuple(found) == SYSTEM_IDS
    for made in found.values():
        known = ~np.isnan(made.mean)
        assert (known == (made.reason == "")).all()
        assert (made.sd[known] > 0).all()
        assert np.isnan(made.sd[~known]).all()
        assert (made.mean[known] >= 0).all()


def test_baselines_are_their_column_and_not_levelled() -> None:
    rows = later()
    found = foreseen(rows, "points", artifacts(trained()))
    assert np.array_equal(found["last_10"].mean, rows["points_avg_last_10"])
    assert set(BASELINE_IDS) <= {r.system_id for r in RULES}


@pytest.mark.parametrize("system", SYSTEM_IDS)
def test_components_add_up_to_the_mean(system: str) -> None:
    made = foreseen(later(), "points", artifacts(trained()))[system]
    known = ~np.isnan(made.mean)
    added = np.nansum(list(made.components.values()), axis=0)
    assert added[known] == pytest.approx(made.mean[known], abs=1e-4)


def test_a_row_is_forecast_alike_whatever_stands_beside_it() -> None:
    rows = later()
    together = foreseen(rows, "points", artifacts(trained()))
    alone = foreseen(rows.iloc[[7]], "points", artifacts(trained()))
    for s in SYSTEM_IDS:
        assert alone[s].mean[0] == pytest.approx(together[s].mean[7], rel=1e-6, nan_ok=True)


def test_the_names_of_the_components_do_not_depend_on_the_rows_beside() -> None:
    rows, models = later(), artifacts(trained())
    together = foreseen(rows, "points", models)
    for i in range(0, len(rows), 5):
        alone = foreseen(rows.iloc[[i]], "points", models)
        assert {s: list(f.components) for s, f in alone.items()} == {s: list(f.components) for s, f in together.items()}


def test_baselines_do_not_read_the_line_and_make_no_calls() -> None:
    rows = later()
    other = foreseen(rows.assign(line=rows["line"] + 5), "points", artifacts(trained()))
    for s, made in foreseen(rows, "points", artifacts(trained())).items():
        changed = not np.array_equal(made.mean, other[s].mean, equal_nan=True)
        assert changed == (s not in BASELINE_IDS)
        assert np.all(made.calibration_rows) == (s not in BASELINE_IDS)


def test_only_the_system_that_knows_prices_reads_them() -> None:
    rows = later()
    other = foreseen(rows.assign(market_over=0.6), "points", artifacts(trained()))
    for s, made in foreseen(rows, "points", artifacts(trained())).items():
        changed = not np.array_equal(made.mean, other[s].mean, equal_nan=True)
        assert changed == (s in LINE_SYSTEM_IDS)


def test_a_price_is_uncalibrated_where_no_price_was_trained_on_in_the_system_that_reads_it() -> None:
    priced = np.arange(len(later())) % 2 == 0
    models = artifacts(systems(season().assign(market_over=np.nan)))
    found = foreseen(later(market_over=np.where(priced, 0.6, np.nan)), "points", models)
    assert np.array_equal(found["line_aware_v1"].calibration_rows == 0, priced)
    assert np.all(found["ensemble_v1"].calibration_rows)


@pytest.mark.parametrize("system", [s for s in SYSTEM_IDS if s not in (*BASELINE_IDS, *LINE_SYSTEM_IDS)])
def test_rows_without_a_line_keep_the_raw_law(system: str) -> None:
    made = foreseen(later(line=np.nan), "points", artifacts(trained()))[system]
    known = ~np.isnan(made.mean)
    raw = Law.raw(made.mean[known], made.sd[known], "points")
    assert made.skewness[known] == pytest.approx(raw.skewness)


def test_without_a_line_there_is_no_line_aware_forecast() -> None:
    found = foreseen(later(line=np.nan), "points", artifacts(trained()))
    assert np.isnan(found["line_aware_v1"].mean).all()
    assert set(found["line_aware_v1"].reason) == {"no line"}


def test_a_player_without_a_game_in_a_year_has_no_forecast() -> None:
    rows = later(points_form=np.nan, points_ewma=np.nan, points_avg_last_10=np.nan, games_played_season=0.0)
    for system in (*LEARNED, "ensemble_v1"):
        assert np.isnan(foreseen(rows, "points", artifacts(trained()))[system].mean).all()


def test_a_month_without_a_model_has_no_forecast_and_a_reason() -> None:
    found = foreseen(later(), "points", dict.fromkeys(SYSTEM_IDS))
    for made in found.values():
        assert np.isnan(made.mean).all()
        assert all("no model this month" in r for r in made.reason)


def test_no_rows_give_no_forecasts() -> None:
    found = foreseen(later().iloc[:0], "points", artifacts(trained()))
    assert all(len(made.mean) == 0 for made in found.values())


# --- artifacts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["last_5", "zone_matchup_v1", "line_aware_v1"])
def test_a_system_without_a_trained_model_has_rows_with_a_reason_and_stops_no_other(missing: str) -> None:
    models = artifacts(trained())
    complete = foreseen(later(), "points", models)
    found = foreseen(later(), "points", {s: a for s, a in models.items() if s != missing})
    assert np.isnan(found[missing].mean).all()
    assert all("added after its models were trained" in r for r in found[missing].reason)
    for system in set(SYSTEM_IDS) - {missing}:
        assert np.array_equal(found[system].mean, complete[system].mean, equal_nan=True), system


def test_without_the_model_of_a_member_the_ensemble_has_no_forecast_and_names_the_member() -> None:
    found = foreseen(later(), "points", {s: a for s, a in artifacts(trained()).items() if s != "xgboost_v1"})
    assert np.isnan(found["ensemble_v1"].mean).all()
    assert set(found["ensemble_v1"].reason) == {"no model of its member xgboost_v1 this month"}
    assert set(found["line_aware_v1"].reason) == {"no model of its member xgboost_v1 this month"}
    assert not np.isnan(found["ridge_v1"].mean).all()


def test_a_month_that_was_never_trained_is_an_error_whose_remedy_can_be_pasted() -> None:
    with pytest.raises(ModelError, match="no models for points were trained on 2024-02-01") as refused:
        foreseen(later(), "points", {})
    assert "nba-pipeline backfill 2024-02-01 2024-02-01 --select prediction_models" in refused.value.remedy


def changed(system_id: str, **head: object) -> dict[str, bytes | None]:
    stored = json.loads(trained()[system_id].artifact or b"")
    return artifacts(trained()) | {system_id: json.dumps({**stored, **head}).encode()}


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ({"features": ["points_form"]}, "reads other features"),
        ({"version": "0"}, "version 0, not"),
        ({"market": "assists"}, "market assists, not points"),
        ({"system": "ewma"}, "system ewma, not"),
        ({"libraries": {"xgboost-cpu": "1.7.0"}}, r"trained with xgboost-cpu 1\.7\.0"),
    ],
)
def test_an_artifact_made_for_something_else_is_refused_and_says_what_differs(
    head: dict[str, object], said: str
) -> None:
    with pytest.raises(ModelError, match=said) as refused:
        foreseen(later(), "points", changed("xgboost_v1", **head))
    assert "backfill 2024-02-01 2024-02-01 --select prediction_models" in refused.value.remedy


def test_a_model_beside_lines_that_learned_without_regard_to_prices_is_refused() -> None:
    with pytest.raises(ModelError, match="the model of line_aware_v1 for points has version 4, not") as refused:
        foreseen(later(), "points", changed("line_aware_v1", version="4"))
    assert "backfill 2024-02-01 2024-02-01 --select prediction_models" in refused.value.remedy


@pytest.mark.parametrize("damaged", [b"", b"[]", b"{}", b"not json"])
def test_a_damaged_artifact_is_refused(damaged: bytes) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        artifact.decode(damaged, "ewma", "1", "points", (), TRAINED_ON)


def test_models_of_another_market_are_refused() -> None:
    with pytest.raises(ModelError, match="points"):
        foreseen(later(), "rebounds", artifacts(trained()))
