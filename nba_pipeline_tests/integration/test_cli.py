"""Help, the version and wrong arguments import none of the heavy libraries."""

import subprocess
import sys

import pytest

HEAVY = ("dagster", "pandas", "pyarrow", "ibis", "duckdb", "numpy", "scipy", "xgboost", "google", "rich", "sqlalchemy")
ENTRY = (
    "import sys; from nba_pipeline.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit as e: code = e.code\n"
)
LISTING = f"print([m for m in {HEAVY} if m in sys.modules], code, file=sys.stderr)"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["status", "--help"], 0),
        (["status", "2024-13-01"], 2),
        (["backfill", "2024-01-02", "2024-01-01"], 1),
        (["verify", "2024-01-01", "2999-01-01"], 1),
        (["leaderboard", "--tier", "none"], 2),
        (["no-such-command"], 2),
    ],
)
def test_help_version_and_wrong_arguments_import_no_heavy_library(arguments: list[str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENTRY + LISTING, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == f"[] {code}"
