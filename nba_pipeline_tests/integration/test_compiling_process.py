"""The process that compiles keeps plans where the run finds them, and leaves nothing when it is ended."""

from pathlib import Path

from nba_pipeline.engine.plan import compile_plan
from nba_pipeline.orchestration.compiling import Compiling
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.tables.plans import stored_plans

TABLES = ["nba_raw.rosters", "nba_raw.lineups"]


def kept(directory: Path) -> set[str]:
    return set(CATALOG) - {t.table.id for t in stored_plans(directory).missing("duckdb")}


def test_its_plans_are_those_that_the_run_would_compile(tmp_path: Path) -> None:
    process = Compiling(tmp_path, TABLES)
    process._thread.join(60)
    process.close()
    assert kept(tmp_path) == set(TABLES)
    for table in TABLES:
        assert stored_plans(tmp_path).of(CATALOG[table], "duckdb") == compile_plan(CATALOG[table], "duckdb")


def test_one_that_is_ended_leaves_whole_files_only(tmp_path: Path) -> None:
    Compiling(tmp_path, list(CATALOG)).close()
    assert [path for path in tmp_path.rglob(".*") if path.is_file()] == []
    assert kept(tmp_path) < set(CATALOG)
