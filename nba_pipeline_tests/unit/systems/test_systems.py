"""The prediction systems: signs, determinism, and that what is unknown is never made up."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.systems import BASELINES, RULES, SYSTEM_IDS, VERSIONS, Forecast, System
from nba_pipeline.systems.distribution import spread
from nba_pipeline.systems.moving_average import MovingAverage

# Without these there is no forecast; the other columns of `KNOWN` only move one.
FORM = ("last_5", "last_10", "season_average", "ewma")
KNOWN: dict[str, float] = {
    "games": 30,
    "last_5": 22.0,
    "last_10": 20.0,
    "season_average": 18.0,
    "ewma": 21.0,
    "std_last_10": 6.0,
    "fatigue_score": 80.0,
    "shot_zone_mismatch_score": 1.0,
    "pace_score": 0.5,
    "usage_spike_score": 0.5,
    "home_away": 1.0,
    **{f"{zone}_{edge}_edge": 0.3 for zone in ("paint", "mid_range", "three_pt") for edge in ("volume", "accuracy")},
    "free_throw_edge": 0.1,
    "pace_edge": 0.02,
    "similar_games_weight": 6.0,
    "similar_points": 23.0,
}
NAN = float("nan")


def predict(system: System, *rows: dict[str, float]) -> Forecast:
    return system.predict(pd.DataFrame([KNOWN | r for r in rows]), "points")


def mean(**changes: float) -> float:
    return float(predict(MovingAverage(), changes).mean[0])


every_system = pytest.mark.parametrize("system", RULES, ids=lambda s: s.system_id)


# --- signs ------------------------------------------------------------------------------------------------------------

VALUES = st.floats(-10, 10, allow_nan=False)


@pytest.mark.parametrize(
    ("factor", "low", "high"),
    [
        ("fatigue_score", 0, 100),
        ("shot_zone_mismatch_score", -10, 10),
        ("pace_score", -3, 3),
        ("usage_spike_score", -3, 3),
        ("home_away", 0, 1),
        ("last_5", 0, 50),
        ("last_10", 0, 50),
        ("season_average", 0, 50),
    ],
)
@every_system
def test_fresher_a_weaker_defence_a_faster_game_more_usage_home_and_better_form_never_lower_a_forecast(
    system: System, factor: str, low: float, high: float
) -> None:
    found = predict(system, *[{factor: float(v)} for v in np.linspace(low, high, 9)]).mean
    assert (np.diff(found) >= 0).all()


def test_moving_average_moves_with_every_factor() -> None:
    """The original read the fatigue score the wrong way round; a factor without effect would hide such a sign."""
    for factor in ("fatigue_score", "shot_zone_mismatch_score", "pace_score", "usage_spike_score"):
        assert mean(**{factor: 0.0}) < mean(**{factor: 3.0})
    assert mean(home_away=0.0) < mean(home_away=1.0)


def test_a_fully_rested_player_loses_nothing_to_fatigue() -> None:
    made = predict(MovingAverage(), {"fatigue_score": 100.0})
    assert made.components["fatigue"][0] == 0
    assert made.components["form"][0] == pytest.approx(0.5 * 22 + 0.3 * 20 + 0.2 * 18)


def test_the_components_add_up_to_the_mean() -> None:
    made = predict(MovingAverage(), {}, {"pace_score": NAN})
    assert made.mean == pytest.approx(sum(np.nan_to_num(v) for v in made.components.values()))


# --- what is unknown --------------------------------------------------------------------------------------------------


@every_system
def test_without_games_there_is_no_forecast_and_a_reason(system: System) -> None:
    made = predict(system, {"games": 0.0}, {"games": NAN})
    assert np.isnan(made.mean).all()
    assert all(made.reason)


@every_system
def test_a_forecast_has_a_spread_and_no_reason_and_none_has_no_spread(system: System) -> None:
    made = predict(system, {}, {"games": 0.0}, {"std_last_10": NAN})
    known = ~np.isnan(made.mean)
    assert list(known) == [True, False, True]
    assert list(made.reason == "") == list(known)
    assert (made.sd[known] > 0).all()
    assert np.isnan(made.sd[~known]).all()


@every_system
def test_form_that_is_unknown_is_no_forecast(system: System) -> None:
    unknown: dict[str, float] = dict.fromkeys(FORM, NAN)
    made = predict(system, unknown)
    assert np.isnan(made.mean[0])
    assert made.reason[0]


@pytest.mark.parametrize(
    "factor", ["fatigue_score", "shot_zone_mismatch_score", "pace_score", "usage_spike_score", "home_away"]
)
def test_a_factor_that_is_unknown_adjusts_nothing(factor: str) -> None:
    made = predict(MovingAverage(), {factor: NAN})
    others = [v[0] for n, v in made.components.items() if not np.isnan(v[0])]
    assert made.mean[0] == pytest.approx(sum(others))
    assert len(others) == len(made.components) - 1


def test_the_reason_says_what_is_unknown_not_only_how_many_games_are_needed() -> None:
    made = predict(MovingAverage(), {"last_5": NAN})
    assert "needs 10 games" not in made.reason[0]


@pytest.mark.parametrize(("system_id", "needs"), [("last_5", 5), ("last_10", 10), ("season_average", 3), ("ewma", 3)])
def test_a_baseline_is_its_column_from_its_number_of_games_on(system_id: str, needs: int) -> None:
    (system,) = (b for b in BASELINES if b.system_id == system_id)
    made = predict(system, {"games": needs - 1.0}, {"games": float(needs)})
    assert np.isnan(made.mean[0])
    assert made.mean[1] == KNOWN[system_id]


# --- determinism ------------------------------------------------------------------------------------------------------


@every_system
@settings(max_examples=10, deadline=None)
@given(rows=st.lists(st.fixed_dictionaries({k: st.none() | VALUES for k in KNOWN}), min_size=1, max_size=5))
def test_a_forecast_does_not_depend_on_the_rows_beside_it_nor_on_being_asked_twice(
    system: System, rows: list[dict[str, Any]]
) -> None:
    filled = [{k: NAN if v is None else v for k, v in r.items()} for r in rows]
    together, again = predict(system, *filled), predict(system, *filled)
    np.testing.assert_array_equal(together.mean, again.mean)
    for i, row in enumerate(filled):
        np.testing.assert_array_equal(predict(system, row).mean[0], together.mean[i])
        np.testing.assert_array_equal(predict(system, row).sd[0], together.sd[i])


@every_system
def test_no_rows_give_no_forecasts(system: System) -> None:
    assert len(system.predict(pd.DataFrame({k: pd.Series(dtype=float) for k in KNOWN}), "points").mean) == 0


def test_systems_have_names_of_their_own_and_do_not_change_their_input() -> None:
    assert len(set(SYSTEM_IDS)) == len(SYSTEM_IDS)
    assert set(SYSTEM_IDS) == set(VERSIONS) >= {s.system_id for s in RULES}
    rows = pd.DataFrame([KNOWN])
    for system in RULES:
        system.predict(rows, "points")
    assert rows.equals(pd.DataFrame([KNOWN]))


def test_the_spread_grows_with_the_mean_and_with_the_players_own() -> None:
    def array(*values: float) -> Any:
        return np.array(values, dtype=float)

    assert (np.diff(spread(array(5, 10, 20), array(6, 6, 6))) > 0).all()
    assert (np.diff(spread(array(10, 10, 10), array(2, 6, 9))) > 0).all()
    assert spread(array(10), array(NAN))[0] > 0
