"""Cut-offs: which quotes, reports and forecasts were made in time for a game."""

from datetime import UTC, date, datetime, time, timedelta

import ibis

from nba_pipeline.common import ibis_types as ir

CUTOFF_LEAD_MINUTES = 1


UNKNOWN_TIP_CUTOFF_HOUR_UTC = 16


def cutoff(game_date: ir.DateValue, tip_off: ir.TimestampValue) -> ir.TimestampValue:
    """The last moment at which information may enter a forecast of the game: one minute before the scheduled tip-off.

    Where the tip-off is not known, 16:00 UTC of the game day (noon Eastern in summer time) stands in: no countable game
    starts earlier, so the stand-in can only make a forecast know less.
    """
    known = tip_off - ibis.interval(minutes=CUTOFF_LEAD_MINUTES)
    stand_in = game_date.cast("timestamp").cast("timestamp('UTC')") + ibis.interval(hours=UNKNOWN_TIP_CUTOFF_HOUR_UTC)
    return known.fill_null(stand_in)


def cutoff_of(game_date: date, tip_off: datetime | None) -> datetime:
    """`cutoff` of one game."""
    if tip_off is None:
        return datetime.combine(game_date, time(UNKNOWN_TIP_CUTOFF_HOUR_UTC), UTC)
    return tip_off - timedelta(minutes=CUTOFF_LEAD_MINUTES)


def captured_in_time(captured_at: ir.TimestampValue, cutoff_at: ir.TimestampValue) -> ir.BooleanValue:
    """True where something captured at a known time was known by the cut-off; an unknown capture time is NULL."""
    return captured_at <= cutoff_at


def reported_in_time(
    reported_at: ir.TimestampValue, report_date: ir.DateValue, game_date: ir.DateValue, cutoff_at: ir.TimestampValue
) -> ir.BooleanValue:
    """True where a report was out by the cut-off; a report that knows only its date counts from the next day on."""
    return reported_at.notnull().ifelse(reported_at <= cutoff_at, report_date < game_date)


def made_before(as_of: ir.TimestampValue, tip_off: ir.TimestampValue, cutoff_at: ir.TimestampValue) -> ir.BooleanValue:
    """True for a forecast made before tip-off; where the tip-off is not known, by the cut-off that stands in for it."""
    return tip_off.notnull().ifelse(as_of < tip_off, as_of <= cutoff_at)
