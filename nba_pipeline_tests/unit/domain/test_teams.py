"""Distances and time zones between the thirty arenas."""

from datetime import date, timedelta
from itertools import combinations

import ibis
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.domain import arenas
from nba_pipeline.domain.teams import ALIASES, TEAMS, TRICODES, miles_between, tricode, tricode_expression
from nba_pipeline.tables.analytics._travel import POSITIONS, home_place, hours_forward
from nba_pipeline.tables.analytics._travel import miles as miles_expression
from nba_pipeline.tables.analytics.upcoming_team_game_context import UPCOMING_TEAM_GAME_CONTEXT


@pytest.mark.parametrize(
    ("a", "b", "miles"), [("GSW", "SAC", 74), ("BOS", "LAL", 2592), ("MIA", "POR", 2704), ("LAC", "LAL", 8)]
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


# Positions of arenas as three public tables give them, to a hundredth of a degree.
@pytest.mark.parametrize(
    ("team", "day", "latitude", "longitude"),
    [
        ("HOU", date(2021, 11, 1), 29.7508, -95.3621),
        ("HOU", None, 29.7508, -95.3621),
        ("LAC", date(2024, 4, 14), 34.0430, -118.2673),
        ("LAC", date(2024, 10, 23), 33.9453, -118.3417),
        ("LAC", None, 33.9453, -118.3417),
        ("GSW", date(2019, 6, 13), 37.7503, -122.2030),
        ("GSW", date(2019, 10, 24), 37.7680, -122.3877),
        ("TOR", date(2021, 1, 4), 27.9427, -82.4519),
        ("TOR", date(2021, 10, 20), 43.6434, -79.3791),
    ],
)
def test_a_court_has_the_position_that_holds_on_the_day(
    team: str, day: date | None, latitude: float, longitude: float
) -> None:
    court = arenas.court_of(team, day)
    assert arenas.miles(court, arenas.Court(team, "as published", latitude, longitude)) < 1


def test_every_team_has_exactly_one_home_court_on_every_day() -> None:
    days = [date(2018, 10, 1) + timedelta(days=n) for n in range(3600)]
    assert set(arenas.courts_of()) == set(TRICODES)
    for courts in arenas.courts_of().values():
        if len(courts) > 1:
            assert all(sum(c.holds(d) for c in courts) == 1 for d in days)
    assert len({c.key for c in arenas.COURTS}) == len(arenas.COURTS)


def test_a_trip_is_measured_between_the_courts_of_its_day() -> None:
    trips = [
        ("LAL", "LAC", date(2024, 4, 1)),
        ("LAL", "LAC", date(2024, 12, 1)),
        ("HOU", "DAL", date(2024, 12, 1)),
        ("SAC", "GSW", date(2019, 3, 1)),
        ("BOS", "TOR", date(2021, 2, 1)),
    ]
    table = ibis.table({"n": "int64", "a": "string", "b": "string", "day": "date"}, name="trips")
    trip = miles_expression(home_place(table.a, table.day), home_place(table.b, table.day))
    statement = str(ibis.to_sql(table.select("n", miles=trip).order_by("n"), dialect="duckdb"))
    with duck.connect() as db:
        db.execute("CREATE TABLE trips (n BIGINT, a VARCHAR, b VARCHAR, day DATE)")
        db.executemany("INSERT INTO trips VALUES (?, ?, ?, ?)", [(n, *t) for n, t in enumerate(trips)])
        found = [miles for _, miles in db.execute(statement).fetchall()]
    assert found == pytest.approx([miles_between(*t) for t in trips], abs=1e-6)
    assert miles_between("LAL", "LAC", date(2024, 4, 1)) == 0
    assert miles_between("LAL", "LAC", date(2024, 12, 1)) == pytest.approx(8.0, abs=0.1)


def test_no_place_is_further_from_another_than_the_contract_allows() -> None:
    bound = UPCOMING_TEAM_GAME_CONTEXT.columns["travel_miles"].checks["le"]
    assert max(arenas.miles(a, b) for a, b in combinations(POSITIONS.values(), 2)) < bound
    assert len(POSITIONS) == len(arenas.COURTS) + len(arenas.NEUTRAL_COURTS)


# Hours of the clocks as calendars of the years print them: Europe and Mexico change theirs on days of their own.
@pytest.mark.parametrize(
    ("origin", "destination", "day", "hours"),
    [
        ("DET", "Paris", date(2023, 1, 19), 6),
        ("Paris", "LAL", date(2024, 1, 13), -9),
        ("BOS", "Paris", date(2024, 3, 20), 5),
        ("BOS", "Paris", date(2024, 4, 10), 6),
        ("MIA", "Mexico City", date(2022, 12, 17), -1),
        ("MIA", "Mexico City", date(2024, 11, 2), -2),
        ("DAL", "Mexico City", date(2022, 4, 10), 0),
        ("DAL", "Mexico City", date(2023, 4, 10), -1),
        ("PHX", "Las Vegas", date(2023, 12, 7), -1),
        ("Las Vegas", "Las Vegas", date(2023, 12, 7), 0),
        ("PHX", "DEN", date(2059, 12, 20), 0),
        ("PHX", "DEN", date(2060, 4, 10), 1),
    ],
)
def test_the_clock_goes_forward_by_the_zones_of_the_day(origin: str, destination: str, day: date, hours: int) -> None:
    shift = hours_forward(ibis.literal(origin), ibis.literal(destination), ibis.date(day))
    with duck.connect() as db:
        assert db.execute(str(ibis.to_sql(shift, dialect="duckdb"))).fetchone() == (hours,)


@pytest.mark.parametrize(
    ("arena", "flag", "neutral"),
    [
        ("Accor Arena", False, True),
        ("ARENA CDMX ", None, True),
        ("TD Garden", False, False),
        ("TD Garden", None, None),
        ("A new hall", True, True),
        (None, True, True),
        (None, False, False),
    ],
)
def test_a_game_is_neutral_by_its_arena_else_by_the_sources_word(
    arena: str | None, flag: bool | None, neutral: bool | None
) -> None:
    found = arenas.is_neutral(ibis.literal(arena, "string"), ibis.literal(flag, "boolean"))
    with duck.connect() as db:
        assert db.execute(str(ibis.to_sql(found, dialect="duckdb"))).fetchone() == (neutral,)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *ALIASES.items(),
        ("BOS", "BOS"),
        (" bos ", "BOS"),
        ("pho", "PHX"),
        ("LA", "LA"),
        ("XYZ", "XYZ"),
        ("Nets", "Nets"),
    ],
)
def test_a_tricode_of_another_source_is_mapped_and_an_unknown_one_stays_for_the_contract_to_refuse(
    written: str, meant: str
) -> None:
    assert tricode(written) == meant
    with duck.connect() as db:
        sql = str(ibis.to_sql(tricode_expression(ibis.literal(written)), dialect="duckdb"))
        assert db.execute(sql).fetchone() == (meant,)
