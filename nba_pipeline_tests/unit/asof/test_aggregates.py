"""The as-of reader: every aggregate against a brute-force oracle, and that nothing on or after the day reaches a row."""

import math
import random
import statistics
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import date, timedelta
from functools import cache
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_pipeline import asof
from nba_pipeline.asof.aggregates import Aggregate
from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.ibis_relations import relation

Row = dict[str, Any]

AGGREGATES: Mapping[str, Aggregate] = {
    "mean_all": asof.mean("points"),
    "mean_last_3": asof.mean("points", last=3, at_least=2),
    "mean_7_days": asof.mean("minutes", days=7),
    "mean_5_days_of_2": asof.mean("points", days=5, at_least=2),
    "std_all": asof.std("points"),
    "std_last_4": asof.std("minutes", last=4, at_least=3),
    "total_all": asof.total("points"),
    "total_last_2": asof.total("minutes", last=2),
    "total_5_days": asof.total("minutes", days=5),
    "games": asof.count(),
    "games_last_3": asof.count(last=3),
    "known_last_4": asof.count("points", last=4),
    "games_7_days": asof.count(days=7),
    "known_14_days": asof.count("minutes", days=14),
    "ratio_all": asof.ratio("points", "minutes"),
    "ratio_last_4": asof.ratio("points", "minutes", last=4, at_least=2),
    "ratio_10_days": asof.ratio("minutes", "points", days=10),
    "latest": asof.latest("points"),
    "ewma_points": asof.ewma("points", half_life=8, at_least=2),
    "ewma_minutes": asof.ewma("minutes", half_life=6),
    "highest_last_3": asof.highest("points", last=3),
}
TYPES = {"season": "string", "player_id": "int64", "game_date": "date"}
FACTS = TYPES | {"points": "int64", "minutes": "float64"}
TARGETS = {"place": "int64", **TYPES}
ARROW = {"string": pa.string(), "int64": pa.int64(), "date": pa.date32(), "float64": pa.float64()}
START = date(2024, 1, 1)


@cache
def statement(
    by: tuple[str, ...] = ("player_id",),
    within: tuple[str, ...] = ("season",),
    *,
    one_day: bool = False,
    past: bool = False,
) -> str:
    targets, facts = relation(TARGETS, name="targets"), relation(FACTS, name="facts")
    with asof.for_one_day() if one_day else nullcontext():
        return ibis.to_sql(asof.attach(targets, facts, AGGREGATES, by=by, within=within, past=past), dialect="duckdb")


def attached(targets: Sequence[Row], facts: Sequence[Row], **how: tuple[str, ...]) -> list[Row]:
    """The targets with all aggregates, in the order of `targets`: by both statements the same, bit by bit."""
    found = executed(statement(**how), targets, facts)
    assert executed(statement(**how, one_day=True), targets, facts) == found
    return found


def executed(sql: str, targets: Sequence[Row], facts: Sequence[Row]) -> list[Row]:
    numbered = [t | {"place": i} for i, t in enumerate(targets)]
    with duck.connect() as db:
        for name, rows, types in (("targets", numbered, TARGETS), ("facts", facts, FACTS)):
            schema = pa.schema([(n, ARROW[t]) for n, t in types.items()])
            db.register(name, pa.Table.from_pylist([{c: r.get(c) for c in types} for r in rows], schema))
        found = db.execute(sql).to_arrow_table().to_pylist()
    return sorted(found, key=lambda r: r.get("place", 0))


def values(row: Row) -> Row:
    return {n: row[n] for n in AGGREGATES}


def fact(days: int, points: int | None = 10, minutes: float | None = 30.0, player: int = 7, season: str = "s1") -> Row:
    when = START + timedelta(days=days)
    return {"season": season, "player_id": player, "game_date": when, "points": points, "minutes": minutes}


def target(days: int, player: int = 7, season: str = "s1") -> Row:
    return {"season": season, "player_id": player, "game_date": START + timedelta(days=days)}


# --- the oracle -------------------------------------------------------------------------------------------------------


def brute_force(a: Aggregate, on: date, history: list[Row]) -> Any:
    """The aggregate by the words of its docstring; `history` is in order of time."""
    seen = history
    if a.days is not None:
        seen = [f for f in history if on - timedelta(days=a.days) <= f["game_date"] <= on - timedelta(days=1)]
    if a.last is not None:
        seen = history[-a.last :]
    known = [f[a.column] for f in seen if a.column and f[a.column] is not None]
    if a.how == "count":
        return len(known) if a.column else len(seen)
    if a.how == "latest":
        return seen[-1][a.column] if seen else None
    if a.how == "total":
        return sum(known) if known else None
    if a.how == "highest":
        return max(known) if known else None
    if a.how == "ratio":
        both = [f for f in seen if f[a.column] is not None and f[a.over] is not None]
        under = sum(f[a.over] for f in both)
        return sum(f[a.column] for f in both) / under if len(both) >= a.at_least and under else None
    if len(known) < a.at_least:
        return None
    if a.how == "mean":
        return statistics.fmean(known)
    if a.how == "std":
        return statistics.stdev(known)
    weights = [0.5 ** ((len(seen) - 1 - i) / a.half_life) for i, f in enumerate(seen) if f[a.column] is not None]
    return sum(w * v for w, v in zip(weights, known, strict=True)) / sum(weights)


def agrees(a: Aggregate, got: Any, wanted: Any) -> bool:
    if wanted is None or got is None:
        return got is None and wanted is None
    return math.isclose(got, wanted, rel_tol=1e-5 if a.how == "ewma" else 1e-9, abs_tol=1e-7)


@st.composite
def histories(draw: st.DrawFn) -> list[Row]:
    """Facts of three players in two seasons, at most one a day each; values may be unknown."""
    facts = []
    for player in (7, 8, 9):
        days = draw(st.lists(st.integers(0, 40), unique=True, max_size=14))
        for d in days:
            points = draw(st.none() | st.integers(0, 60))
            minutes = draw(st.none() | st.integers(0, 48_000).map(lambda n: n / 1000))
            facts.append(fact(d, points, minutes, player, "s1" if d < 22 else "s2"))
    return facts


TARGET_ROWS = [target(d, p, s) for d in range(0, 44, 3) for p in (7, 8, 9, 10) for s in ("s1", "s2")]


@settings(max_examples=15, deadline=None)
@given(histories())
def test_every_aggregate_is_what_its_docstring_says(facts: list[Row]) -> None:
    for row in attached(TARGET_ROWS, facts):
        history = sorted(
            (
                f
                for f in facts
                if (f["player_id"], f["season"]) == (row["player_id"], row["season"])
                and f["game_date"] < row["game_date"]
            ),
            key=lambda f: f["game_date"],
        )
        for name, a in AGGREGATES.items():
            wanted = brute_force(a, row["game_date"], history)
            assert agrees(a, row[name], wanted), (name, row["game_date"], row[name], wanted, history)


def test_only_targets_of_the_day_have_a_statement_for_one_day() -> None:
    assert statement(one_day=True) != statement()
    assert statement(one_day=True, past=True) == statement()


# --- strictly before --------------------------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(histories(), st.integers(1, 41))
def test_facts_on_or_after_the_day_never_change_a_row(facts: list[Row], cut: int) -> None:
    on = START + timedelta(days=cut)
    rows = [target(cut, p, s) for p in (7, 8, 9) for s in ("s1", "s2")]
    absurd = [f | {"points": 10**5, "minutes": -1e5} if f["game_date"] >= on else f for f in facts]
    today = [fact(cut, -999, 1e5, p, s) for p in (7, 8, 9) for s in ("s1", "s2")]
    past = [f for f in facts if f["game_date"] < on]
    planted = [f for f in absurd if f["game_date"] != on] + today
    assert [values(r) for r in attached(rows, planted)] == [values(r) for r in attached(rows, past)]


def test_the_oracle_would_notice_a_fact_of_the_day_itself() -> None:
    past = [fact(1, 10), fact(2, 20)]
    assert brute_force(AGGREGATES["mean_all"], START + timedelta(days=3), past) == 15
    assert brute_force(AGGREGATES["mean_all"], START + timedelta(days=3), [*past, fact(3, 90)]) == 40
    (row,) = attached([target(3)], [*past, fact(3, 90), fact(4, 90)])
    assert (row["mean_all"], row["games"], row["latest"]) == (15, 2, 20)


# --- one answer -------------------------------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_shuffled_facts_and_targets_give_identical_bits(facts: list[Row], chance: random.Random) -> None:
    once = attached(TARGET_ROWS, facts)
    order = list(range(len(TARGET_ROWS)))
    chance.shuffle(order)
    mixed = list(facts)
    chance.shuffle(mixed)
    again = attached([TARGET_ROWS[i] for i in order], mixed)
    assert [values(again[order.index(i)]) for i in range(len(order))] == [values(r) for r in once]


@settings(max_examples=15, deadline=None)
@given(histories(), st.integers(0, 43))
def test_a_day_computed_alone_equals_its_slice_of_a_range(facts: list[Row], d: int) -> None:
    everything = [target(n, p, s) for n in range(44) for p in (7, 8) for s in ("s1", "s2")]
    alone = [r for r in everything if r["game_date"] == START + timedelta(days=d)]
    in_range = [r for r in attached(everything, facts) if r["game_date"] == START + timedelta(days=d)]
    assert [values(r) for r in attached(alone, facts)] == [values(r) for r in in_range]


# --- windows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ago", range(1, 10))
def test_a_calendar_window_of_7_days_is_day_minus_7_to_day_minus_1(ago: int) -> None:
    (row,) = attached([target(20)], [fact(20 - ago)])
    assert row["games_7_days"] == (1 if 1 <= ago <= 7 else 0)
    assert row["games"] == 1


def test_windows_do_not_cross_seasons() -> None:
    facts = [fact(0, 50, season="s1"), fact(1, 50, season="s1"), fact(3, 10, season="s2")]
    first, second = attached([target(2, season="s2"), target(4, season="s2")], facts)
    assert (first["games"], first["mean_all"], first["games_7_days"], first["latest"]) == (0, None, 0, None)
    assert (second["games"], second["mean_all"], second["games_7_days"]) == (1, 10, 1)


def test_windows_cross_seasons_only_where_told() -> None:
    facts = [fact(0, 50, season="s1"), fact(3, 10, season="s2")]
    (row,) = attached([target(4, season="s2")], facts, within=())
    assert (row["games"], row["mean_all"]) == (2, 30)


def test_the_whole_league_is_one_entity_without_a_key() -> None:
    facts = [fact(0, 10, player=1), fact(1, 20, player=2), fact(2, 90, player=3)]
    (row,) = attached([target(2)], facts, by=())
    assert (row["games"], row["mean_all"]) == (2, 15)


def test_the_whole_league_in_all_seasons_is_one_entity_where_told() -> None:
    facts = [fact(0, 10, player=1, season="s1"), fact(1, 20, player=2, season="s2"), fact(2, 90, player=3)]
    (row,) = attached([target(2, season="s2")], facts, by=(), within=())
    assert (row["games"], row["mean_all"], row["games_7_days"], row["latest"]) == (2, 15, 2, 20)


def test_entities_do_not_see_each_other() -> None:
    ours, theirs, nobody = attached([target(5, 7), target(5, 8), target(5, 99)], [fact(1, 10), fact(2, 30, player=8)])
    assert (ours["mean_all"], theirs["mean_all"], nobody["mean_all"]) == (10, 30, None)


# --- rows -------------------------------------------------------------------------------------------------------------


def test_targets_without_history_stay_with_counts_of_0_and_nothing_else() -> None:
    (row,) = attached([target(5)], [])
    counts = {n for n, a in AGGREGATES.items() if a.how == "count"}
    assert {n for n in AGGREGATES if row[n] == 0} == counts
    assert all(row[n] is None for n in AGGREGATES if n not in counts)


def test_every_target_row_stays_exactly_once_duplicates_too() -> None:
    rows = [target(5), target(5), target(6), target(5, 8), target(7, 99)]
    found = attached(rows, [fact(1, 10), fact(2, 20)])
    assert [r["place"] for r in found] == [0, 1, 2, 3, 4]
    assert values(found[0]) == values(found[1])


def test_a_target_whose_entity_is_unknown_stays_without_history() -> None:
    (row,) = attached([target(5) | {"player_id": None}], [fact(1), fact(2) | {"player_id": None}])
    assert (row["games"], row["mean_all"]) == (0, None)


def test_a_target_whose_season_is_unknown_stays_without_history_with_and_without_a_key() -> None:
    for by in (("player_id",), ()):
        (row,) = attached([target(5) | {"season": None}], [fact(1) | {"season": None}], by=by)
        assert (row["games"], row["games_7_days"], row["mean_7_days"]) == (0, 0, None)


def test_an_empty_slate_gives_an_empty_table() -> None:
    assert attached([], [fact(1)]) == []


def test_zero_is_a_value_and_unknown_is_none() -> None:
    facts = [fact(0, 0, 0.0), fact(1, None, None)]
    (row,) = attached([target(2)], facts)
    assert (row["games"], row["known_last_4"], row["mean_all"], row["total_all"], row["highest_last_3"]) == (
        2,
        1,
        0,
        0,
        0,
    )
    assert row["latest"] is None
    assert row["ratio_all"] is None


@pytest.mark.parametrize("days", [0, -7])
def test_a_window_without_a_day_or_a_fact_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match=f"the last {days} days are none"):
        asof.total("points", days=days)
    with pytest.raises(ValueError, match=f"the last {days} facts are none"):
        asof.total("points", last=days)


@pytest.mark.parametrize("how", ["std", "latest", "ewma", "highest"])
def test_an_aggregate_that_has_no_windows_of_days_is_refused_with_one(how: Any) -> None:
    with pytest.raises(ValueError, match=f"{how} has no windows of days"):
        asof.Aggregate(how, "points", days=7)


def test_a_window_of_facts_and_of_days_at_once_is_refused() -> None:
    with pytest.raises(ValueError, match="not both"):
        asof.mean("points", last=5, days=7)


def test_a_half_life_whose_weights_would_overflow_in_a_season_is_refused() -> None:
    with pytest.raises(ValueError, match="half-life of 3"):
        asof.ewma("minutes", half_life=3)


@pytest.mark.parametrize("half_life", [8.0, 6.0])
def test_ewma_lasts_a_whole_season(half_life: float) -> None:
    facts = [fact(n, 60, 48.0) for n in range(110)]
    tables = relation(TARGETS, name="targets"), relation(FACTS, name="facts")
    form = {"form": asof.ewma("minutes", half_life=half_life)}
    sql = ibis.to_sql(asof.attach(*tables, form, by=("player_id",)), dialect="duckdb")
    assert executed(sql, [target(200)], facts)[0]["form"] == pytest.approx(48)


# --- the latest earlier facts themselves ------------------------------------------------------------------------------


@cache
def pairs_statement(last: int) -> str:
    targets, facts = relation(TARGETS, name="targets"), relation(FACTS, name="facts")
    return ibis.to_sql(asof.earlier_facts(targets, facts, last=last, by=("player_id",)), dialect="duckdb")


def earlier(targets: Sequence[Row], facts: Sequence[Row], last: int) -> list[Row]:
    order = ("season", "player_id", "game_date", "facts_ago")
    return sorted(executed(pairs_statement(last), targets, facts), key=lambda r: tuple(r[c] for c in order))


@settings(max_examples=15, deadline=None)
@given(histories(), st.integers(1, 5))
def test_the_earlier_facts_of_a_target_are_its_entitys_latest_ones_of_strictly_earlier_days(
    facts: list[Row], last: int
) -> None:
    wanted = []
    for t in TARGET_ROWS:
        of_entity = [f for f in facts if (f["player_id"], f["season"]) == (t["player_id"], t["season"])]
        past = sorted((f for f in of_entity if f["game_date"] < t["game_date"]), key=lambda f: f["game_date"])
        for ago, f in enumerate(reversed(past[-last:]), 1):
            seen = {f"past_{c}": f[c] for c in ("game_date", "points", "minutes")}
            wanted.append(t | {"facts_ago": ago} | seen)
    order = ("season", "player_id", "game_date", "facts_ago")
    assert earlier(TARGET_ROWS, facts, last) == sorted(wanted, key=lambda r: tuple(r[c] for c in order))


@settings(max_examples=10, deadline=None)
@given(histories(), st.integers(1, 41))
def test_facts_on_or_after_the_day_are_never_among_the_earlier_ones(facts: list[Row], cut: int) -> None:
    on = START + timedelta(days=cut)
    rows = [target(cut, p, s) for p in (7, 8, 9) for s in ("s1", "s2")]
    past = [f for f in facts if f["game_date"] < on]
    planted = past + [fact(cut + n, -999, 1e5, p, s) for n in (0, 1) for p in (7, 8, 9) for s in ("s1", "s2")]
    assert earlier(rows, planted, 4) == earlier(rows, past, 4)


def test_a_target_is_paired_once_however_often_it_stands_there_and_not_at_all_without_a_past() -> None:
    found = earlier([target(5), target(5), target(5, 99)], [fact(1, 10), fact(2, 20), fact(5, 90)], 9)
    assert [(r["player_id"], r["facts_ago"], r["past_points"]) for r in found] == [(7, 1, 20), (7, 2, 10)]


def test_no_earlier_facts_at_all_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="at least one"):
        pairs_statement(0)
