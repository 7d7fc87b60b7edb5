"""Similar games, balanced with form: between both, nearer to similar games the more there are."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.domain.markets import MARKETS
from nba_pipeline.systems.protocol import Forecast
from nba_pipeline.systems.similarity_balanced_v1 import FORM_GAMES, SimilarityBalanced

KNOWN: dict[str, float] = {"games": 30.0, "ewma": 20.0, "std_last_10": 6.0, "similar_games_weight": 5.0}
NAN = float("nan")


def predict(market: str = "points", /, **changes: float) -> Forecast:
    similar = {f"similar_{m}": 26.0 for m in MARKETS}
    return SimilarityBalanced().predict(pd.DataFrame([KNOWN | similar | changes]), market)


@pytest.mark.parametrize("market", MARKETS)
def test_similar_games_weigh_against_twenty_of_form(market: str) -> None:
    assert predict(market).mean[0] == pytest.approx((5 * 26 + FORM_GAMES * 20) / (5 + FORM_GAMES))


def test_a_market_looks_at_its_own_similar_games_only() -> None:
    assert predict("assists", similar_points=90.0).mean[0] == predict("assists").mean[0]
    assert predict("assists", similar_assists=90.0).mean[0] > predict("assists").mean[0]


@given(weight=st.floats(0, 40), more=st.floats(0, 40), form=st.floats(0, 40), similar=st.floats(0, 40))
def test_more_similar_games_pull_further_and_never_beyond_them(
    weight: float, more: float, form: float, similar: float
) -> None:
    def distance(w: float) -> float:
        return abs(float(predict(ewma=form, similar_points=similar, similar_games_weight=w).mean[0]) - similar)

    assert distance(weight + more) <= distance(weight) + 1e-9 <= abs(form - similar) + 2e-9


@given(low=st.floats(0, 60), high=st.floats(0, 60))
def test_better_similar_games_and_better_form_never_lower_a_forecast(low: float, high: float) -> None:
    low, high = sorted((low, high))
    assert predict(similar_points=low).mean[0] <= predict(similar_points=high).mean[0]
    assert predict(ewma=low).mean[0] <= predict(ewma=high).mean[0]


@pytest.mark.parametrize("unknown", ["similar_points", "similar_games_weight"])
def test_without_similar_games_form_stands_alone(unknown: str) -> None:
    made = predict(**{unknown: NAN})
    assert made.mean[0] == 20
    assert np.isnan(made.components["similar_games"][0])


def test_the_components_add_up_to_the_mean() -> None:
    made = predict()
    assert made.mean == pytest.approx(sum(made.components.values()))


@pytest.mark.parametrize(("games", "known"), [(4.0, False), (5.0, True), (NAN, False)])
def test_a_forecast_needs_five_games(games: float, known: bool) -> None:
    made = predict(games=games)
    assert np.isfinite(made.mean[0]) == known
    assert (made.reason[0] == "") == known
