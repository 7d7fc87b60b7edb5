"""Status of a table: what is published, what is missing and why, and whether its rows are those that were published."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.coverage import (
    NEVER_RUN,
    NO_GAMES,
    TableStatus,
    affected_days,
    by_table,
    problems,
    span,
    table_status,
)
from nba_pipeline.engine.readiness import PENDING
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse import LedgerEntry
from nba_pipeline.warehouse.protocol import entries_table
from nba_pipeline_tests.support import day

AT = datetime(2024, 2, 1, tzinfo=UTC)
DAYS = days_between(day("2024-01-01"), day("2024-01-04"))


def entry(on: date, **more: Any) -> LedgerEntry:
    facts: dict[str, Any] = {
        "table": SCHEDULE.id,
        "day": on,
        "state": "published",
        "rows": 2,
        "expected": 2,
        "absent": {},
        "unexplained": 0,
        "games": 1,
        "rejected": 0,
        "content_hash": "x",
        "reasons": (),
        "run_id": "r",
        "recorded_at": AT,
    }
    return LedgerEntry(**(facts | more))


def status(*entries: LedgerEntry, counts: Mapping[date, int] | None = None, games: Any = None) -> TableStatus:
    held = {e.day: e.rows for e in entries if e.state == "published"} if counts is None else counts
    own = by_table(entries_table(entries)).get(SCHEDULE.id, [])
    return table_status(SCHEDULE, "rows", DAYS, own, held, games or {})


COMPLETE = [entry(d) for d in DAYS]


def test_every_day_published_is_complete() -> None:
    found = status(*COMPLETE)
    assert found.complete
    assert (found.days_expected, found.days_published, found.rows, found.expected) == (4, 4, 8, 8)
    assert problems(found) == []
    assert affected_days(found) == []


def test_a_day_that_never_ran_is_missing_and_the_schedule_says_whether_it_matters() -> None:
    found = status(*COMPLETE[:2], games={DAYS[2]: 0, DAYS[3]: 5})
    assert found.missing == {DAYS[2]: NO_GAMES, DAYS[3]: NEVER_RUN}
    assert not found.complete
    assert affected_days(found) == DAYS[2:]


def test_days_without_games_that_were_run_are_counted_apart() -> None:
    found = status(*COMPLETE[:3], entry(DAYS[3], rows=0, expected=0, games=0))
    assert found.days_without_games == 1
    assert found.complete


def test_a_refused_day_says_why_even_where_older_rows_stay() -> None:
    refusal = entry(DAYS[1], state="refused", reasons=("contract: bad",))
    found = status(*COMPLETE, refusal)
    assert found.refused == {DAYS[1]: "contract: bad"}
    assert not found.complete
    assert "refused 2024-01-02 (1 day), first 2024-01-02: contract: bad" in problems(found)[0]


def test_explained_absences_are_complete_and_unexplained_ones_are_not() -> None:
    explained = entry(DAYS[0], rows=1, absent={"not played": 1})
    assert status(explained, *COMPLETE[1:]).complete
    assert status(explained, *COMPLETE[1:]).explained == {"not played": 1}
    found = status(entry(DAYS[0], rows=1, absent={"unexplained": 1}, unexplained=1), *COMPLETE[1:])
    assert not found.complete
    assert (found.explained, found.unexplained) == ({}, 1)
    assert affected_days(found) == [DAYS[0]]


def test_games_that_were_not_over_are_not_complete() -> None:
    found = status(*COMPLETE[:1], entry(DAYS[1], rows=0, absent={PENDING: 2}), *COMPLETE[2:])
    assert not found.complete
    assert affected_days(found) == [DAYS[1]]
    assert "2 expected rows wait for games" in problems(found)[0]


@pytest.mark.parametrize("held", [1, 3, 0])
def test_rows_that_changed_behind_the_ledger_are_reported(held: int) -> None:
    found = status(*COMPLETE, counts=dict.fromkeys(DAYS, 2) | {DAYS[2]: held})
    assert found.altered == (DAYS[2],)
    assert not found.complete
    assert affected_days(found) == [DAYS[2]]


def test_entries_of_other_tables_and_days_do_not_count() -> None:
    others = [entry(DAYS[0], table="nba_raw.other"), entry(day("2024-02-01"))]
    found = status(*others)
    assert found.days_published == 0
    assert list(found.missing) == DAYS


def test_the_json_is_complete_and_plain() -> None:
    found = status(*COMPLETE[:3], entry(DAYS[3], state="refused", reasons=("why",)))
    said = found.as_json()
    assert (said["complete"], said["days_refused"]) == (False, {"2024-01-04": "why"})
    assert replace(found, refused={}).as_json()["complete"] is True


def test_the_span_is_what_the_entries_speak_of() -> None:
    assert span([]) is None
    entries = by_table(
        entries_table([entry(DAYS[2]), entry(DAYS[0], state="refused"), entry(DAYS[3], table="x.other")])
    )
    assert span(entries[SCHEDULE.id]) == (DAYS[0], DAYS[2])
    assert span([e for own in entries.values() for e in own]) == (DAYS[0], DAYS[3])


def test_rejected_rows_are_those_of_the_days_as_they_stand() -> None:
    assert status(entry(DAYS[0], rejected=2), *COMPLETE[1:]).rejected == 2


def test_a_refused_run_does_not_add_its_rejected_rows_to_those_of_the_published_one() -> None:
    both = entry(DAYS[0], rejected=2), entry(DAYS[0], rejected=2, state="refused")
    assert status(*both, *COMPLETE[1:]).rejected == 2


def test_an_empty_table_has_nothing_published() -> None:
    found = status()
    assert (found.days_published, found.rows, found.complete) == (0, 0, False)
