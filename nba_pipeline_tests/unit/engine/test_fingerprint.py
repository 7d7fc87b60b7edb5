"""The version of a table follows its code: every change that can reach its values, and no other."""

import shutil
from pathlib import Path

import grimp
import pytest

import nba_pipeline
from nba_pipeline.engine.fingerprint import COMPUTING, CodeTree
from nba_pipeline.tables.catalog import TRANSFORMS

PACKAGE = Path(nba_pipeline.__file__).parent
PRECOMPUTED = {"player_composite_factors", "player_daily_cache", "player_shot_zone_analysis"}
ALL_FORECASTS = {"ml_feature_store_v2", "prediction_models", "player_prop_predictions", "prop_prices", "calls"}
GRADES = {"prediction_accuracy", "system_daily_performance", "call_grades"}


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A copy of all that computes, to be edited."""
    root = tmp_path / "nba_pipeline"
    for part in COMPUTING:
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copy2 if part.endswith(".py") else shutil.copytree
        copy(PACKAGE / part, root / part)
    return root


def versions(root: Path) -> dict[str, str]:
    """The version of every table's code, by the name of its module."""
    tree = CodeTree(root)
    return {
        m.stem: tree.fingerprint([m]) for m in sorted(root.glob("tables/*/*.py")) if "TRANSFORM = " in m.read_text()
    }


def edited(root: Path, place: str, old: str, new: str) -> set[str]:
    """The tables whose version changes with an edit of a module."""
    before, path = versions(root), root / place
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return {t for t, v in versions(root).items() if v != before[t]}


def test_a_constant_in_any_module_changes_the_version_of_exactly_the_tables_that_import_it(code: Path) -> None:
    before = versions(code)
    assert len(before) == len(set(before.values())) == len(TRANSFORMS)
    built_on = tables_by_imported_module(set(before))
    for path in sorted(code.rglob("*.py")):
        text = path.read_text()
        path.write_text(text + "\nPLANTED = 1\n")
        changed = {t for t, v in versions(code).items() if v != before[t]}
        path.write_text(text)
        assert changed == built_on.get(dotted(code, path), set()), path.relative_to(code)


def tables_by_imported_module(tables: set[str]) -> dict[str, set[str]]:
    """For every computing module, the tables that import it, directly or not, as grimp sees it."""
    graph = grimp.build_graph("nba_pipeline", cache_dir=None)
    files = {dotted(PACKAGE, path): path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")}
    for module, path in files.items():
        if path.parts[0] not in COMPUTING and path.as_posix() not in COMPUTING:
            for imported in graph.find_modules_directly_imported_by(module):
                graph.remove_import(importer=module, imported=imported)
    own = {m: {f.stem} & tables for m, f in files.items()}
    return {m: own[m].union(*(own[d] for d in graph.find_downstream_modules(m))) for m in files}


def dotted(root: Path, path: Path) -> str:
    return ".".join(["nba_pipeline", *path.relative_to(root).with_suffix("").parts]).removesuffix(".__init__")


@pytest.mark.parametrize(
    ("place", "old", "new", "tables"),
    [
        ("tables/predictions/form_features.py", "HALF_LIFE = 8", "HALF_LIFE = 40", {*ALL_FORECASTS, *GRADES}),
        (
            "domain/calendar.py",
            "BOOTSTRAP_DAYS = 14",
            "BOOTSTRAP_DAYS = 15",
            {m.stem for m in PACKAGE.glob("tables/[a-z]*/*.py") if "TRANSFORM = " in m.read_text()},
        ),
        (
            "tables/analytics/_availability.py",
            "days",
            "hours",
            {"upcoming_team_game_context", "upcoming_player_game_context", *PRECOMPUTED, *ALL_FORECASTS, *GRADES},
        ),
        ("systems/xgboost_v1.py", "0.", "1.", {*ALL_FORECASTS, *GRADES} - {"ml_feature_store_v2"}),
        ("tables/grading/system_daily_performance.py", "ge=0", "ge=1", {"system_daily_performance"}),
    ],
)
def test_a_changed_rule_changes_the_version_of_the_tables_built_on_it(
    code: Path, place: str, old: str, new: str, tables: set[str]
) -> None:
    assert edited(code, place, old, new) == tables


def test_documents_of_columns_change_no_version(code: Path) -> None:
    assert edited(code, "tables/raw/schedule.py", 'column("', 'column("the ') == set()


def test_docstrings_comments_layout_and_annotations_change_no_version(code: Path) -> None:
    text = (
        '"""Rules."""\n\nfrom datetime import date\n\nimport ibis\n\n'
        'LIMIT: int = 3\n\n\ndef add(day: date, n: int) -> date:\n    """Add."""\n    return day + n * LIMIT\n'
    )
    other = (
        "# What follows are rules.\nfrom typing import TYPE_CHECKING\n\nimport ibis\n\n"
        "if TYPE_CHECKING:\n    import pandas\n\nLIMIT = 3\n\n"
        'def add(day, n):\n    """Return the day\n    after."""\n    # whole days\n    return (day +\n            n * LIMIT)\n'
    )
    assert of_text(code, text) == of_text(code, other)
    assert of_text(code, text) != of_text(code, text.replace("day + n", "day - n"))


def test_types_of_the_fields_of_a_class_change_the_version(code: Path) -> None:
    contract = "from nba_pipeline.contracts.table import Rows\n\n\nclass Shots(Rows):\n    made: int\n"
    assert of_text(code, contract) != of_text(code, contract.replace("int", "float"))


def test_the_move_of_a_module_changes_no_version(code: Path) -> None:
    before = versions(code)
    (code / "tables/precompute/samples.py").rename(code / "tables/shared/small_samples.py")
    for path in code.rglob("*.py"):
        path.write_text(path.read_text().replace("tables.precompute.samples", "tables.shared.small_samples"))
    assert versions(code) == before


def test_a_name_imported_from_another_module_changes_the_version(code: Path) -> None:
    text = "from nba_pipeline.asof.{} import LIMIT\n\nTWICE = 2 * LIMIT\n"
    (code / "asof/one.py").write_text("LIMIT = 1\n")
    (code / "asof/two.py").write_text("LIMIT = 2\n")
    assert of_text(code, text.format("one")) != of_text(code, text.format("two"))


def test_a_package_stands_for_the_modules_that_it_exports(code: Path) -> None:
    text = "from nba_pipeline import asof\n\nWINDOW = asof.mean\n"
    before = of_text(code, text)
    path = code / "asof/aggregates.py"
    path.write_text(path.read_text().replace("MEAN_SCALE = 10_000", "MEAN_SCALE = 1_000"))
    assert of_text(code, text) != before


def test_the_aliases_of_players_belong_to_the_code_that_reads_them(code: Path) -> None:
    reader, data = code / "domain/identity/aliases.py", code / "domain/identity/aliases.csv"
    before = CodeTree(code).fingerprint([reader])
    data.write_text(data.read_text() + "another alias,LeBron James,\n")
    assert CodeTree(code).fingerprint([reader]) != before


def test_a_relative_import_is_refused(code: Path) -> None:
    with pytest.raises(SyntaxError, match="relative import"):
        of_text(code, "from . import columns\n")


def of_text(root: Path, text: str) -> str:
    """The fingerprint of one more module of the package."""
    path = root / "tables/shared/rules_of_the_test.py"
    path.write_text(text)
    return CodeTree(root).fingerprint([path])
