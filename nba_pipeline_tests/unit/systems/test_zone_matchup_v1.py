"""The zone matchup: a weaker opponent never lowers, every zone counts, and what is unknown moves nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.systems.protocol import Forecast
from nba_pipeline.systems.zone_matchup_v1 import SCORING, ZONE_WEIGHTS, ZoneMatchup

EDGES = (*(edge for weights in SCORING.values() for edge in weights), "pace_edge")
NEUTRAL: dict[str, float] = dict.fromkeys(EDGES, 0.0) | {
    "games": 30.0,
    "ewma": 20.0,
    "std_last_10": 6.0,
    "home_away": 0.5,
}
NAN = float("nan")
every_market = pytest.mark.parametrize("market", MARKETS)


def predict(market: str = "points", *rows: dict[str, float]) -> Forecast:
    return ZoneMatchup().predict(pd.DataFrame([NEUTRAL | r for r in rows]), market)


def mean(market: str = "points", /, **changes: float) -> float:
    return float(predict(market, changes).mean[0])


@every_market
@given(
    edge=st.sampled_from((*EDGES, "home_away")),
    values=st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)),
    form=st.floats(0, 40),
    others=st.floats(-0.5, 0.5),
)
def test_a_weaker_opponent_a_faster_game_and_the_home_floor_never_lower_a_forecast(
    market: str, edge: str, values: tuple[float, float], form: float, others: float
) -> None:
    low, high = sorted(values)
    common = dict.fromkeys(EDGES, others) | {"ewma": form}
    assert mean(market, **common | {edge: low}) <= mean(market, **common | {edge: high})


@every_market
def test_against_an_average_opponent_on_neutral_ground_the_forecast_is_form(market: str) -> None:
    assert mean(market) == 20


@pytest.mark.parametrize("edge", EDGES)
def test_every_edge_moves_points(edge: str) -> None:
    assert mean(**{edge: -0.1}) < mean() < mean(**{edge: 0.1})


def test_behind_the_arc_moves_made_threes_and_the_paint_does_not() -> None:
    assert mean("threes", three_pt_volume_edge=1.0) > mean("threes")
    assert mean("threes", paint_volume_edge=1.0) == mean("threes")


@pytest.mark.parametrize("market", ["rebounds", "assists"])
def test_zones_say_nothing_on_rebounds_and_assists_but_pace_does(market: str) -> None:
    zones = {e: 1.0 for e in EDGES if e != "pace_edge"}
    assert mean(market, **zones) == mean(market)
    assert mean(market, pace_edge=0.05) > mean(market)


@pytest.mark.parametrize("edge", EDGES)
def test_an_edge_that_is_unknown_moves_nothing(edge: str) -> None:
    assert mean(**{edge: NAN}) == mean()


def test_the_components_add_up_to_the_mean_and_name_every_zone() -> None:
    made = predict("points", {"paint_volume_edge": 0.8, "pace_edge": 0.03, "home_away": 1.0, "free_throw_edge": NAN})
    assert made.mean == pytest.approx(sum(np.nan_to_num(v) for v in made.components.values()))
    assert set(made.components) == {"form", *SCORING, "pace", "venue"}
    assert made.components["paint"][0] == pytest.approx(0.4 * 0.8)


def test_a_forecast_is_never_below_zero() -> None:
    assert mean(ewma=0.2, paint_volume_edge=-5.0) == 0


def test_every_market_has_its_weights_and_none_is_negative() -> None:
    assert set(ZONE_WEIGHTS) == set(MARKETS)
    assert min(w for zones in ZONE_WEIGHTS.values() for edges in zones.values() for w in edges.values()) > 0


@pytest.mark.parametrize(("games", "known"), [(4.0, False), (5.0, True), (NAN, False)])
def test_a_forecast_needs_five_games(games: float, known: bool) -> None:
    made = predict("points", {"games": games})
    assert np.isfinite(made.mean[0]) == known
    assert (made.reason[0] == "") == known
