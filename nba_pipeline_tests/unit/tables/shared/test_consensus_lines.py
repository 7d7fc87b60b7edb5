"""Lines as of the cut-off: of each book the quote in force, of all books the consensus, and nothing that came later."""

import math
import random
from collections.abc import Sequence
from functools import cache
from typing import Any

import ibis
import pyarrow as pa
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline.contracts.table import arrow_type
from nba_pipeline.tables.raw.player_prop_lines import PLAYER_PROP_LINES
from nba_pipeline.tables.shared import consensus_lines as lines
from nba_pipeline_tests.support import day, moment

Row = dict[str, Any]
DAY = day("2024-01-05")
CUTOFF = "2024-01-06 00:29"
GAME: Row = {"game_date": DAY, "game_id": "0022300500", "player_id": 7, "cutoff_at": CUTOFF}


def quote(line: float, first: str | None = "2024-01-05 18:00", last: str | None = None, **more: Any) -> Row:
    """A main quote of a sportsbook; times may be given as text."""
    known = {"game_date": DAY, "player_id": 7, "market": "points", "bookmaker": "dk", "book_kind": "sportsbook"}
    odds = {"over_odds": -110.0, "under_odds": -110.0, "line_kind": "main", "documented_pre_game": False}
    return known | odds | {"line": line, "captured_at": first, "last_seen_at": last} | more


QUOTES = {c: PLAYER_PROP_LINES.columns[c].type for c in PLAYER_PROP_LINES.columns}
GAMES = {"game_date": "date", "game_id": "string", "player_id": "int64", "cutoff_at": "timestamp('UTC')"}


@cache
def statement(name: str) -> str:
    quotes, games = relation(QUOTES, name="quotes"), relation(GAMES, name="games")
    return ibis.to_sql(getattr(lines, name)(quotes, games), dialect="duckdb")


def table(rows: Sequence[Row], types: dict[str, Any]) -> pa.Table:
    schema = pa.schema([(n, arrow_type(ibis.dtype(t))) for n, t in types.items()])
    moments = [n for n, t in types.items() if ibis.dtype(t).is_timestamp()]
    typed = [
        {n: r.get(n) for n in types} | {n: moment(r[n]) for n in moments if isinstance(r.get(n), str)} for r in rows
    ]
    return pa.Table.from_pylist(typed, schema)


def found(name: str, quotes: Sequence[Row], games: Sequence[Row] = (GAME,)) -> list[Row]:
    """Rows of a statement by book, since a statement promises no order."""
    with duck.connect() as db:
        db.register("quotes", table(quotes, QUOTES))
        db.register("games", table(games, GAMES))
        rows = db.execute(statement(name)).to_arrow_table().to_pylist()
    return sorted(rows, key=lambda row: str(row.get("bookmaker")))


def consensus(*quotes: Row) -> Row:
    (row,) = found("consensus", quotes)
    return row


def in_force(*quotes: Row) -> float:
    (row,) = found("in_force", quotes)
    return row["line"]


# --- the quote in force -----------------------------------------------------------------------------------------------


def test_the_latest_quote_before_the_cutoff_is_in_force() -> None:
    assert in_force(quote(20.5, "2024-01-05 12:00"), quote(21.5, "2024-01-05 20:00")) == 21.5


@pytest.mark.parametrize(("at", "counts"), [("2024-01-06 00:29", True), ("2024-01-06 00:30", False)])
def test_a_quote_at_the_cutoff_counts_a_later_one_never(at: str, counts: bool) -> None:
    assert in_force(quote(20.5, "2024-01-05 12:00"), quote(29.5, at)) == (29.5 if counts else 20.5)
    assert len(found("consensus", [quote(29.5, at)])) == counts


def test_a_quote_that_came_back_is_in_force_again() -> None:
    returned = quote(20.5, "2024-01-05 12:00", "2024-01-05 23:00")
    assert in_force(returned, quote(21.5, "2024-01-05 20:00", "2024-01-05 21:00")) == 20.5


def test_a_quote_seen_on_both_sides_of_the_cutoff_was_last_known_when_first_seen() -> None:
    (row,) = found("in_force", [quote(20.5, "2024-01-05 12:00", "2024-01-06 02:00")])
    assert row["known_at"] == moment("2024-01-05 12:00")


@pytest.mark.guard
@pytest.mark.parametrize("last_seen", ["2024-01-06 02:00", None])
def test_a_quote_that_was_gone_by_the_cutoff_gives_way_to_one_that_stood(last_seen: str | None) -> None:
    stands = quote(20.5, "2024-01-05 12:00", last_seen)
    gone = quote(21.5, "2024-01-05 20:00", "2024-01-05 21:00")
    assert in_force(stands, gone) == 20.5
    assert in_force(gone) == 21.5
    assert in_force(quote(19.5, None, documented_pre_game=True), gone) == 21.5


def test_of_quotes_known_at_one_time_the_most_balanced_is_in_force() -> None:
    lopsided = quote(18.5, over_odds=-300.0, under_odds=220.0)
    unpriced = quote(17.5, over_odds=None, under_odds=None)
    assert in_force(lopsided, quote(20.5), unpriced) == 20.5
    assert in_force(lopsided, unpriced) == 18.5


def test_alternates_are_never_the_line() -> None:
    assert found("consensus", [quote(30.5, line_kind="alternate")]) == []
    assert in_force(quote(20.5, "2024-01-05 12:00"), quote(30.5, line_kind="alternate")) == 20.5


def test_a_quote_of_unknown_time_counts_only_where_it_is_documented_as_pre_game() -> None:
    assert found("consensus", [quote(20.5, None)]) == []
    row = consensus(quote(20.5, None, documented_pre_game=True))
    assert (row["line"], row["opening_line"], row["captured_at"]) == (20.5, None, None)


def test_a_quote_of_known_time_goes_before_one_of_unknown_time() -> None:
    assert in_force(quote(25.5, None, documented_pre_game=True), quote(20.5)) == 20.5


def test_being_documented_as_pre_game_does_not_excuse_a_late_capture() -> None:
    assert found("consensus", [quote(20.5, "2024-01-06 00:45", documented_pre_game=True)]) == []


@pytest.mark.parametrize("name", ["in_force", "consensus"])
@pytest.mark.parametrize("book", ["dk", "caesars"])
def test_a_planted_close_that_is_kept_for_evaluation_moves_nothing(name: str, book: str) -> None:
    known = [quote(20.5), quote(21.5, bookmaker="fanduel")]
    close = {"documented_pre_game": True, "evaluation_only": True, "over_odds": 300.0, "under_odds": -400.0}
    assert found(name, [*known, quote(44.5, "2024-01-06 00:36", bookmaker=book, **close)]) == found(name, known)


def test_the_close_for_evaluation_is_the_latest_quote_of_its_book() -> None:
    known = [quote(20.5), quote(20.5, bookmaker="fanduel")]
    close: Row = {"documented_pre_game": True, "evaluation_only": True, "over_odds": 105.0, "under_odds": -125.0}
    (row,) = found("closing", [*known, quote(22.5, "2024-01-06 00:36", **close)])
    assert (row["line"], row["market_line"], row["captured_at"]) == (20.5, 21.5, moment("2024-01-06 00:36"))
    late = quote(22.5, "2024-01-06 00:36", documented_pre_game=True)
    assert found("closing", [*known, late]) == found("consensus", known)


def test_a_quote_that_its_book_was_seen_to_withdraw_is_not_in_force() -> None:
    withdrawn = quote(20.5, "2024-01-05 12:00", "2024-01-05 18:00", ended_at="2024-01-05 20:00")
    assert found("consensus", [withdrawn]) == []
    assert in_force(withdrawn | {"ended_at": "2024-01-06 00:45"}) == 20.5
    assert in_force(withdrawn, quote(22.5, "2024-01-05 20:00")) == 22.5


def test_of_a_quote_that_contradicts_itself_the_line_counts_and_no_price_does() -> None:
    twice = [quote(20.5, over_odds=o, under_odds=u, contradicted=True) for o, u in ((400.0, -129.0), (-112.0, 300.0))]
    row = consensus(*twice, quote(20.5, bookmaker="fd", over_odds=-105.0, under_odds=-115.0))
    assert (row["line"], row["books"]) == (20.5, 2)
    assert (row["best_over_odds"], row["best_under_odds"]) == (-105, -115)
    assert [r["over_odds"] for r in found("in_force", twice)] == [None]


@pytest.mark.parametrize("kind", ["unknown", "exchange", "aggregate"])
def test_an_exchange_and_a_book_that_nobody_declared_take_part_in_nothing(kind: str) -> None:
    stranger = quote(30.5, bookmaker="x", book_kind=kind, over_odds=900.0, under_odds=900.0)
    assert found("in_force", [stranger]) == []
    row = consensus(stranger, quote(20.5))
    assert (row["line"], row["books"], row["best_over_odds"]) == (20.5, 1, -110)


# --- the consensus ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quoted", "line"),
    [([20.5], 20.5), ([20.5, 21.5], 20.5), ([20.5, 21.0], 20.5), ([20, 21, 30], 21.0), ([20.5] * 4, 20.5)],
)
def test_the_line_is_the_lower_middle_one_that_a_book_quotes(quoted: list[float], line: float) -> None:
    row = consensus(*[quote(q, bookmaker=f"b{n}") for n, q in enumerate(quoted)])
    assert (row["line"], row["books"]) == (line, len(quoted))


def test_books_with_the_prices_of_one_supplier_have_one_vote() -> None:
    row = consensus(
        quote(22.5, bookmaker="betrivers"),
        quote(22.5, bookmaker="unibet_us"),
        quote(20.5, bookmaker="b1"),
        quote(20.5, bookmaker="b2"),
    )
    assert (row["line"], row["books"]) == (20.5, 3)


def test_every_book_has_one_vote_however_often_it_moved() -> None:
    moved = [quote(20.5 + n, f"2024-01-05 1{n}:00") for n in range(5)]
    row = consensus(*moved, quote(20.5, bookmaker="fd"), quote(20.5, bookmaker="mgm"))
    assert (row["line"], row["books"]) == (20.5, 3)


def test_the_opening_line_is_the_lower_middle_of_the_first_quotes() -> None:
    row = consensus(
        quote(20.5, "2024-01-05 10:00"),
        quote(24.5, "2024-01-05 20:00"),
        quote(22.5, "2024-01-05 11:00", bookmaker="fd"),
    )
    assert (row["opening_line"], row["line"]) == (20.5, 22.5)
    assert row["captured_at"] == moment("2024-01-05 20:00")


def test_dfs_operators_stand_in_only_where_no_sportsbook_quotes() -> None:
    dfs = quote(30.5, "2024-01-05 23:00", bookmaker="prizepicks", book_kind="dfs")
    assert consensus(dfs)["line_source"] == "dfs"
    row = consensus(dfs, quote(20.5))
    assert (row["line"], row["books"], row["line_source"]) == (20.5, 1, "sportsbook")


def test_the_markets_opinion_is_the_mean_over_suppliers_of_lines_and_of_probabilities_without_margin() -> None:
    row = consensus(
        quote(20.5, bookmaker="betrivers", over_odds=-150.0, under_odds=120.0),
        quote(20.5, bookmaker="unibet_us", over_odds=-150.0, under_odds=120.0),
        quote(22.5, bookmaker="fd", over_odds=-110.0, under_odds=-110.0),
    )
    logit = math.log((150 / 250) / (100 / 220))
    assert row["market_line"] == 21.5
    assert row["market_over"] == pytest.approx(1 / (1 + math.exp(-logit / 2)), abs=1e-6)


@pytest.mark.parametrize(
    "unpriced",
    [
        {"over_odds": None, "under_odds": None},
        {"over_odds": -110.0, "under_odds": None},
        {"over_odds": 300.0, "under_odds": 300.0},
        {"over_odds": -137.0, "under_odds": -137.0, "book_kind": "dfs"},
    ],
)
def test_half_prices_impossible_pairs_and_pickem_placeholders_are_no_opinion_on_the_probability(unpriced: dict) -> None:
    row = consensus(quote(20.5, **unpriced))
    assert (row["market_line"], row["market_over"]) == (20.5, None)


SWAPPED = {"bookmaker": "betrivers", "over_odds": 175.0, "under_odds": -220.0}
SOUND = [
    quote(1.5, bookmaker=book, over_odds=over, under_odds=under)
    for book, over, under in (("dk", -220.0, 175.0), ("fd", -205.0, 165.0), ("mgm", -230.0, 180.0))
]


@pytest.mark.guard
def test_a_price_that_contradicts_the_other_books_at_its_line_is_no_opinion_and_no_best_price() -> None:
    """Three books make the over the favourite, one the under: its sides are mixed up, and nobody can have had its price."""
    assert consensus(*SOUND, quote(1.5, **SWAPPED)) == consensus(*SOUND) | {"books": 4}


@pytest.mark.guard
def test_the_markets_chance_holds_at_the_mean_line_of_the_prices_that_state_it() -> None:
    """Two books contradict each other at 2.5: their lines count for the consensus, and not for where the others' prices hold."""
    swapped = quote(2.5, bookmaker="betrivers", over_odds=-175.0, under_odds=140.0)
    contradicted = quote(2.5, bookmaker="espn", over_odds=150.0, under_odds=-190.0)
    unpriced = quote(3.5, bookmaker="bovada", over_odds=None, under_odds=None)
    row = consensus(*SOUND, swapped, contradicted, unpriced)
    assert (row["market_line"], row["books"]) == (1.5, 6)
    assert row["market_over"] == pytest.approx(consensus(*SOUND)["market_over"])


def test_a_price_that_pays_a_little_more_than_the_others_counts() -> None:
    row = consensus(*SOUND, quote(1.5, bookmaker="bovada", over_odds=-180.0, under_odds=145.0))
    assert row["best_over_odds"] == -180.0


def test_two_suppliers_that_contradict_each_other_are_both_no_opinion() -> None:
    row = consensus(SOUND[0], quote(1.5, **SWAPPED))
    assert (row["line"], row["market_over"], row["best_over_odds"]) == (1.5, None, None)


@pytest.mark.guard
def test_books_of_one_supplier_do_not_outvote_two_others() -> None:
    row = consensus(*SOUND[:2], quote(1.5, **SWAPPED), quote(1.5, **SWAPPED | {"bookmaker": "unibet_us"}))
    assert row["market_over"] == pytest.approx(consensus(*SOUND[:2])["market_over"])


def test_a_price_at_a_line_of_its_own_is_contradicted_by_nobody() -> None:
    row = consensus(*SOUND, quote(2.5, **SWAPPED))
    assert row["market_over"] < consensus(*SOUND)["market_over"]


def test_prices_that_imply_less_than_1_together_are_no_best_price() -> None:
    row = consensus(quote(20.5), quote(20.5, bookmaker="fd", over_odds=120.0, under_odds=110.0))
    assert (row["best_over_odds"], row["best_under_odds"]) == (-110.0, -110.0)


def test_players_markets_and_days_do_not_mix() -> None:
    quotes = [
        quote(20.5),
        quote(5.5, market="assists"),
        quote(30.5, player_id=8),
        quote(40.5, game_date=day("2024-01-06")),
    ]
    rows = found("consensus", quotes, [GAME, GAME | {"player_id": 8}])
    assert sorted((r["player_id"], r["market"], r["line"]) for r in rows) == [
        (7, "assists", 5.5),
        (7, "points", 20.5),
        (8, "points", 30.5),
    ]


def test_unresolved_players_have_no_line_and_disturb_nobody() -> None:
    assert consensus(quote(20.5), quote(99.5, player_id=None, bookmaker="x"))["line"] == 20.5


def test_the_order_of_the_quotes_changes_nothing() -> None:
    quotes = [quote(20 + n / 2, f"2024-01-05 1{n}:00", bookmaker=f"b{n % 3}") for n in range(9)]
    quotes += [
        quote(18.5, over_odds=-300.0, bookmaker="b1"),
        quote(18.5, None, bookmaker="b5", documented_pre_game=True),
    ]
    once = consensus(*quotes)
    for seed in range(4):
        assert consensus(*random.Random(seed).sample(quotes, len(quotes))) == once


def test_break_even_probability_of_american_odds() -> None:
    with duck.connect() as db:
        sql = ibis.to_sql(
            ibis.array([lines.implied_probability(ibis.literal(o)) for o in (-110.0, 120.0, 100.0, -100.0)])
        )
        (values,) = db.execute(str(sql)).fetchone() or ((),)
    assert list(values) == pytest.approx([110 / 210, 100 / 220, 0.5, 0.5])


# --- prices and markets beside each other -------------------------------------------------------------------------------


def test_the_best_price_of_each_side_is_of_sportsbooks_at_the_consensus_line() -> None:
    row = consensus(
        quote(20.5, over_odds=-115.0, under_odds=-105.0),
        quote(20.5, bookmaker="fd", over_odds=102.0, under_odds=-125.0),
        quote(20.5, bookmaker="mgm", over_odds=None, under_odds=None),
        quote(21.5, bookmaker="far", over_odds=150.0, under_odds=-190.0),
        quote(20.5, bookmaker="prizepicks", book_kind="dfs", over_odds=500.0, under_odds=500.0),
    )
    assert (row["line"], row["best_over_odds"], row["best_under_odds"]) == (20.5, 102, -105)


def test_lines_without_prices_have_no_best_price() -> None:
    row = consensus(quote(20.5, over_odds=None, under_odds=None))
    assert (row["line"], row["best_over_odds"], row["best_under_odds"]) == (20.5, None, None)


def test_markets_stand_side_by_side_in_one_row_of_the_player() -> None:
    quotes, games = relation(QUOTES, name="quotes"), relation(GAMES, name="games")
    wide = lines.side_by_side(lines.consensus(quotes, games), ("line", "books"), ("points", "assists", "threes"))
    other = GAME | {"player_id": 8}
    given = [quote(20.5), quote(5.5, market="assists"), quote(9.5, player_id=8)]
    with duck.connect() as db:
        db.register("quotes", table(given, QUOTES))
        db.register("games", table([GAME, other], GAMES))
        rows = db.execute(ibis.to_sql(wide, dialect="duckdb")).to_arrow_table().sort_by("player_id").to_pylist()
    shown = [(r["player_id"], r["line_points"], r["line_assists"], r["line_threes"], r["books_assists"]) for r in rows]
    assert shown == [(7, 20.5, 5.5, None, 1), (8, 9.5, None, None, None)]


def test_a_quote_counts_for_its_game_and_for_no_other_of_the_day() -> None:
    here, other = {"game_id": GAME["game_id"]}, {"game_id": "0022300501"}
    assert found("in_force", [quote(21.5, **other)]) == []
    assert [q["line"] for q in found("in_force", [quote(21.5, **other), quote(24.5, **here)])] == [24.5]


def test_a_quote_whose_game_is_not_resolved_counts_for_the_players_game_of_the_day() -> None:
    assert [q["line"] for q in found("in_force", [quote(21.5, game_id=None)])] == [21.5]
