"""Days that a computation needs: refused, never published and unfinished days block exactly the days that need them."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline import asof
from nba_pipeline.asof.reads import Read
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.readiness import PENDING, gaps, history_needed, unmet
from nba_pipeline.tables.raw.player_boxscores import PLAYER_BOXSCORES
from nba_pipeline.tables.raw.schedule import SCHEDULE
from nba_pipeline.warehouse import LedgerEntry
from nba_pipeline.warehouse.protocol import entries_table
from nba_pipeline_tests.support import day

START = day("2024-01-01")
AT = datetime(2024, 2, 1, tzinfo=UTC)
PUBLISHED, REFUSED, WAITING = "published", "refused", "waiting"


def ledger(states: Mapping[int, str], table: str = SCHEDULE.id) -> pa.Table:
    """Entries by day number; `published+refused` is a refusal after a publication."""
    entries = []
    for number, text in states.items():
        for state in text.split("+"):
            facts: dict[str, Any] = {"rows": 1, "expected": 1, "unexplained": 0, "games": 1, "rejected": 0}
            entries.append(
                LedgerEntry(
                    table=table,
                    day=START + timedelta(days=number),
                    state="refused" if state == REFUSED else "published",
                    absent={PENDING: 1} if state == WAITING else {},
                    content_hash="",
                    reasons=(),
                    run_id="r",
                    recorded_at=AT,
                    **facts,
                )
            )
    return entries_table(entries)


def on(*numbers: int) -> list[date]:
    return [START + timedelta(days=n) for n in numbers]


def blocked(read: Read, states: Mapping[int, str], days: list[date]) -> set[int]:
    return {(d - START).days for d in unmet({"t": read}, ledger(states), days)}


ALL = dict.fromkeys(range(-10, 20), PUBLISHED)


def test_nothing_is_blocked_where_everything_is_published() -> None:
    assert blocked(asof.before(SCHEDULE, 3), ALL, on(0, 5, 9)) == set()


def test_a_day_needs_the_days_before_it_and_not_itself() -> None:
    read = asof.before(SCHEDULE, 3)
    assert blocked(read, ALL | {5: REFUSED}, on(*range(10))) == {6, 7, 8}
    assert blocked(read, {n: s for n, s in ALL.items() if n != 5}, on(*range(10))) == {6, 7, 8}


def test_a_read_of_the_day_itself_is_blocked_on_that_day_alone() -> None:
    assert blocked(asof.same_day(SCHEDULE), ALL | {5: REFUSED}, on(*range(10))) == {5}


def test_a_read_of_the_season_is_blocked_on_every_later_day_of_the_season() -> None:
    season = {(d - START).days: PUBLISHED for d in days_between(day("2023-08-01"), day("2024-08-10"))}
    read = asof.season_to_date(SCHEDULE)
    assert blocked(read, season | {5: REFUSED}, on(4, 5, 6, 100)) == {6, 100}
    assert blocked(read, season | {5: REFUSED}, [day("2024-08-05")]) == set()


def test_a_refusal_after_a_publication_blocks() -> None:
    assert blocked(asof.same_day(SCHEDULE), ALL | {5: "published+refused"}, on(4, 5)) == {5}


def test_unfinished_games_block_those_who_look_back_not_those_who_look_at_the_day() -> None:
    assert blocked(asof.before(SCHEDULE, 2), ALL | {5: WAITING}, on(*range(10))) == {6, 7}
    assert blocked(asof.same_day(SCHEDULE), ALL | {5: WAITING}, on(*range(10))) == set()


def test_entries_of_other_tables_prove_nothing() -> None:
    found = unmet({"t": asof.same_day(SCHEDULE)}, ledger(ALL, "nba_raw.other"), on(1, 2))
    assert sorted(found) == on(1, 2)


def test_the_sentence_names_table_window_days_and_cause() -> None:
    states = {n: s for n, s in ALL.items() if n not in (2, 3)} | {5: REFUSED}
    found = unmet({"t": asof.before(SCHEDULE, 5)}, ledger(states), on(6))
    assert found == {
        on(6)[
            0
        ]: "needs the 5 days before the day of nba_raw.schedule, but it lacks 2024-01-03..2024-01-04, 2024-01-06 "
        "(3 days): never published, refused"
    }


def test_the_first_partition_needs_no_history() -> None:
    first = day("2021-10-19")
    reads = {"a": asof.before(SCHEDULE, 30), "b": asof.season_to_date(PLAYER_BOXSCORES)}
    assert unmet(reads, ledger({}), [first]) == {}


@given(
    st.dictionaries(st.integers(0, 25), st.sampled_from([PUBLISHED, REFUSED, WAITING, "published+refused"])),
    st.integers(1, 6),
    st.sets(st.integers(6, 25), min_size=1),
)
def test_exactly_the_days_with_a_gap_in_their_window_are_blocked(
    states: dict[int, str], back: int, wanted: set[int]
) -> None:
    sound = {n for n, s in states.items() if s == PUBLISHED}
    lacking = {n for n in wanted if not set(range(n - back, n)) <= sound}
    assert blocked(asof.before(SCHEDULE, back), states, on(*wanted)) == lacking


def test_gaps_within_includes_both_ends() -> None:
    found = gaps(SCHEDULE, ledger({0: PUBLISHED}), *on(0, 4), finished=False)
    assert found.days == tuple(on(1, 2, 3, 4))
    assert found.within(*on(2, 3)) == tuple(on(2, 3))
    assert found.within(*on(0, 0)) == ()


def test_history_needed_reaches_from_the_first_window_to_the_last_day() -> None:
    reads = [asof.before(SCHEDULE, 3), asof.before(SCHEDULE, 5), asof.same_day(PLAYER_BOXSCORES)]
    wanted = history_needed(reads, on(10, 11, 12))
    assert wanted == {SCHEDULE: set(on(5, 6, 7, 8, 9, 10, 11)), PLAYER_BOXSCORES: set(on(10, 11, 12))}
    assert history_needed([asof.before(SCHEDULE, 3)], [day("2021-10-19")]) == {SCHEDULE: set()}


def test_a_model_of_the_month_is_needed_from_its_training_day_only() -> None:
    reads = [asof.of_the_month(SCHEDULE)]
    assert history_needed(reads, [day("2024-01-05"), day("2024-01-31")]) == {SCHEDULE: {day("2024-01-01")}}
    assert history_needed(reads, [day("2021-10-25")]) == {SCHEDULE: {day("2021-10-19")}}


def test_only_training_days_need_history_and_it_begins_before_the_first_training_of_their_quarter() -> None:
    read = asof.before_training(SCHEDULE, 3)
    assert history_needed([read], on(1, 2, 3)) == {SCHEDULE: set()}
    february, march = ([day(f"2024-{month}-01"), day(f"2024-{month}-02")] for month in ("02", "03"))
    assert history_needed([read], february) == {SCHEDULE: set(days_between(day("2023-10-29"), day("2024-01-31")))}
    assert history_needed([read], march) == {SCHEDULE: set(days_between(day("2024-01-29"), day("2024-02-29")))}


def test_what_a_ledger_says_survives_json() -> None:
    (entry,) = ledger({0: WAITING}).to_pylist()
    assert json.loads(entry["absent"]) == {PENDING: 1}
