"""A published version of the features never changes under its name; a new one beside it changes no other."""

import dataclasses
from collections.abc import Mapping

import ibis
import pytest

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.errors import ContractError
from nba_pipeline.common.ibis_relations import relation
from nba_pipeline.engine.formulas import Formulas
from nba_pipeline.tables.predictions import published_features
from nba_pipeline.tables.predictions.ml_feature_store_v2 import TRANSFORM
from nba_pipeline.tables.predictions.versions import V2, VERSIONS


def test_every_version_is_published() -> None:
    unpublished = set(VERSIONS) - set(published_features.published())
    assert not unpublished, f"{unpublished} have no published formulas. Fix: run `make docs` when the version is final"
    assert set(published_features.published()) == set(VERSIONS)


def test_a_version_of_other_features_under_its_old_name_is_refused_and_told_the_next_name() -> None:
    shorter = dataclasses.replace(V2, features=V2.features[:-1])
    with pytest.raises(ContractError, match=f"v2 has changed: removed: {V2.names[-1]}") as refused:
        published_features.require_unchanged({**VERSIONS, "v2": shorter})(TRANSFORM)
    assert f"make v{len(VERSIONS) + 1}" in refused.value.remedy


def test_a_published_version_that_is_gone_is_refused() -> None:
    with pytest.raises(ContractError, match="published feature version v1_baseline_25 is gone"):
        published_features.require_unchanged({"v2": V2})(TRANSFORM)


FROZEN = {"a": "1", "b": "2", "c": "3"}


@pytest.mark.parametrize(
    ("current", "changes"),
    [
        ({"a": "1", "b": "2", "c": "3"}, []),
        ({"a": "1", "b": "0", "c": "3"}, ["another formula: b"]),
        ({"a": "1", "c": "3"}, ["removed: b"]),
        ({"a": "1", "b": "2", "c": "3", "d": "4"}, ["added: d"]),
        ({"b": "2", "a": "1", "c": "3"}, ["another order"]),
    ],
)
def test_what_changed_is_named(current: Mapping[str, str], changes: list[str]) -> None:
    assert published_features.changed(FROZEN, current) == changes


GAMES = relation({"player_id": "int64", "game_date": "date", "points": "int64", "assists": "int64"}, name="games")
LISTED = relation({"player_id": "int64", "game_date": "date"}, name="listed")


def digest(expression: ir.Table, column: str = "value") -> str:
    return Formulas(lambda table, name: f"{table}.{name}").of(expression.op(), [column])[column]


def averaged(points: ir.Column = GAMES.points, games: ir.Table = GAMES, last: int = 10) -> ir.Table:
    window = ibis.window(group_by=games.player_id, order_by=games.game_date, preceding=(last, 1))
    return games.select("player_id", "game_date", value=points.mean().over(window))


PLAIN = averaged()


@pytest.mark.parametrize(
    "other",
    [
        averaged(last=5),
        averaged(GAMES.assists),
        averaged(GAMES.points + 1),
        averaged(GAMES.filter(GAMES.assists > 0).points, GAMES.filter(GAMES.assists > 0)),
        GAMES.group_by("player_id").aggregate(value=GAMES.points.mean()),
    ],
)
def test_another_window_column_arithmetic_or_set_of_rows_is_another_formula(other: ir.Table) -> None:
    assert digest(other) != digest(PLAIN)


def test_names_of_intermediate_columns_and_joins_that_are_not_read_are_no_part_of_a_formula() -> None:
    window = ibis.window(group_by=GAMES.player_id, order_by=GAMES.game_date, preceding=(10, 1))
    renamed = GAMES.select("player_id", "game_date", mean_of_ten=GAMES.points.mean().over(window)).rename(
        value="mean_of_ten"
    )
    joined = PLAIN.left_join(LISTED, "player_id").select(PLAIN.value)
    assert digest(renamed) == digest(joined) == digest(PLAIN)


def test_the_join_that_brings_a_column_is_part_of_its_formula() -> None:
    by_player = LISTED.left_join(PLAIN, "player_id").select(PLAIN.value)
    by_player_and_day = LISTED.left_join(PLAIN, ["player_id", "game_date"]).select(PLAIN.value)
    assert len({digest(by_player), digest(by_player_and_day), digest(PLAIN)}) == 3


def test_a_store_whose_versions_cannot_be_told_apart_is_refused() -> None:
    whole = dataclasses.replace(TRANSFORM, definition_check=None)
    whole.__dict__["expression"] = TRANSFORM.expression.mutate(points_avg_last_5=0.0)
    with pytest.raises(ContractError, match="no union of its versions"):
        published_features.formulas(VERSIONS, whole)
