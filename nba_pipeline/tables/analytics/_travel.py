"""Distances between home arenas and hours between their zones, as expressions over tricodes."""

from datetime import date, datetime
from itertools import combinations_with_replacement
from zoneinfo import ZoneInfo

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.domain.arenas import COURTS
from nba_pipeline.domain.arenas import miles as way
from nba_pipeline.domain.calendar import EPOCH, days_between
from nba_pipeline.domain.teams import TEAMS, TRICODES

REFERENCE_ZONE = "America/New_York"
YEARS = range(EPOCH.year, EPOCH.year + 30)
WINTER, SUMMER = date(EPOCH.year, 1, 15), date(EPOCH.year, 7, 15)


def way_to_game(teams: ir.Table) -> dict[str, ir.Value]:
    """Return distance and time shift from the season's latest game, or from home before the first; NULL at a neutral site."""
    neutral = teams.neutral_site.fill_null(False)
    origin = (teams.h_games == 0).ifelse(teams.team, teams.h_place)
    destination = neutral.ifelse(None, teams.home_game.ifelse(teams.team, teams.opponent))
    at_home = teams.home_game & ~neutral
    return {
        "travel_miles": miles(origin, destination, teams.game_date),
        "time_zones_crossed": hours_forward(origin, destination, teams.game_date),
        "consecutive_road_games": at_home.ifelse(0, teams.h_road.fill_null(0) + 1),
    }


def miles(origin: ir.StringValue, destination: ir.StringValue, day: ir.DateValue) -> ir.FloatingValue:
    """Measure the way between the home courts of two teams.

    Args:
        origin: tricode of the team at whose court the way begins.
        destination: tricode of the team at whose court it ends.
        day: the day whose courts count.

    Returns:
        Great-circle distance in statute miles; NULL where either team is.
    """
    courts = {court.key: court for court in COURTS}
    pairs = [(a + b, round(way(courts[a], courts[b]), 1)) for a, b in combinations_with_replacement(sorted(courts), 2)]
    here, there = _court(origin, day), _court(destination, day)
    pair = (here <= there).ifelse(here + there, there + here)
    return pair.cases(*pairs, else_=ibis.null("float64"))


def _court(team: ir.StringValue, day: ir.DateValue) -> ir.StringValue:
    """The key of the team's home court on the day."""
    earlier = [c for c in COURTS if c.last is not None]
    moves = [
        ((team == c.team) & (day <= c.last) & (ibis.literal(True) if c.first is None else day >= c.first), c.key)
        for c in earlier
    ]
    return ibis.cases(*moves, else_=team)


def hours_forward(origin: ir.StringValue, destination: ir.StringValue, day: ir.DateValue) -> ir.IntegerValue:
    """Hours that the clock goes forward between two teams' cities on a day: positive going east, negative going west."""
    summer = _is_summer_time(day)
    return _offset(destination, summer) - _offset(origin, summer)


def _offset(team: ir.StringValue, summer: ir.BooleanValue) -> ir.IntegerValue:
    winter_hours, summer_hours = (
        team.cases(*[(t, _utc_hours(TEAMS[t].zone, day)) for t in TRICODES], else_=ibis.null("int64"))
        for day in (WINTER, SUMMER)
    )
    return summer.ifelse(summer_hours, winter_hours)


def _is_summer_time(day: ir.DateValue) -> ir.BooleanValue:
    """True between the clock changes of the reference zone; team cities that change their clocks do so on the same days."""
    return ibis.or_(*[day.between(ibis.date(first), ibis.date(last)) for first, last in map(_summer_of, YEARS)])


def _summer_of(year: int) -> tuple[date, date]:
    winter = _utc_hours(REFERENCE_ZONE, WINTER)
    days = [d for d in days_between(date(year, 3, 1), date(year, 11, 30)) if _utc_hours(REFERENCE_ZONE, d) != winter]
    return days[0], days[-1]


def _utc_hours(zone: str, day: date) -> int:
    offset = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds() // 3600)
