"""American odds imply probabilities, and two sides of a market must fit together."""

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.tables.shared.odds import american_odds, implied_probability, is_possible_pair


def value(expression: ir.Value) -> object:
    return ibis.memtable({"one": [1]}).select(x=expression).execute()["x"].iloc[0]


@pytest.mark.parametrize(
    ("odds", "probability"), [(-110.0, 110 / 210), (120.0, 100 / 220), (100.0, 0.5), (-100.0, 0.5)]
)
def test_odds_break_even_at_their_implied_probability(odds: float, probability: float) -> None:
    assert value(implied_probability(ibis.literal(odds))) == pytest.approx(probability)


def test_a_number_between_minus_100_and_100_implies_nothing() -> None:
    assert value(implied_probability(ibis.literal(-92.5)).isnull())


@settings(max_examples=20, deadline=None)
@given(st.floats(0.02, 0.98))
def test_odds_of_a_probability_imply_it(probability: float) -> None:
    rows = ibis.memtable({"probability": [probability]})
    there_and_back = rows.select(x=implied_probability(american_odds(rows.probability)))
    assert there_and_back.execute()["x"].iloc[0] == pytest.approx(probability)


@pytest.mark.parametrize(
    ("one", "other", "possible"),
    [
        (-110.0, -110.0, True),
        (102.0, -102.0, True),
        (322.0, 608.0, False),
        (482.0, 287.0, False),
        (-500.0, -500.0, False),
    ],
)
def test_two_sides_imply_one_and_a_margin(one: float, other: float, possible: bool) -> None:
    rows = ibis.memtable({"one": [one], "other": [other]})
    assert bool(rows.select(x=is_possible_pair(rows.one, rows.other)).execute()["x"].iloc[0]) is possible
