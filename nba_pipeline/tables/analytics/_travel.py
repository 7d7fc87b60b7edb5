"""Places of games, distances between them and hours between their zones, as expressions."""

import math
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.domain.arenas import COURTS, EARTH_RADIUS_MILES, NEUTRAL_COURTS, Position, neutral_place
from nba_pipeline.domain.calendar import EPOCH, days_between
from nba_pipeline.domain.teams import TEAMS

YEARS = range(EPOCH.year, EPOCH.year + 40)
WINTER, SUMMER = (1, 15), (7, 15)

POSITIONS: Mapping[str, Position] = {c.key: c for c in COURTS} | {c.key: c for c in NEUTRAL_COURTS}
ZONES: Mapping[str, str] = {c.key: TEAMS[c.team].zone for c in COURTS} | {c.key: c.zone for c in NEUTRAL_COURTS}


def with_ends_of_way(teams: ir.Table) -> ir.Table:
    """Add position and clock of both ends of the way to the game, under `from_` and `to_` names, so that each is read once.

    The way begins at the season's latest game, or at home before the first; an unknown place has no position.

    Args:
        teams: Rows with `team`, `opponent`, `game_date`, `home_game`, `neutral_site`, `arena`, and of the team's season
            `h_games` and `h_place` (of the latest game).
    """
    origin = (teams.h_games == 0).ifelse(home_place(teams.team, teams.game_date), teams.h_place)
    place = game_place(teams, teams.home_game.ifelse(teams.team, teams.opponent))
    placed = teams.mutate(from_place=origin, to_place=place)
    columns = {}
    for end, key in (("from", placed.from_place), ("to", placed.to_place)):
        columns[f"{end}_latitude"], columns[f"{end}_longitude"] = _radians(key)
        columns[f"{end}_hours"] = _offset(key, placed.game_date)
    return placed.mutate(**columns)


def way_to_game(teams: ir.Table) -> dict[str, ir.Value]:
    """Return distance and time shift of the way to the game; NULL from and to an unknown place.

    Args:
        teams: Rows of `with_ends_of_way`, with `home_game`, `neutral_site` and `h_road` (games in a row not at home).
    """
    origin, place = (teams.from_latitude, teams.from_longitude), (teams.to_latitude, teams.to_longitude)
    return {
        "travel_miles": _great_circle(origin, place),
        "time_zones_crossed": teams.to_hours - teams.from_hours,
        "consecutive_road_games": is_at_home(teams).ifelse(0, teams.h_road.fill_null(0) + 1),
    }


def is_at_home(teams: ir.Table) -> ir.BooleanValue:
    """Return whether a team of a game plays in its own arena; `teams` has `home_game` and `neutral_site`."""
    return teams.home_game & ~teams.neutral_site.fill_null(False)


def game_place(games: ir.Table, host: ir.StringValue) -> ir.StringValue:
    """Return the key of the place of a game: a neutral court, else the court of the home team.

    Args:
        games: Rows with `arena`, `neutral_site` and `game_date`.
        host: The home team of the schedule.

    Returns:
        NULL for a neutral site whose arena is not known.
    """
    own = home_place(host, games.game_date)
    return neutral_place(games.arena).coalesce(games.neutral_site.fill_null(False).ifelse(None, own))


def home_place(team: ir.StringValue, day: ir.DateValue) -> ir.StringValue:
    """Return the key of the team's home court on the day."""
    earlier = [c for c in COURTS if c.last is not None]
    moves = [
        ((team == c.team) & (day <= c.last) & (ibis.literal(True) if c.first is None else day >= c.first), c.key)
        for c in earlier
    ]
    return ibis.cases(*moves, else_=team)


def miles(origin: ir.StringValue, destination: ir.StringValue) -> ir.FloatingValue:
    """Measure the way between two places, given by key.

    Returns:
        Great-circle distance in statute miles (haversine), as `nba_pipeline.domain.arenas.miles`; NULL where either place is.
    """
    return _great_circle(_radians(origin), _radians(destination))


def _great_circle(
    origin: tuple[ir.FloatingValue, ir.FloatingValue], destination: tuple[ir.FloatingValue, ir.FloatingValue]
) -> ir.FloatingValue:
    (lat1, lon1), (lat2, lon2) = origin, destination
    half_lat, half_lon = (lat2 - lat1) / 2, (lon2 - lon1) / 2
    h = half_lat.sin() * half_lat.sin() + lat1.cos() * lat2.cos() * half_lon.sin() * half_lon.sin()
    return 2 * EARTH_RADIUS_MILES * h.sqrt().asin()


def _radians(place: ir.StringValue) -> tuple[ir.FloatingValue, ir.FloatingValue]:
    """Latitude and longitude of the place."""
    found = (
        place.cases(*[(k, math.radians(value(p))) for k, p in POSITIONS.items()], else_=ibis.null("float64"))
        for value in (lambda p: p.latitude, lambda p: p.longitude)
    )
    return next(found), next(found)


def hours_forward(origin: ir.StringValue, destination: ir.StringValue, day: ir.DateValue) -> ir.IntegerValue:
    """Hours that the clock goes forward between two places on a day: positive going east, negative going west."""
    return _offset(destination, day) - _offset(origin, day)


def _offset(place: ir.StringValue, day: ir.DateValue) -> ir.IntegerValue:
    """The hours of the place's clock before UTC's on the day, at noon."""
    winter = place.cases(*[(k, _winter_hours(zone)) for k, zone in ZONES.items()], else_=ibis.null("int64"))
    return winter + _is_summer_time(place, day).cast("int64")


def _is_summer_time(place: ir.StringValue, day: ir.DateValue) -> ir.BooleanValue:
    """Whether the place's clock is put forward on the day; places that change theirs on the same days share a rule."""
    places: dict[tuple[tuple[date, date], ...], list[str]] = {}
    for key, zone in ZONES.items():
        places.setdefault(_summers(zone), []).append(key)
    return ibis.or_(*[place.isin(keys) & _is_within(day, spans) for spans, keys in places.items() if spans])


def _is_within(day: ir.DateValue, spans: tuple[tuple[date, date], ...]) -> ir.BooleanValue:
    return ibis.or_(*[day.between(ibis.date(first), ibis.date(last)) for first, last in spans])


@cache
def _winter_hours(zone: str) -> int:
    return _utc_hours(zone, date(YEARS[-1], *WINTER))


@cache
def _summers(zone: str) -> tuple[tuple[date, date], ...]:
    """First and last day of summer time by year; none in a year whose July has the hours of winter."""
    winter = _winter_hours(zone)
    spans = []
    for year in YEARS:
        if _utc_hours(zone, date(year, *SUMMER)) == winter:
            continue
        days = [d for d in days_between(date(year, 3, 1), date(year, 11, 30)) if _utc_hours(zone, d) != winter]
        spans.append((days[0], days[-1]))
    return tuple(spans)


def _utc_hours(zone: str, day: date) -> int:
    offset = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds() // 3600)
