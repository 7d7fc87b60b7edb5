"""The market's chance at a line is that of the books which quote it, when the forecast was made and at the close."""

from typing import Any

import pyarrow as pa
import pytest

from nba_pipeline.cli.market_chances import QUOTED, ROWS_FROM, chances_at_lines
from nba_pipeline.contracts.table import arrow_type
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline_tests.support import day, moment

DAY = day("2024-01-05")
QUOTE: dict[str, Any] = {
    "game_date": DAY,
    "game_id": "0022300500",
    "player_id": 7,
    "market": "points",
    "line_kind": "main",
    "bookmaker": "dk",
    "book_kind": "sportsbook",
    "line": 20.5,
    "over_odds": -150.0,
    "under_odds": 120.0,
    "captured_at": moment("2024-01-05 20:00"),
    "documented_pre_game": False,
    "contradicted": False,
}
ROW = dict(zip(ROWS_FROM, (DAY, "0022300500", 7, "points", 20.5, moment("2024-01-06 00:29")), strict=True))
WITHOUT_MARGIN = 0.6 / (0.6 + 100 / 220)


def chances(*quotes: dict[str, Any]) -> list[tuple[float, float]]:
    schema = pa.schema([(c, arrow_type(PLAYER_PROP_LINES.ibis_schema[c])) for c in QUOTED])
    typed = pa.Table.from_pylist([{c: q.get(c) for c in QUOTED} for q in quotes], schema)
    found = chances_at_lines(typed, pa.Table.from_pylist([ROW]))
    return list(zip(found["market_over"], found["close_over"], strict=True))


def test_books_that_quote_the_line_state_its_chance_without_their_margin() -> None:
    elsewhere = QUOTE | {"bookmaker": "fd", "line": 21.5, "over_odds": 110.0, "under_odds": -130.0}
    assert chances(QUOTE, elsewhere) == [pytest.approx((WITHOUT_MARGIN, WITHOUT_MARGIN), abs=1e-6)]


def test_a_price_that_contradicts_the_other_books_states_no_chance() -> None:
    agreeing = [QUOTE, QUOTE | {"bookmaker": "fd"}, QUOTE | {"bookmaker": "mgm"}]
    swapped = QUOTE | {"bookmaker": "betrivers", "over_odds": 145.0, "under_odds": -175.0}
    assert chances(*agreeing, swapped) == [pytest.approx((WITHOUT_MARGIN, WITHOUT_MARGIN), abs=1e-6)]


def test_the_close_reads_the_quotes_that_are_kept_for_evaluation() -> None:
    close = {"captured_at": moment("2024-01-06 00:36"), "documented_pre_game": True, "evaluation_only": True}
    even = {"over_odds": -110.0, "under_odds": -110.0}
    assert chances(QUOTE, QUOTE | close | even) == [pytest.approx((WITHOUT_MARGIN, 0.5), abs=1e-6)]


@pytest.mark.parametrize("book", [{"book_kind": "dfs", "bookmaker": "prizepicks"}, {"line": 21.5}, {"over_odds": None}])
def test_a_line_that_no_sportsbook_prices_has_no_chance(book: dict[str, Any]) -> None:
    assert chances(QUOTE | book) == []
