"""Distances and time zones between the thirty arenas."""

from itertools import combinations

import pytest

from nba_pipeline.teams import TEAMS, TRICODES, hours_ahead, miles_between
from nba_pipeline_tests.support import moment

WINTER, SUMMER = moment("2024-01-15 00:00"), moment("2024-06-15 00:00")


@pytest.mark.parametrize(
    ("a", "b", "miles"), [("GSW", "SAC", 74), ("BOS", "LAL", 2592), ("MIA", "POR", 2704), ("LAC", "LAL", 0)]
)
def test_known_distances(a: str, b: str, miles: float) -> None:
    assert miles_between(a, b) == pytest.approx(miles, abs=1)


def test_there_are_thirty_teams_and_no_trip_is_longer_than_miami_to_portland() -> None:
    assert len(TRICODES) == len(TEAMS) == 30
    assert list(TRICODES) == sorted(TRICODES)
    assert max(combinations(TRICODES, 2), key=lambda p: miles_between(*p)) == ("MIA", "POR")


def test_distance_has_no_direction_and_home_is_no_way_off() -> None:
    assert all(miles_between(t, t) == 0 for t in TRICODES)
    assert all(miles_between(a, b) == miles_between(b, a) for a, b in combinations(TRICODES, 2))


@pytest.mark.parametrize(
    ("destination", "origin", "hours"),
    [
        ("LAL", "BOS", -3),
        ("BOS", "LAL", 3),
        ("DEN", "CHI", -1),
        ("NYK", "MEM", 1),
        ("LAC", "LAL", 0),
        ("TOR", "BOS", 0),
    ],
)
def test_going_west_is_negative_and_going_east_positive(destination: str, origin: str, hours: float) -> None:
    """The original had the direction inverted: Boston to Los Angeles counted as eastbound."""
    assert hours_ahead(destination, origin, WINTER) == hours
    assert hours_ahead(destination, origin, SUMMER) == hours


def test_phoenix_keeps_mountain_time_in_winter_and_pacific_time_in_summer() -> None:
    assert (hours_ahead("PHX", "DEN", WINTER), hours_ahead("PHX", "LAL", WINTER)) == (0, 1)
    assert (hours_ahead("PHX", "DEN", SUMMER), hours_ahead("PHX", "LAL", SUMMER)) == (-1, 0)


def test_the_change_of_clocks_counts_from_its_moment() -> None:
    before, after = moment("2024-03-10 08:59"), moment("2024-03-10 09:01")
    assert (hours_ahead("PHX", "DEN", before), hours_ahead("PHX", "DEN", after)) == (0, -1)
