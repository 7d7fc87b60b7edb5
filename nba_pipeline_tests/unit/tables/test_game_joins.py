"""A game that moves to another day has one id on two days: what is joined by game is joined by day too."""

from collections.abc import Iterator
from typing import Any

import ibis
import ibis.expr.operations as ops
import pytest

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline.tables.catalog import CATALOG

DAYS = {"game_date", "report_date", "day"}
# The schedule looks for the other days of its games.
ACROSS_DAYS = {"nba_raw.schedule"}


def joined_columns(expression: ir.Table) -> Iterator[set[str]]:
    """Yield the columns that each join of an expression holds equal."""
    for link in expression.op().find(ops.JoinLink):
        yield {side.name for p in link.predicates for side in sides(p)}


def sides(predicate: Any) -> list[ops.Field]:
    if not isinstance(predicate, ops.Equals):
        return []
    return [s for s in (predicate.left, predicate.right) if isinstance(s, ops.Field)]


def grouped_columns(expression: ir.Table) -> Iterator[set[str]]:
    """Yield the columns of each group and of each window of an expression."""
    for aggregate in expression.op().find(ops.Aggregate):
        yield {*aggregate.groups}
    for window in expression.op().find(ops.WindowFunction):
        yield {key.name for key in window.group_by}


def without_day(expression: ir.Table) -> list[set[str]]:
    """List the joins, groups and windows by game that do not hold the day equal."""
    columns = (*joined_columns(expression), *grouped_columns(expression))
    return [c for c in columns if "game_id" in c and not c & DAYS]


@pytest.mark.parametrize("name", sorted(set(CATALOG) - ACROSS_DAYS))
def test_what_is_joined_or_grouped_by_game_is_so_by_day_too(name: str) -> None:
    assert [columns for e in CATALOG[name].expressions for columns in without_day(e)] == []


@pytest.mark.parametrize("name", sorted(ACROSS_DAYS))
def test_no_table_is_exempted_without_need(name: str) -> None:
    assert any(without_day(e) for e in CATALOG[name].expressions)


def test_a_join_by_game_alone_is_found() -> None:
    facts = relation({"game_id": "string", "game_date": "date", "points": "int64"}, name="facts")
    games = relation({"game_id": "string", "game_date": "date"}, name="games")
    assert without_day(facts.inner_join(games, "game_id")) == [{"game_id"}]
    assert without_day(facts.semi_join(games, "game_id")) == [{"game_id"}]
    assert without_day(facts.inner_join(games, ["game_id", "game_date"])) == []


def test_a_group_by_game_alone_is_found() -> None:
    facts = relation({"game_id": "string", "game_date": "date", "points": "int64"}, name="facts")
    assert without_day(facts.group_by("game_id").aggregate(facts.points.sum())) == [{"game_id"}]
    assert without_day(facts.group_by("game_id", "game_date").aggregate(facts.points.sum())) == []


def test_a_window_by_game_alone_is_found() -> None:
    facts = relation({"game_id": "string", "game_date": "date", "points": "int64"}, name="facts")
    of_game, of_both = ibis.window(group_by=facts.game_id), ibis.window(group_by=[facts.game_id, facts.game_date])
    assert without_day(facts.mutate(most=facts.points.max().over(of_game))) == [{"game_id"}]
    assert without_day(facts.filter(facts.points == facts.points.max().over(of_game))) == [{"game_id"}]
    assert without_day(facts.mutate(most=facts.points.max().over(of_both))) == []
