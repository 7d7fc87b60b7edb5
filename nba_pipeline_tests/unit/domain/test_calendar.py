"""The season calendar: game ids decide, days only bound what is read."""

from datetime import date, timedelta
from itertools import pairwise

import ibis
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.common import duckdb as duck
from nba_pipeline.domain.calendar import (
    COUNTABLE_PREFIXES,
    EPOCH,
    SEASON_TYPES,
    days_between,
    describe_days,
    ranges,
    reading_bound,
    season_of_game,
    training_quarter,
)
from nba_pipeline.domain.season_expressions import is_countable, season_expression, season_type_expression
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline_tests.support import day

DAILY = daily_partitions(EPOCH, None)

GAMES = {
    "0012300001": ("2023-24", "Preseason", False),
    "0022300634": ("2023-24", "Regular Season", True),
    "0032400001": ("2024-25", "All-Star", False),
    "0042300401": ("2023-24", "Playoffs", True),
    "0052300101": ("2023-24", "PlayIn", True),
    "0062400001": ("2024-25", "NBA Cup Final", True),
    "0022100001": ("2021-22", "Regular Season", True),
    "0020900001": ("2009-10", "Regular Season", True),
    "0029900001": ("2099-00", "Regular Season", True),
}
DAYS = st.dates(date(2021, 1, 1), date(2022, 12, 31))


def test_season_and_kind_of_a_game_come_from_its_id_in_sql_too() -> None:
    rows = ibis.table({"game_id": "string"}, name="games")
    wanted = rows.select(
        rows.game_id,
        season=season_expression(rows.game_id),
        kind=season_type_expression(rows.game_id),
        countable=is_countable(rows.game_id),
    )
    with duck.connect() as db:
        db.register("games", pa.table({"game_id": list(GAMES)}))
        found = {r[0]: r[1:] for r in db.execute(ibis.to_sql(wanted, dialect="duckdb")).fetchall()}
    assert found == GAMES
    assert {g: season_of_game(g) for g in GAMES} == {g: season for g, (season, _, _) in GAMES.items()}


def test_an_unknown_prefix_has_no_kind_and_does_not_count() -> None:
    rows = ibis.table({"game_id": "string"}, name="games")
    wanted = rows.select(kind=season_type_expression(rows.game_id), countable=is_countable(rows.game_id))
    with duck.connect() as db:
        db.register("games", pa.table({"game_id": ["0072300001", "1022300001"]}))
        assert db.execute(ibis.to_sql(wanted, dialect="duckdb")).fetchall() == [(None, False)] * 2


def test_only_preseason_and_all_star_games_do_not_count() -> None:
    assert set(SEASON_TYPES) - set(COUNTABLE_PREFIXES) == {"001", "003"}


@pytest.mark.parametrize(
    ("on", "bound"),
    [
        ("2024-01-10", "2023-08-01"),
        ("2023-08-01", "2023-08-01"),
        ("2023-07-31", "2022-08-01"),
        ("2021-10-19", "2021-08-01"),
    ],
)
def test_reading_starts_on_1_august_at_or_before_the_day(on: str, bound: str) -> None:
    assert reading_bound(day(on)) == day(bound)


@given(DAYS)
def test_the_reading_bound_is_never_after_the_day_and_never_over_a_year_before(on: date) -> None:
    assert timedelta(0) <= on - reading_bound(on) < timedelta(days=366)


def test_partitions_are_eastern_days_from_the_epoch_up_to_today() -> None:
    assert str(DAILY.timezone) == "America/New_York"
    first = DAILY.get_first_partition_key()
    assert first == EPOCH.isoformat() == "2021-10-19"


@given(st.sets(DAYS, max_size=40))
def test_ranges_hold_exactly_the_days_and_never_touch(days: set[date]) -> None:
    folded = ranges(days)
    assert [d for a, b in folded for d in days_between(a, b)] == sorted(days)
    assert all(second[0] - first[1] > timedelta(days=1) for first, second in pairwise(folded))


def test_days_between_includes_both_ends() -> None:
    assert days_between(day("2024-02-28"), day("2024-03-01")) == [day(f"2024-{d}") for d in ("02-28", "02-29", "03-01")]
    assert days_between(day("2024-01-02"), day("2024-01-01")) == []


@pytest.mark.parametrize(
    ("days", "text"),
    [
        ([], " (0 days)"),
        (["2024-01-01"], "2024-01-01 (1 day)"),
        (["2024-01-02", "2024-01-01"], "2024-01-01..2024-01-02 (2 days)"),
        (["2024-01-01", "2024-01-03", "2024-01-05"], "2024-01-01, 2024-01-03 and 1 more range (3 days)"),
        (["2024-01-01", "2024-01-03", "2024-01-05", "2024-01-07"], "2024-01-01, 2024-01-03 and 2 more ranges (4 days)"),
    ],
)
def test_days_are_described_as_ranges_with_their_number(days: list[str], text: str) -> None:
    assert describe_days([day(d) for d in days], 2) == text


@pytest.mark.parametrize(
    ("on", "first"),
    [
        ("2024-01-31", "2023-11-01"),
        ("2024-02-01", "2024-02-01"),
        ("2024-04-30", "2024-02-01"),
        ("2024-07-31", "2024-05-01"),
        ("2024-10-31", "2024-08-01"),
        ("2024-12-15", "2024-11-01"),
    ],
)
def test_quarters_of_trainings_begin_in_february_may_august_and_november(on: str, first: str) -> None:
    assert training_quarter(day(on)) == day(first)
