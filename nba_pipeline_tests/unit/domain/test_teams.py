"""Distances and time zones between the thirty arenas."""

from itertools import combinations

import pytest

from nba_pipeline.domain.teams import TEAMS, TRICODES, miles_between


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
