"""Automation believes no schedule that has no games where other records have some."""

from typing import Any

import pytest

from nba_pipeline.automation.game_slate import believed_slate, slate
from nba_pipeline.common.errors import SourceError
from nba_pipeline_tests.support import HandMadeSource
from nba_pipeline_tests.support.feed_days import MONDAY, TUESDAY, Row, game


def source(*rows: Row) -> HandMadeSource:
    return HandMadeSource({"schedule": list(rows)})


def test_a_day_without_games_is_believed_where_nothing_speaks_for_some() -> None:
    assert believed_slate(source(game(1, MONDAY)), [TUESDAY], {}) == {TUESDAY: []}


@pytest.mark.parametrize("rows", [[], [game(1, TUESDAY)], [game(1, MONDAY, game_id="0012300001")]])
def test_an_empty_day_that_had_games_when_it_was_published_is_not_believed(rows: list[Row]) -> None:
    with pytest.raises(SourceError, match="the source lists no game on 2024-01-08, for which games are known"):
        believed_slate(source(*rows), [MONDAY], {MONDAY: 1})


@pytest.mark.parametrize("number", ["22300001", "22300001.0", None, "game 1"])
def test_an_empty_day_with_rows_of_unreadable_ids_is_not_believed(number: Any) -> None:
    with pytest.raises(SourceError, match="rows whose game id cannot be read"):
        believed_slate(source(game(1, MONDAY, game_id=number)), [MONDAY], {})


@pytest.mark.parametrize("words", ["Postponed", "PPD", "Cancelled", "Not Necessary"])
def test_a_day_whose_games_are_called_off_is_believed_to_be_empty(words: str) -> None:
    off = source(game(1, MONDAY, played=False, status=words))
    assert believed_slate(off, [MONDAY], {MONDAY: 1}) == {MONDAY: []}


@pytest.mark.parametrize("words", ["Suspended", "Moved", "TBD", None])
def test_a_game_that_may_be_played_is_on_the_slate(words: str | None) -> None:
    (listed,) = slate(source(game(1, MONDAY, played=False, status=words)), [MONDAY])[MONDAY]
    assert (listed.game_id, listed.final) == ("0022300001", False)
