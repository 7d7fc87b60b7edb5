"""Which injury reports are asked for: those of the hours, all before a tip-off, the neighbours of a missing one, none twice."""

from datetime import UTC, date, datetime, timedelta

from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.report_plan import neighbour_calls, report_calls, report_file
from nba_pipeline_tests.support.known_calls import KnownCalls

LONG_AFTER = datetime(2026, 6, 1, tzinfo=UTC)
HOURS = (11, 13, 17)


def game(tip: datetime) -> Game:
    day = (tip - timedelta(hours=5)).date()
    return Game("0022500001", day, tip, "BOS", "NYK", None, None, None, None)


AUTUMN = game(datetime(2024, 11, 6, 0, 30, tzinfo=UTC))  # 19:30 in New York, reports by the hour
WINTER = game(datetime(2026, 1, 11, 0, 30, tzinfo=UTC))  # 19:30 in New York, reports by the quarter of an hour


def test_reports_are_asked_once_they_are_out_and_never_twice() -> None:
    now = datetime(2024, 11, 5, 19, tzinfo=UTC)
    calls = report_calls([AUTUMN], HOURS, 0, now, KnownCalls())
    assert [(c.key, c["file"]) for c in calls] == [
        ("2024-11-05_1130", "Injury-Report_2024-11-05_11AM.pdf"),
        ("2024-11-05_1330", "Injury-Report_2024-11-05_01PM.pdf"),
    ]
    assert report_calls([AUTUMN], (11, 13), 0, now, KnownCalls().with_answers(calls, now)) == []


def test_since_december_2025_reports_are_named_by_the_quarter_of_an_hour() -> None:
    assert report_file(datetime(2025, 12, 22, 17, 30, tzinfo=UTC)) == "Injury-Report_2025-12-22_05_30PM.pdf"
    assert report_file(datetime(2025, 12, 21, 17, 30, tzinfo=UTC)) == "Injury-Report_2025-12-21_05PM.pdf"


def test_in_the_last_two_hours_before_a_tip_off_every_report_is_asked() -> None:
    calls = report_calls([WINTER], (), 120, LONG_AFTER, KnownCalls())
    assert [c.key[-4:] for c in calls] == ["1730", "1745", "1800", "1815", "1830", "1845", "1900", "1915"]
    assert [c.key[-4:] for c in report_calls([AUTUMN], (), 120, LONG_AFTER, KnownCalls())] == ["1730", "1830"]


def test_a_report_that_was_never_published_is_not_asked_again_and_a_late_one_is() -> None:
    calls = report_calls([WINTER], (13,), 0, LONG_AFTER, KnownCalls())
    published = datetime(2026, 1, 10, 18, 30, tzinfo=UTC)
    soon, late = (KnownCalls().with_absent(calls, published + timedelta(minutes=m)) for m in (20, 120))
    assert report_calls([WINTER], (13,), 0, LONG_AFTER, soon) == calls
    assert report_calls([WINTER], (13,), 0, LONG_AFTER, late) == []


def test_the_neighbouring_quarters_of_a_missing_report_are_asked_once() -> None:
    calls = report_calls([WINTER], (13,), 0, LONG_AFTER, KnownCalls())
    known = KnownCalls().with_absent(calls, LONG_AFTER)
    around = neighbour_calls([WINTER], (13,), LONG_AFTER, known)
    assert [c["file"][-11:-4] for c in around] == ["01_15PM", "01_45PM"]
    assert neighbour_calls([WINTER], (13,), LONG_AFTER, known.with_answers(around[:1], LONG_AFTER)) == []
    assert neighbour_calls([WINTER], (13,), LONG_AFTER, known.with_absent(around, LONG_AFTER)) == []
    assert neighbour_calls([WINTER], (13,), LONG_AFTER, KnownCalls()) == []


def test_where_reports_come_by_the_hour_there_are_no_neighbouring_quarters() -> None:
    calls = report_calls([AUTUMN], (13,), 0, LONG_AFTER, KnownCalls())
    assert neighbour_calls([AUTUMN], (13,), LONG_AFTER, KnownCalls().with_absent(calls, LONG_AFTER)) == []


def test_days_without_a_game_that_counts_have_no_reports() -> None:
    friendly = Game("0012500001", date(2025, 10, 5), None, "BOS", "NYK", None, None, None, None)
    assert report_calls([friendly], HOURS, 120, LONG_AFTER, KnownCalls()) == []
