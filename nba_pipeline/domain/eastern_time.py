"""The US-Eastern calendar date of a moment, the same in every engine."""

import ibis

from nba_pipeline.common import ibis_types as ir


def eastern_date(instant: ir.TimestampValue) -> ir.DateValue:
    """Return the US-Eastern calendar date of a moment in UTC.

    Daylight-saving time runs from 07:00 UTC of March's second Sunday to 06:00 UTC of November's first (15 U.S.C. 260a), so
    that the result depends on no engine's table of time zones.
    """
    year = instant.year().cast("string")
    march, november = (year + "-03-08").cast("date"), (year + "-11-01").cast("date")
    begins = _next_sunday(march) + ibis.interval(hours=7)
    ends = _next_sunday(november) + ibis.interval(hours=6)
    summer = (instant >= begins) & (instant < ends)
    return summer.ifelse(instant - ibis.interval(hours=4), instant - ibis.interval(hours=5)).date()


def _next_sunday(day: ir.DateValue) -> ir.TimestampValue:
    """Midnight UTC of the day, if it is a Sunday, else of the Sunday after it."""
    ahead = (6 - day.day_of_week.index()).cast("int64")
    return (day.cast("timestamp") + ahead.as_interval("D")).cast("timestamp('UTC')")
