"""Steps compute the same rows as the expression that they were cut from, by statements that stay small."""

import ibis
import pyarrow as pa
import pytest

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import relation, union
from nba_pipeline.common.ibis_sql import to_sql
from nba_pipeline.engine.lineage import touched_columns
from nba_pipeline.engine.steps import DEPTH, in_steps

GAMES = relation({"player": "int64", "day": "int64", "points": "int64"}, name="games")
ROWS = pa.table({"player": [1, 1, 2, 2, 2], "day": [1, 2, 1, 2, 3], "points": [10, 30, None, 7, 9]})


def deep(levels: int) -> ir.Table:
    """A chain of windows, each over the one before it and joined to the games again."""
    rows = GAMES
    for _ in range(levels):
        before = ibis.window(group_by=rows.player, order_by=rows.day, preceding=1, following=0)
        summed = rows.mutate(points=rows.points.sum().over(before) % 1000)
        again = GAMES.select(other=GAMES.player, on_day=GAMES.day)
        rows = summed.inner_join(again, [summed.player == again.other, summed.day == again.on_day]).select(summed)
    return rows


def long(levels: int) -> ir.Table:
    """A chain of sums, each of many terms over the one before it."""
    rows = GAMES
    for _ in range(levels):
        rows = rows.mutate(points=sum((rows.points % k for k in range(2, 60)), rows.points) % 1000)
    return rows


def shared_twice() -> ir.Table:
    rows = deep(DEPTH)
    return union(rows, rows.mutate(points=rows.points + 1))


def computed(statements: list[tuple[str, str]], rest: str) -> list[tuple]:
    with duck.connect() as db:
        db.register("games", ROWS)
        for name, statement in statements:
            db.execute(f'CREATE TEMP TABLE "{name}" AS {statement}')
        return sorted(db.execute(rest).fetchall(), key=str)


@pytest.mark.parametrize(
    ("expression", "least"), [(deep(8), 1), (shared_twice(), 1), (long(12), 1), (long(3), 0), (GAMES, 0)]
)
def test_steps_give_the_rows_of_the_whole_expression(expression: ir.Table, least: int) -> None:
    steps, rest = in_steps(expression)
    assert len(steps) >= least
    whole = computed([], to_sql(expression, "duckdb"))
    assert computed([(s.name, to_sql(s.relation, "duckdb")) for s in steps], to_sql(rest, "duckdb")) == whole


def test_steps_hold_no_column_that_nothing_reads() -> None:
    place = ibis.row_number().over(group_by="player", order_by="day")
    rows = deep(3).mutate(unread=place, dropped=place)
    twice = [rows.filter(rows.points > at).drop("dropped") for at in (1, 2)]
    expression = twice[0].inner_join(twice[1], ["player", "day"]).select(twice[0].player, twice[1].day)
    steps, rest = in_steps(expression)
    assert {"player", "day", "points", "dropped"} == set(steps[-1].relation.columns)
    whole = computed([], to_sql(expression, "duckdb"))
    assert computed([(s.name, to_sql(s.relation, "duckdb")) for s in steps], to_sql(rest, "duckdb")) == whole


def test_what_is_long_in_one_statement_is_shorter_in_steps() -> None:
    whole = len(to_sql(long(12), "duckdb"))
    steps, rest = in_steps(long(12))
    assert max(len(to_sql(r, "duckdb")) for r in (*(s.relation for s in steps), rest)) < whole


def test_what_several_relations_read_is_one_step_and_names_are_in_order() -> None:
    steps, _ = in_steps(shared_twice())
    assert [s.name for s in steps] == [f"step_{i + 1}" for i in range(len(steps))]
    assert len({s.relation.op() for s in steps}) == len(steps)


def test_a_small_expression_is_left_as_it_is() -> None:
    expression = GAMES.filter(GAMES.points > 5).select("player")
    steps, rest = in_steps(expression)
    assert not steps
    assert rest.equals(expression)


def test_a_correlated_subquery_stays_in_its_statement() -> None:
    others = GAMES.view()
    rows = deep(4)
    best = others.filter(others.player == rows.player).aggregate(best=others.points.max()).best.as_scalar()
    expression = rows.mutate(best=best)
    steps, rest = in_steps(expression)
    whole = computed([], to_sql(expression, "duckdb"))
    assert computed([(s.name, to_sql(s.relation, "duckdb")) for s in steps], to_sql(rest, "duckdb")) == whole


TEAMS = relation({"player": "int64", "team": "string"}, name="teams")
IN_ORDER = ibis.window(group_by=GAMES.player, order_by=GAMES.day)


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        (GAMES, "player day points"),
        (GAMES.select("points"), "points"),
        (GAMES.filter(GAMES.day > 1).select("player"), "day player"),
        (GAMES.filter(GAMES.day > 1), "player day points"),
        (GAMES.group_by("player").aggregate(most=GAMES.points.max()), "player points"),
        (GAMES.order_by("day").select("player"), "day player"),
        (GAMES.select(place=ibis.row_number().over(IN_ORDER)), "player day"),
        (GAMES.drop("day").select("player"), "day player"),
        (GAMES.drop("day"), "player day points"),
        (GAMES.select("player", "day").distinct(), "player day"),
        (GAMES.distinct().select("player"), "player day points"),
        (GAMES.fill_null(0).select("player"), "player day points"),
        (GAMES.drop_null("points").select("player"), "player day points"),
        (union(GAMES, GAMES.filter(GAMES.day > 1)).select("player"), "player day points"),
        (union(GAMES.select("player"), GAMES.select(player="day")), "player day"),
        (GAMES.inner_join(TEAMS, "player").select(TEAMS.team), "player teams.player teams.team"),
        (GAMES.semi_join(TEAMS, "player").select("points"), "player points teams.player"),
        (GAMES.select(is_last=GAMES.day == GAMES.view().day.max()), "day"),
    ],
)
def test_the_columns_that_an_expression_uses_are_all_that_its_rows_depend_on(
    expression: ir.Table, columns: str
) -> None:
    expected = {tuple(c.split(".")) if "." in c else ("games", c) for c in columns.split()}
    assert set(touched_columns(expression)) == expected
