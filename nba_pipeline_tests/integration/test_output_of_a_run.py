"""A command says how its run ended, also where the logs that Dagster directs output into cannot be written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
FULL = Path("/dev/full")
RUN = """
import sys
from contextlib import nullcontext, suppress
from dagster._core.execution.compute_logs import redirect_stream
from nba_pipeline.orchestration.local_run import output_given_back

with {held}, suppress(OSError), open("/dev/full", "w") as log, redirect_stream(log, sys.stdout):
    sys.stdout.write("a day done, ")
print("the end")
"""


def ended(held: str) -> subprocess.CompletedProcess[str]:
    """Run a process whose standard output is directed into a file on a full disk, and speaks after it."""
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    return subprocess.run(
        [sys.executable, "-c", RUN.format(held=held)], env=buffered, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize(("held", "arrives"), [("output_given_back()", True), ("nullcontext()", False)])
def test_what_is_said_after_a_run_on_a_full_disk_arrives(held: str, arrives: bool) -> None:
    done = ended(held)
    assert (done.returncode == 0, done.stdout.endswith("the end\n")) == (arrives, arrives)


def test_a_process_without_standard_error_runs_too() -> None:
    code = "import os; os.close(2); from nba_pipeline.orchestration.local_run import output_given_back as held"
    said = subprocess.run(
        [sys.executable, "-c", f"{code}\nwith held(): print(1)"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    assert said == "1\n"
