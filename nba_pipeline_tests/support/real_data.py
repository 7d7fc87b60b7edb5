"""Where the real data lie, and the mark of tests that need them: skipped, visibly, where they are absent."""

import os
from pathlib import Path

import pytest

REAL_DATA = Path(
    os.environ.get("NBA_PIPELINE_TEST_DATA") or Path(__file__).parents[2] / ".." / "shared" / "nba_data"
).resolve()
needs_real_data = pytest.mark.skipif(
    not (REAL_DATA / "schedule.parquet").is_file(),
    reason=f"no real data at {REAL_DATA}; set NBA_PIPELINE_TEST_DATA to a directory with the landing files",
)
