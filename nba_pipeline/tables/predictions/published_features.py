"""Holds published versions of the features to what they were: names, order and formulas never change under one name.

`published_features.json` has the formula of each feature of each published version, as a digest. `make docs` adds versions that
are not in it, and changes none. A formula reaches from the feature store through the precomputed tables; facts, contexts and raw
tables count by name, since their corrections are corrections of data. An entry is removed, to be written again, only where
`nba-pipeline verify` shows that the changed code gives the same rows: CONTRIBUTING.md, How to add a feature.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import ibis.expr.operations as ops

from nba_pipeline.common.errors import ContractError
from nba_pipeline.engine.formulas import Formulas as FormulaReader
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.precompute import (
    player_composite_factors,
    player_daily_cache,
    player_shot_zone_analysis,
    team_defense_zone_analysis,
)
from nba_pipeline.tables.predictions.features import FeatureVersion

FILE = "published_features.json"
_PRECOMPUTED = {
    t.table.id: t
    for t in (
        player_composite_factors.TRANSFORM,
        player_daily_cache.TRANSFORM,
        player_shot_zone_analysis.TRANSFORM,
        team_defense_zone_analysis.TRANSFORM,
    )
}

Formulas = Mapping[str, str]


def published() -> dict[str, Formulas]:
    """Return the formulas of the features of each published version, in their order."""
    return json.loads(files(__package__ or "").joinpath(FILE).read_text(encoding="utf-8"))


def formulas(versions: Mapping[str, FeatureVersion], transform: Transform) -> dict[str, Formulas]:
    """Return the formula of each feature of each version, as a digest.

    Args:
        versions: The versions, by name.
        transform: The transform of the feature store.
    """
    rows = {_version_of(branch): branch for branch in _branches(transform.expression.op())}
    reader = _reader(transform)
    return {name: reader.of(rows[name], version.names) for name, version in versions.items()}


def _branches(relation: Any) -> Iterator[Any]:
    """Yield the relations that a union consists of."""
    if issubclass(type(relation), ops.Union):
        yield from (*_branches(relation.left), *_branches(relation.right))
    else:
        yield relation


def _version_of(branch: Any) -> str:
    named = getattr(branch, "values", {}).get("feature_version")
    if not isinstance(named, ops.Literal):
        raise ContractError(
            "the feature store is no union of its versions, so that their formulas cannot be read",
            "let `build` return the union of one relation per version, each with its name as feature_version",
        )
    return named.value


def _reader(transform: Transform) -> FormulaReader:
    """Return what reads formulas of a transform: its inputs are formulas of precomputed columns, and names of all others."""

    @cache
    def columns_of(table: str) -> Formulas:
        upstream = _PRECOMPUTED[table]
        return _reader(upstream).of(upstream.expression.op(), upstream.expression.columns)

    def formula(name: str, column: str) -> str:
        read = transform.reads.get(name)
        if read is None:
            return f"{name}.{column}"
        place = f"{read.table.id} {read.kind} {read.days_back}"
        if read.table.id in _PRECOMPUTED and column:
            return f"{place} {columns_of(read.table.id)[column]}"
        return f"{place} {column}"

    return FormulaReader(formula)


def require_unchanged(versions: Mapping[str, FeatureVersion]) -> Callable[[Transform], None]:
    """Return a check of the feature store that refuses a published version whose features or formulas changed.

    Args:
        versions: The versions that the store has.
    """

    def check(transform: Transform) -> None:
        current = formulas(versions, transform)
        for name, frozen in published().items():
            if name not in current:
                raise ContractError(
                    f"the published feature version {name} is gone",
                    f"list {name} in versions.py again; models and tables name it",
                )
            changes = changed(frozen, current[name])
            if changes:
                raise ContractError(
                    f"the published feature version {name} has changed: {'; '.join(changes)}",
                    f"restore {name} and make {_next(list(versions))} beside it: CONTRIBUTING.md, How to add a feature",
                )

    return check


def changed(frozen: Formulas, current: Formulas) -> list[str]:
    """Name what differs between the formulas of a published version and those in the code.

    Args:
        frozen: The formulas of the published version, by feature in order.
        current: The formulas of the version in the code.
    """
    differences = {
        "another formula": [f for f, digest in frozen.items() if current.get(f, digest) != digest],
        "removed": [f for f in frozen if f not in current],
        "added": [f for f in current if f not in frozen],
    }
    texts = [f"{what}: {', '.join(names)}" for what, names in differences.items() if names]
    return texts or ([] if list(frozen) == list(current) else ["another order"])


def _next(names: list[str]) -> str:
    numbers = [int(n[1:]) for n in names if n[1:].isdigit()]
    return f"v{max(numbers, default=0) + 1}"


def with_new(versions: Mapping[str, FeatureVersion], transform: Transform) -> str:
    """Return the content of `published_features.json` with the versions that are not in it yet.

    Args:
        versions: The versions that the store has.
        transform: The transform of the feature store.
    """
    known = published()
    known |= {name: f for name, f in formulas(versions, transform).items() if name not in known}
    return json.dumps(known, indent=1) + "\n"
