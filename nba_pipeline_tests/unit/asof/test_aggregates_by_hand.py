"""Aggregates over history beside values worked out by hand: windows, least numbers, and how exact they are."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import pytest

from nba_pipeline import asof
from nba_pipeline.asof.aggregates import Aggregate
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline_tests.unit.asof.test_aggregates import FACTS, TARGETS, Row, executed, fact, target


def answer(aggregates: Mapping[str, Aggregate], on: Row, facts: Sequence[Row]) -> Row:
    """One target with these aggregates."""
    (row,) = executed(ibis.to_sql(expression(aggregates), dialect="duckdb"), [on], facts)
    return row


def expression(aggregates: Mapping[str, Aggregate]) -> Any:
    tables = relation(TARGETS, name="targets"), relation(FACTS, name="facts")
    return asof.attach(*tables, aggregates, by=("player_id",))


def test_a_total_of_whole_numbers_is_a_whole_number() -> None:
    totals = {"points": asof.total("points"), "minutes": asof.total("minutes")}
    types = expression(totals).schema()
    assert (types["points"].is_integer(), types["minutes"].is_floating()) == (True, True)


def test_means_keep_the_four_decimals_that_are_stored() -> None:
    row = answer({"mean": asof.mean("minutes")}, target(2), [fact(0, minutes=0.0001), fact(1, minutes=0.0003)])
    assert row["mean"] == pytest.approx(0.0002, abs=1e-9)


def test_deviations_of_values_up_to_a_million_stay_within_the_range_of_integers() -> None:
    """A square is the largest number there is: 10^6 to three decimals is 10^18, to four it would leave INT64."""
    row = answer({"std": asof.std("minutes")}, target(3), [fact(n, minutes=1e6 - n) for n in range(3)])
    assert row["std"] == pytest.approx(1)


def test_unknown_values_have_no_weight_in_a_weighted_mean() -> None:
    facts = [fact(0, minutes=48.0), fact(1, minutes=None), fact(2, minutes=48.0), fact(3, minutes=None)]
    assert answer({"form": asof.ewma("minutes", half_life=6)}, target(4), facts)["form"] == 48


# --- what is asked for, beside values by hand -------------------------------------------------------------------------

FIVE_GAMES = [
    fact(n, points, minutes)
    for n, (points, minutes) in enumerate([(50, 10.0), (8, 4.0), (None, 6.0), (6, 3.0), (2, 2.0)])
]
BY_HAND: Sequence[tuple[Aggregate, Any]] = (
    (asof.mean("points"), 16.5),
    (asof.mean("points", last=2), 4),
    (asof.mean("points", last=2, at_least=3), None),
    (asof.mean("points", days=2), 4),
    (asof.mean("points", at_least=5), None),
    (asof.std("points", last=2), math.sqrt(8)),
    (asof.std("points", last=3, at_least=1), math.sqrt(8)),
    (asof.std("points", at_least=5), None),
    (asof.std("points", last=1, at_least=1), None),
    (asof.total("points"), 66),
    (asof.total("points", last=2), 8),
    (asof.total("points", days=4), 16),
    (asof.count(), 5),
    (asof.count("points"), 4),
    (asof.count("points", last=3), 2),
    (asof.count(days=2), 2),
    (asof.ratio("points", "minutes"), 66 / 19),
    (asof.ratio("points", "minutes", last=1), 1),
    (asof.ratio("points", "minutes", last=3), 8 / 5),
    (asof.ratio("points", "minutes", days=4), 16 / 9),
    (asof.ratio("points", "minutes", last=3, at_least=3), None),
    (asof.highest("points"), 50),
    (asof.highest("points", last=3), 6),
    (asof.latest("points"), 2),
    (asof.ewma("points", half_life=6, at_least=5), None),
)


def test_each_aggregate_has_the_window_and_the_least_number_that_was_asked_for() -> None:
    row = answer({str(n): a for n, (a, _) in enumerate(BY_HAND)}, target(5), FIVE_GAMES)
    for n, (a, wanted) in enumerate(BY_HAND):
        assert row[str(n)] == (wanted if wanted is None else pytest.approx(wanted)), a


def test_one_known_value_is_enough_unless_more_are_asked_for() -> None:
    asked = {
        "mean": asof.mean("points"),
        "ratio": asof.ratio("points", "minutes"),
        "ewma": asof.ewma("points", half_life=6),
    }
    row = answer(asked, target(5), [fact(1, 10, 5.0)])
    assert (row["mean"], row["ratio"], row["ewma"]) == (10, 2, 10)
