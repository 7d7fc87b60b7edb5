"""The record of calls tells when a service last answered, and what was spent."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from nba_pipeline.sources.call_log import REACHED, CallLog, Entry, Outcome, Usage, month_of
from nba_pipeline.state.home import HomeState

AT = datetime(2024, 11, 6, 12, tzinfo=UTC)


def entry(outcome: Outcome, hours: int = 0, source: str = "nba_stats", usage: Usage | None = None) -> Entry:
    return Entry(AT + timedelta(hours=hours), source, "schedule", "2024-25", outcome, usage or Usage())


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_an_answer_of_any_content_shows_that_the_service_answers_and_an_absent_document_does_not(
    tmp_path: Path, outcome: Outcome
) -> None:
    log = CallLog(HomeState(tmp_path))
    log.record(entry(outcome))
    assert log.reached("nba_stats") == (AT if outcome in ("answered", "unchanged", "rejected") else None)
    assert (outcome in REACHED) == (log.reached("nba_stats") is not None)


def test_a_later_failure_does_not_hide_the_last_answer_nor_the_answer_of_one_service_that_of_another(
    tmp_path: Path,
) -> None:
    log = CallLog(HomeState(tmp_path))
    log.record_all([entry("answered"), entry("unchanged", 1), entry("unreachable", 2), entry("absent", 3)])
    log.record(entry("answered", 9, "nba_cdn"))
    assert log.reached("nba_stats") == AT + timedelta(hours=1)
    assert log.reached("odds_api") is None and CallLog(HomeState(tmp_path / "empty")).reached("nba_stats") is None


def test_the_latest_time_of_an_outcome_follows_what_is_recorded_later(tmp_path: Path) -> None:
    log = CallLog(HomeState(tmp_path))
    name = ("nba_stats", "schedule", "2024-25")
    assert log.latest("absent", *name) is None
    log.record(entry("absent"))
    log.record(entry("answered", 1))
    assert log.latest("absent", *name) == AT == CallLog(HomeState(tmp_path)).latest("absent", *name)


def test_credits_are_summed_from_a_time_on_and_the_last_statement_counts(tmp_path: Path) -> None:
    log = CallLog(HomeState(tmp_path))
    log.record_all([entry("answered", -24 * 10, "odds_api", Usage(7, 93, 7)), entry("answered", 0, "odds_api")])
    log.record_all([entry("rejected", 1, "odds_api", Usage(5, 88, 12)), entry("answered", 2, "odds_api", Usage(1))])
    assert log.spent("odds_api", month_of(AT)) == 6
    assert log.usage("odds_api") == (AT + timedelta(hours=1), Usage(5, 88, 12))
