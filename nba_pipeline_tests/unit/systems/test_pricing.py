"""What a quote is worth: odds, margins, values and stakes."""

from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.systems.distribution import Law
from nba_pipeline.systems.pricing import KELLY_CAP, Price, american_odds, decimal_odds, distance_from_others, price

NAN = float("nan")


def one(mean: float = 22.0, sd: float = 6.0, line: float = 20.5, over: float = -110.0, under: float = -110.0) -> Price:
    law = Law.raw(np.array([mean]), np.array([sd]), "points")
    return Price(*(v[0] for v in price(law, *(np.array([x]) for x in (line, over, under)))))


@pytest.mark.parametrize(
    ("american", "decimal"), [(-110, 1 + 100 / 110), (120, 2.2), (100, 2.0), (-100, 2.0), (-250, 1.4)]
)
def test_american_odds_pay_as_they_say(american: float, decimal: float) -> None:
    assert decimal_odds(np.array([american]))[0] == pytest.approx(decimal)


@given(st.floats(1.001, 200))
def test_odds_survive_the_way_there_and_back(decimal: float) -> None:
    assert decimal_odds(american_odds(np.array([decimal])))[0] == pytest.approx(decimal)


def test_odds_that_pay_nothing_are_no_odds() -> None:
    assert np.isnan(american_odds(np.array([1.0, np.inf, NAN]))).all()


def test_the_margin_comes_off_both_sides_in_proportion() -> None:
    even = one()
    assert even.market_p_over == pytest.approx(0.5)
    assert even.margin == pytest.approx(2 * 110 / 210 - 1)
    skewed = one(over=-150.0, under=120.0)
    assert skewed.market_p_over == pytest.approx(0.6 / (0.6 + 100 / 220))


def test_fair_odds_are_worth_nothing() -> None:
    fair = one()
    again = one(over=float(fair.fair_over_odds), under=float(fair.fair_under_odds))
    assert again.ev_over == pytest.approx(0, abs=1e-9)
    assert again.ev_under == pytest.approx(0, abs=1e-9)
    assert again.margin == pytest.approx(0, abs=1e-9)


def test_a_push_gives_the_stake_back() -> None:
    """With one chance in three each of over, under and push at even money, a bet is worth nothing."""
    whole = one(line=20.0)
    assert whole.p_push > 0.01
    under = 1 - whole.p_over - whole.p_push
    assert whole.ev_over == pytest.approx(whole.p_over * 100 / 110 - under)


def test_the_edge_of_a_forecast_that_agrees_with_the_book_is_nothing() -> None:
    mine = one()
    agreeing = one(over=float(mine.fair_over_odds), under=float(mine.fair_under_odds))
    assert agreeing.edge_over == pytest.approx(0, abs=1e-9)


@given(st.floats(8, 40), st.floats(0.3, 0.6), st.floats(-1.5, 1.5))
def test_a_higher_forecast_is_worth_more_over_and_less_under(mean: float, relative_sd: float, away: float) -> None:
    """Around the lines that books quote; far out in the tail, a higher mean with the same spread has less skew."""
    sd = relative_sd * mean
    line = np.floor(max(mean + away * sd, 0)) + 0.5
    low, high = one(mean, sd, line), one(mean + 1, sd, line)
    assert high.ev_over >= low.ev_over
    assert high.ev_under <= low.ev_under


def test_stakes_are_a_quarter_of_kelly_capped_and_never_on_a_bad_bet() -> None:
    slight = one(mean=22.0)
    pays, over, under = 100 / 110, slight.p_over, 1 - slight.p_over - slight.p_push
    assert 0 < slight.kelly_over < KELLY_CAP
    assert slight.kelly_over == pytest.approx(0.25 * (over * pays - under) / (pays * (over + under)))
    assert slight.kelly_under == 0
    assert one(mean=35).kelly_over == KELLY_CAP


def test_without_odds_there_is_a_probability_and_a_fair_price_but_no_value() -> None:
    bare = one(over=NAN, under=NAN)
    assert 0.5 < bare.p_over < 1
    assert np.isfinite(bare.fair_over_odds)
    for name in ("margin", "market_p_over", "edge_over", "ev_over", "ev_under", "kelly_over", "kelly_under"):
        assert np.isnan(getattr(bare, name)), name


def test_one_sided_odds_have_a_value_but_no_margin() -> None:
    half = one(under=NAN)
    assert np.isfinite(half.ev_over)
    assert np.isnan(half.ev_under)
    assert np.isnan(half.market_p_over)


QUOTE = st.tuples(
    st.integers(0, 3), st.sampled_from(["dk", "fd", "kambi", "mgm"]), st.sampled_from([NAN, 2.9, 3.0, 3.4])
)


@given(st.lists(QUOTE, max_size=30))
def test_a_price_is_held_against_the_median_of_three_suppliers_and_more(quotes: list[tuple[int, str, float]]) -> None:
    forecasts, suppliers, centres = (np.array(part) for part in zip(*quotes, strict=True)) if quotes else ([], [], [])
    found = distance_from_others(
        np.array(forecasts, dtype=np.int64), np.array(suppliers, dtype=str), np.array(centres, dtype=float)
    )
    for (forecast, _, centre), distance in zip(quotes, found, strict=True):
        of_forecast: dict[str, list[float]] = {}
        for f, supplier, c in quotes:
            if f == forecast and not np.isnan(c):
                of_forecast.setdefault(supplier, []).append(c)
        votes = [median(said) for said in of_forecast.values()]
        if np.isnan(centre) or len(votes) < 3:
            assert np.isnan(distance)
        else:
            assert distance == pytest.approx(abs(centre - median(votes)))
