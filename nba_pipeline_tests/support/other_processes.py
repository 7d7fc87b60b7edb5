"""Other Python processes that work on a warehouse, with the rights of this one or without."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import duckdb

REPOSITORY = Path(__file__).parents[2]
# What stands before the first block of a database file, in bytes.
HEADERS = 3 * 4096
HERE = "import nba_pipeline_tests.integration.test_duckdb_warehouse as t\n"


def start(code: str, *arguments: Any, prelude: str = HERE) -> subprocess.Popen[str]:
    """Start a Python process; it knows the names of `test_duckdb_warehouse` as `t`, unless the prelude is another."""
    return subprocess.Popen(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            "import sys, time\n" + prelude + textwrap.dedent(code),
            *map(str, arguments),
        ],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


# Runs as a user without rights even where the tests run as root.
UNPRIVILEGED = """
import os
import ibis, numpy, pandas
warehouse = t.DuckDBWarehouse(t.Path(sys.argv[1]), timeout=1)
t.DuckDBWarehouse(t.Path(sys.argv[2])).ledger()
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    {action}
    print("no error")
except Exception as e:
    print(type(e).__name__, e)
"""


def damage(path: Path) -> None:
    """Overwrite 4 KB of a block of rows of `nba_raw.results`, in a file that no one has open."""
    with duckdb.connect(str(path), read_only=True) as db:
        found = db.execute("SELECT max(block_id) FROM pragma_storage_info('nba_raw.results')").fetchall()
        size = db.execute("SELECT block_size FROM pragma_database_size()").fetchall()
    with path.open("r+b") as file:
        file.seek(HEADERS + found[0][0] * size[0][0] + size[0][0] // 2)
        file.write(b"\xff" * 4096)
