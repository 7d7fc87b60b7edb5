"""The tests read nothing of the caller's: `make demo` before `make test` leaves a home that begins on a day of its own."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

from nba_pipeline.config.home import Origin, record_origin

ROOT = Path(__file__).parents[2]
# The first reads settings, the second reads days that such a home does not have.
TESTS = ("unit/common/test_environment.py", "unit/asof/test_reads.py")


def test_the_caller_may_have_a_home_and_variables_of_his_own(tmp_path: Path) -> None:
    (tmp_path / ".nba_pipeline").mkdir()
    record_origin(tmp_path / ".nba_pipeline", Origin("simulator", 20211019, date(2024, 12, 4)))
    caller = {"NBA_PIPELINE_HOME": str(tmp_path / ".nba_pipeline"), "NBA_PIPELINE_MARKETS": "pra"}
    tests = [str(ROOT / "nba_pipeline_tests" / t) for t in TESTS]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-n0", "-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", *tests],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), **caller},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
