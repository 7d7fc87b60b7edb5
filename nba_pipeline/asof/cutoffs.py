"""Cut-offs: which quotes, reports and forecasts were made in time for a game."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import ibis

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.domain.quote_times import BY_SOURCE, LANDED, QuoteTimes

CUTOFF_LEAD_MINUTES = 1
UNKNOWN_TIP_CUTOFF_HOUR_UTC = 16


def cutoff(game_date: ir.DateValue, tip_off: ir.TimestampValue) -> ir.TimestampValue:
    """Return the latest time of information that a forecast may use: one minute before the scheduled tip-off.

    If the tip-off is unknown, the cut-off is 16:00 UTC of the game day (noon Eastern in summer time). No countable game
    starts earlier, so this substitute can only exclude information.
    """
    from_tip_off = tip_off - ibis.interval(minutes=CUTOFF_LEAD_MINUTES)
    substitute = game_date.cast("timestamp").cast("timestamp('UTC')") + ibis.interval(hours=UNKNOWN_TIP_CUTOFF_HOUR_UTC)
    return from_tip_off.fill_null(substitute)


def cutoff_of(game_date: date, tip_off: datetime | None) -> datetime:
    """Return the `cutoff` of one game."""
    if tip_off is None:
        return datetime.combine(game_date, time(UNKNOWN_TIP_CUTOFF_HOUR_UTC), UTC)
    return tip_off - timedelta(minutes=CUTOFF_LEAD_MINUTES)


def captured_in_time(captured_at: ir.TimestampValue, cutoff_at: ir.TimestampValue) -> ir.BooleanValue:
    """Return true if the capture time is at or before the cut-off; NULL if the capture time is unknown."""
    return captured_at <= cutoff_at


def captured_late(
    captured_at: ir.TimestampValue, tip_off: ir.TimestampValue, source: ir.StringValue
) -> ir.BooleanValue:
    """Return whether a quote or line-up was captured after tip-off, by what the source's times mean (`domain.quote_times`).

    Args:
        captured_at: capture time (UTC).
        tip_off: scheduled tip-off (UTC).
        source: name of the source that captured it.

    Returns:
        True for a late capture; NULL if either time is unknown.
    """
    return _later_than(captured_at, tip_off, source, "tolerance")


def captured_as_close(
    captured_at: ir.TimestampValue, tip_off: ir.TimestampValue, source: ir.StringValue, marked: ir.BooleanValue
) -> ir.BooleanValue:
    """Return whether a late quote is the close of the game: kept for evaluation, never for a forecast.

    Args:
        captured_at: capture time (UTC).
        tip_off: scheduled tip-off (UTC).
        source: name of the source that captured the quote.
        marked: whether the source marks the quote as its last before the game.

    Returns:
        True for a late quote that is marked and within what the source declares as its close; never NULL.
    """
    late = captured_late(captured_at, tip_off, source).fill_null(False)
    too_late = _later_than(captured_at, tip_off, source, "close_within").fill_null(True)
    return late & ~too_late & documented_close(marked, source)


def _later_than(
    captured_at: ir.TimestampValue,
    tip_off: ir.TimestampValue,
    source: ir.StringValue,
    limit: Literal["tolerance", "close_within"],
) -> ir.BooleanValue:
    """Whether the capture lies further behind the tip-off than the source's times allow; NULL if either time is unknown."""

    def behind(times: QuoteTimes) -> ir.BooleanValue:
        return captured_at > tip_off + ibis.interval(seconds=int(getattr(times, limit).total_seconds()))

    listed = [(source == name, behind(times)) for name, times in BY_SOURCE.items()]
    return ibis.cases(*listed, else_=behind(LANDED))


def documented_close(marked: ir.BooleanValue, source: ir.StringValue) -> ir.BooleanValue:
    """Return whether a quote that is marked as the close may count without a capture time; never NULL."""
    untrusted = [name for name, times in BY_SOURCE.items() if not times.documents_close]
    return marked.fill_null(False) & ~source.isin(untrusted).fill_null(False)


def reported_in_time(
    reported_at: ir.TimestampValue, report_date: ir.DateValue, game_date: ir.DateValue, cutoff_at: ir.TimestampValue
) -> ir.BooleanValue:
    """Return true if a report was published by the cut-off; a report without a time counts from the next day on."""
    return reported_at.notnull().ifelse(reported_at <= cutoff_at, report_date < game_date)


def made_before(as_of: ir.TimestampValue, tip_off: ir.TimestampValue, cutoff_at: ir.TimestampValue) -> ir.BooleanValue:
    """Return true for a forecast made before tip-off; if the tip-off is unknown, at or before the cut-off."""
    return tip_off.notnull().ifelse(as_of < tip_off, as_of <= cutoff_at)
