"""What goes wrong while a season is played: every feed is out for a while, and box scores are corrected late."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from nba_pipeline.common.timezone import ZONE
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.sources.landing import FEEDS
from nba_pipeline.sources.protocol import Source
from tools.soak.weather import Correction, Outage, Weather

OUTAGE = timedelta(hours=3)


def at(day: date, hour: float) -> datetime:
    """The hour of a day, Eastern."""
    return (datetime.combine(day, datetime.min.time(), ZoneInfo(ZONE)) + timedelta(hours=hour)).astimezone(UTC)


def bad_weather(source: Source, first: date, last: date) -> Weather:
    """Two feeds a day are out, one over the morning slate and one over the next night's run, until each was; every third day's
    box scores are corrected 40 hours after its midnight."""
    days = days_between(first, last)
    feeds = [f.name for f in FEEDS.values() if f.day]
    starts = [at(d, hour) for d in days for hour in (10.5, 30)]
    outages = [Outage(f, start, start + OUTAGE) for f, start in zip(feeds, starts, strict=False)]
    corrections = [Correction(d, at(d, 40)) for d in days[1:-1:3]]
    return Weather(source, tuple(outages), tuple(corrections))
