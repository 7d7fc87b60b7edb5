"""Plan the calls for official injury reports: pure functions of schedule, known calls and time.

Reports are published every quarter of an hour since 22 December 2025, before at half past the hour, and not every one exists.
A report that does not exist some time after its moment is not requested again.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.values import EASTERN
from nba_pipeline.sources.plan import INJURY_REPORTS, Call, Stored, by_day

REPORT = "report"
KEY = "%Y-%m-%d_%H%M"
REPORT_MINUTE, REPORT_DELAY = 30, timedelta(minutes=15)
QUARTER = timedelta(minutes=15)
QUARTER_HOURLY_REPORTS = date(2025, 12, 22)
# A report may come late; after this time it is taken as never published.
LATEST = timedelta(hours=2)


def report_calls(
    games: Iterable[Game], hours: Sequence[int], minutes_before: int, now: datetime, stored: Stored
) -> list[Call]:
    """Plan the reports of days with games.

    Args:
        games: games of the days.
        hours: US-Eastern hours whose report, at half past, is requested on every day.
        minutes_before: minutes before each tip-off in which every report is requested; 0: none.
        now: the time of planning.
        stored: the known calls.
    """
    calls = []
    for day, group in sorted(by_day(g for g in games if g.countable).items()):
        moments = {_at(day, hour) for hour in hours}
        for g in group:
            if g.tip_off and not g.called_off:
                moments |= set(_before_tip_off(day, g.tip_off, minutes_before))
        calls += [report_call(m) for m in sorted(moments) if _is_due(m, now, stored)]
    return calls


def neighbour_calls(games: Iterable[Game], hours: Sequence[int], now: datetime, stored: Stored) -> list[Call]:
    """Plan the reports of the neighbouring quarters of an hour, where the report of an hour does not exist.

    Args:
        games: games of the days.
        hours: US-Eastern hours whose report is requested on every day.
        now: the time of planning.
        stored: the known calls.
    """
    calls = []
    for day in sorted({g.day for g in games if g.countable and g.day >= QUARTER_HOURLY_REPORTS}):
        for moment in (_at(day, hour) for hour in hours):
            around = [moment - QUARTER, moment + QUARTER]
            if _is_absent(moment, stored) and not any(_is_stored(m, stored) for m in around):
                calls += [report_call(m) for m in around if _is_due(m, now, stored)]
    return list(dict.fromkeys(calls))


def report_call(moment: datetime) -> Call:
    """Build the call for the report of a moment (US Eastern)."""
    return Call(INJURY_REPORTS, REPORT, f"{moment:{KEY}}", (("file", report_file(moment)),))


def report_file(moment: datetime) -> str:
    """Return the file name of a report: by the hour, since 22 December 2025 by the quarter of an hour."""
    clock = f"{moment:%I_%M%p}" if moment.date() >= QUARTER_HOURLY_REPORTS else f"{moment:%I%p}"
    return f"Injury-Report_{moment:%Y-%m-%d}_{clock}.pdf"


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour, REPORT_MINUTE), EASTERN)


def _before_tip_off(day: date, tip_off: datetime, minutes: int) -> list[datetime]:
    """List the moments of publication in the minutes before a tip-off, on the day of the game."""
    local = tip_off.astimezone(EASTERN)
    step = QUARTER if day >= QUARTER_HOURLY_REPORTS else timedelta(hours=1)
    first = datetime.combine(day, time(0, 0 if step == QUARTER else REPORT_MINUTE), EASTERN)
    count = timedelta(days=1) // step
    moments = (first + n * step for n in range(count))
    return [m for m in moments if local - timedelta(minutes=minutes) <= m < local]


def _is_due(moment: datetime, now: datetime, stored: Stored) -> bool:
    if moment + REPORT_DELAY > now or _is_stored(moment, stored):
        return False
    absent = stored.absent(INJURY_REPORTS, REPORT, report_call(moment).key)
    return absent is None or absent < moment + LATEST


def _is_stored(moment: datetime, stored: Stored) -> bool:
    return stored.fetched(INJURY_REPORTS, REPORT, report_call(moment).key) is not None


def _is_absent(moment: datetime, stored: Stored) -> bool:
    return stored.absent(INJURY_REPORTS, REPORT, report_call(moment).key) is not None
