"""A replay reads of a feed what was known at the day's last cut-off, and no feed that does not say when its rows were known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import ibis
import pyarrow as pa
import pytest

from nba_pipeline.common.errors import ContractError
from nba_pipeline.sources.landing import FEEDS, INJURIES, PLAYER_AGES, PLAYER_BOXSCORES, PLAYERS, ROSTERS, Feed
from nba_pipeline.verification.known_feeds import KnownFeeds

DAY, CUTOFF = date(2024, 1, 20), datetime(2024, 1, 21, 3, tzinfo=UTC)


@dataclass(frozen=True)
class Rows:
    """A source with these rows in every feed."""

    rows: Sequence[dict[str, Any]]

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        del days
        return pa.Table.from_pylist(list(self.rows), schema=ibis.schema(feed.ibis_schema).to_pyarrow())

    def describe(self) -> dict[str, str]:
        return {}


def known(feed: Feed, column: str, *values: Any) -> list[Any]:
    rows = Rows([{column: v} for v in values])
    return KnownFeeds(rows, DAY, CUTOFF).read(feed, [DAY])[column].to_pylist()


@pytest.mark.parametrize("name", FEEDS)
def test_every_feed_declares_when_its_rows_were_known(name: str) -> None:
    feed = FEEDS[name]
    assert feed.known is not None
    assert feed.known.text
    assert (feed.known.kind == "at_its_time") == (feed.known.column in {c.name for c in feed.columns})


def test_a_feed_that_does_not_declare_it_is_refused_by_name() -> None:
    with pytest.raises(ContractError, match="player_ages does not declare when its rows were known"):
        known(replace(PLAYER_AGES, known=None), "season", "2022-23")


def test_a_list_of_a_season_is_known_after_it() -> None:
    assert known(PLAYER_AGES, "season", "2021-22", "2022-23", "2023-24", "2024-25", None) == ["2021-22", "2022-23"]


def test_a_result_is_known_from_the_next_day_on() -> None:
    assert known(PLAYER_BOXSCORES, "game_date", date(2024, 1, 19), DAY, date(2024, 1, 21)) == [date(2024, 1, 19)]


def test_a_capture_is_known_at_its_time_and_one_without_a_time_never() -> None:
    late = datetime(2024, 1, 21, 3, 0, 1, tzinfo=UTC)
    assert known(ROSTERS, "captured_at", CUTOFF, late, None) == [CUTOFF]


def test_a_statement_without_a_time_is_known_from_the_next_day_on() -> None:
    assert known(INJURIES, "report_date", date(2024, 1, 19), DAY) == [date(2024, 1, 19)]


def test_names_are_always_known() -> None:
    assert known(PLAYERS, "player_name", "A B") == ["A B"]
