"""A feature added as CONTRIBUTING.md says is a new version beside published ones; a formula changed in place is refused."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from nba_pipeline.common.errors import ContractError
from nba_pipeline.tables.predictions import ml_feature_store_v2, published_features, versions
from nba_pipeline_tests.unit.test_contributing import example

PACKAGE = "nba_pipeline.tables.predictions"
EXAMPLE = "nba_pipeline/tables/predictions/rebound_features.py"


def edited(module: ModuleType, edits: Mapping[str, str]) -> ModuleType:
    """The module with texts of its source replaced, each exactly once."""
    text = Path(module.__file__ or "").read_text()
    for old, new in edits.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    made = ModuleType(module.__name__)
    made.__file__ = module.__file__
    exec(compile(text, module.__file__ or "", "exec"), made.__dict__)
    return made


def install(monkeypatch: pytest.MonkeyPatch, name: str, module: ModuleType | SimpleNamespace) -> None:
    monkeypatch.setitem(sys.modules, f"{PACKAGE}.{name}", module)  # type: ignore[arg-type]


def test_a_feature_added_by_the_documented_way_is_a_new_version_and_changes_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, "rebound_features", example(EXAMPLE))
    name = f"v{len(versions.VERSIONS) + 1}"
    with_next = edited(
        versions,
        {
            "VERSIONS: Mapping": f"from {PACKAGE}.rebound_features import REBOUND_FEATURES\n"
            f'NEXT = FeatureVersion("{name}", (*V2.features, *REBOUND_FEATURES))\nVERSIONS: Mapping',
            "for v in (": "for v in (NEXT, ",
        },
    )
    install(monkeypatch, "versions", with_next)
    similar_joined = '        .left_join(similar, of_player(similar, "game_date"))\n'
    similar_listed = "    features |= {f.name: similar[f.name] for f in SIMILARITY_FEATURES}\n"
    computed = '    rebounds = rebound_features(context.select("game_date", "season", "player_id"), games)\n\n'
    store = edited(
        ml_feature_store_v2,
        {
            "READY_GAMES = 10": f"from {PACKAGE}.rebound_features import REBOUND_FEATURES, rebound_features\nREADY_GAMES = 10",
            "    def of_player(": computed + "    def of_player(",
            similar_joined: similar_joined + similar_joined.replace("similar", "rebounds"),
            similar_listed: similar_listed
            + similar_listed.replace("similar", "rebounds").replace("SIMILARITY", "REBOUND"),
        },
    )
    store.TRANSFORM.check()
    made = published_features.formulas(with_next.VERSIONS, store.TRANSFORM)
    assert set(made) == {name, *versions.VERSIONS}
    assert set(made[name]) - set(made["v2"]) == {"offensive_rebounds_avg_last_10"}


def test_a_formula_changed_in_place_is_refused_by_the_name_of_the_feature() -> None:
    store = edited(ml_feature_store_v2, {'"won", at_least=MIN_GAMES': '"won", at_least=MIN_GAMES + 1'})
    with pytest.raises(ContractError, match="has changed: another formula: team_win_pct\n"):
        store.TRANSFORM.check()


@pytest.mark.parametrize("planted", ["points_avg_last_5", "pace_score"])
def test_a_formula_changed_in_a_precomputed_table_is_refused(planted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {
        "points_avg_last_5": ("player_daily_cache", "points_avg_last_5"),
        "pace_score": ("player_composite_factors", "pace_score"),
    }
    name, column = tables[planted]
    upstream = published_features._PRECOMPUTED[f"nba_precompute.{name}"]
    changed = upstream.expression.mutate(**{column: upstream.expression[column] + 1})
    monkeypatch.setitem(upstream.__dict__, "expression", changed)
    with pytest.raises(ContractError, match=f"another formula: {planted}"):
        ml_feature_store_v2.TRANSFORM.check()
