"""A compiled plan serves the next process, and a stale, torn or foreign one serves none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.cache_files import CacheFiles
from nba_pipeline.engine import code_versions, plan_store
from nba_pipeline.engine.fingerprint import CodeTree, installed_code
from nba_pipeline.engine.plan import Plan, compile_plan, compile_rows_of_one_day
from nba_pipeline.engine.plan_store import StoredPlans, plan_key
from nba_pipeline.engine.transform import Transform
from nba_pipeline.tables.analytics.team_defense_game_summary import TRANSFORM
from nba_pipeline.tables.precompute.player_shot_zone_analysis import TRANSFORM as ZONES

TABLE = TRANSFORM.table.id


@pytest.fixture(autouse=True)
def settled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code is older than the process, however late it was edited."""
    monkeypatch.setattr(CodeTree, "changed_at", lambda _: 0.0)


def not_to_be_built() -> ir.Table:
    raise AssertionError("built although a plan is kept")


not_to_be_built.__module__ = TRANSFORM.build.__module__


def next_process(directory: Path, transform: Transform | None = None) -> tuple[Transform, StoredPlans]:
    """What another process has: the same code, objects of its own, and nothing compiled yet."""
    transform = transform or replace(TRANSFORM)
    return transform, StoredPlans(directory, (transform,))


def unable_to_build() -> Transform:
    transform = replace(TRANSFORM)
    object.__setattr__(transform, "build", not_to_be_built)
    return transform


def plan_of(directory: Path, transform: Transform | None = None) -> Plan:
    transform, plans = next_process(directory, transform)
    return plans.of(transform, "duckdb")


def test_the_next_process_builds_and_compiles_nothing(tmp_path: Path) -> None:
    compiled = plan_of(tmp_path / "cache")
    assert plan_of(tmp_path / "cache", unable_to_build()) == compiled == compile_plan(TRANSFORM, "duckdb")


def test_statements_of_one_day_are_kept_for_tables_that_read_history_only(tmp_path: Path) -> None:
    compiled = StoredPlans(tmp_path / "cache", (ZONES,)).rows_of_one_day(ZONES)
    assert compiled == compile_rows_of_one_day(ZONES) != compile_plan(ZONES, "duckdb").rows
    next_one = replace(ZONES)
    object.__setattr__(next_one, "build", not_to_be_built)
    assert StoredPlans(tmp_path / "cache", (next_one,)).rows_of_one_day(next_one) == compiled
    _, others = next_process(tmp_path / "cache")
    (transform,) = others.transforms
    assert others.rows_of_one_day(transform) == others.of(transform, "duckdb").rows
    assert len(list((tmp_path / "cache").glob(f"{TABLE}.*"))) == 1


def kept(directory: Path) -> Path:
    (path,) = directory.glob(f"{TABLE}.duckdb.*.json")
    return path


@pytest.mark.parametrize("damage", [lambda text: text[:-100], lambda text: text.replace("SELECT", "SELEKT", 1)])
def test_a_damaged_file_is_compiled_again(tmp_path: Path, damage) -> None:
    compiled = plan_of(tmp_path / "cache")
    path = kept(tmp_path / "cache")
    whole = path.read_text()
    path.write_text(damage(whole))
    with pytest.raises(AssertionError, match="built although"):
        plan_of(tmp_path / "cache", unable_to_build())
    assert plan_of(tmp_path / "cache") == compiled
    assert path.read_text() == whole


def test_a_whole_file_of_another_shape_is_compiled_again(tmp_path: Path) -> None:
    compiled = plan_of(tmp_path / "cache")
    key = plan_key(TABLE, "duckdb", installed_code().fingerprint(TRANSFORM.source_files()))
    CacheFiles(tmp_path / "cache").put(f"{TABLE}.duckdb", key, {"rows": "SELECT 1"})
    assert plan_of(tmp_path / "cache") == compiled


def test_a_variant_of_a_table_takes_no_kept_plan_and_leaves_none(tmp_path: Path) -> None:
    """As planted leaks are, which share module and table with the honest transform."""
    plan_of(tmp_path / "cache")
    plans = StoredPlans(tmp_path / "cache", (TRANSFORM,))
    with pytest.raises(AssertionError, match="built although"):
        plans.of(unable_to_build(), "duckdb")
    before = kept(tmp_path / "cache").read_text()
    plans.of(replace(TRANSFORM), "duckdb")
    assert kept(tmp_path / "cache").read_text() == before


@pytest.mark.guard
def test_code_edited_while_the_process_runs_takes_no_kept_plan_and_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_of(tmp_path / "cache")
    monkeypatch.setattr(CodeTree, "changed_at", lambda _: 1e12)
    with pytest.raises(AssertionError, match="built although"):
        plan_of(tmp_path / "cache", unable_to_build())
    plan_of(tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.guard
def test_a_changed_constant_in_a_reached_module_gives_another_key(tmp_path: Path) -> None:
    """Whether each constant of each module changes the fingerprint of exactly its tables: test_fingerprint.py."""
    root = tmp_path / "nba_pipeline"
    for place in ("tables/summary.py", "asof/windows.py"):
        (root / place).parent.mkdir(parents=True)
    (root / "tables/summary.py").write_text("from nba_pipeline.asof.windows import LAST\nTRANSFORM = LAST\n")
    keys = set()
    for value in (5, 6):
        (root / "asof/windows.py").write_text(f"LAST = {value}\n")
        keys.add(plan_key(TABLE, "duckdb", CodeTree(root).fingerprint([root / "tables/summary.py"])))
    assert len(keys) == 2


def test_dialect_libraries_python_and_the_code_that_compiles_are_part_of_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def key(dialect: Any = "duckdb") -> str:
        plan_store._libraries.cache_clear()  # as a new process
        return plan_key(TABLE, dialect, "version")

    keys = [key(), key("bigquery")]
    with monkeypatch.context() as patch:
        patch.setattr(plan_store.platform, "python_version", lambda: "3.99.0")
        keys.append(key())
    installed = plan_store.version
    for library in plan_store.LIBRARIES:
        with monkeypatch.context() as patch:
            patch.setattr(plan_store, "version", lambda n, own=library: "0.0.1" if n == own else installed(n))
            keys.append(key())
    with monkeypatch.context() as patch:
        patch.setitem(vars(installed_code()), "compiling", "other code")
        keys.append(key())
    plan_store._libraries.cache_clear()
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("place", "counts"),
    [
        ("common/ibis_sql.py", True),
        ("engine/bigquery_render.py", True),
        ("cli/main.py", False),
        ("definitions.py", False),
    ],
)
def test_code_that_compiles_counts_by_the_byte(tmp_path: Path, place: str, counts: bool) -> None:
    path = tmp_path / "nba_pipeline" / place
    path.parent.mkdir(parents=True)
    digests = set()
    for text in ("A = 1\n", "A = 1  # a comment\n"):
        path.write_text(text)
        digests.add(CodeTree(tmp_path / "nba_pipeline").compiling)
    assert len(digests) == (2 if counts else 1)


def test_every_table_is_declared_in_a_module_that_its_fingerprint_reads() -> None:
    from nba_pipeline.tables.catalog import TRANSFORMS

    for transform in TRANSFORMS:
        texts = [path.read_text() for path in transform.source_files()]
        assert any("\nTRANSFORM = Transform(" in text for text in texts), transform.table.id


def test_fingerprints_are_read_from_the_file_of_the_same_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").mkdir()
    found = code_versions.code_versions((TRANSFORM,), tmp_path / "cache")
    assert found == {TABLE: installed_code().fingerprint(TRANSFORM.source_files())}
    monkeypatch.setattr(code_versions, "_fingerprints", lambda _: {"read": "anew"})
    again = code_versions.code_versions.__wrapped__
    assert again((TRANSFORM,), tmp_path / "cache") == found
    monkeypatch.setitem(vars(installed_code()), "digest", "other code")
    assert again((TRANSFORM,), tmp_path / "cache") == {"read": "anew"}
