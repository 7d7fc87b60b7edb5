"""Measures whole runs over simulated histories of several lengths, and one new day on top of each.

    python -m benchmarks.long_history [--years 1 4] [--select EXPRESSION]

A history begins with the first day that a home can have and ends in a January, so many years later; the clock of a run stands on
the day after its last one, which may lie in the future. All runs take compiled statements from one that does not count.
Simulating a season is part of the run that reads it first. EXPRESSION selects tables: by default those up to the features.
"""

import argparse
import shutil
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from benchmarks.against_peers import CHECKOUT, Cost, measure
from nba_pipeline.domain.calendar import EPOCH

FEATURES = '+key:"nba_predictions/ml_feature_store_v2"'
COMMAND = [sys.executable, "-W", "ignore", "-c", "from nba_pipeline.cli.main import main; main()", "backfill"]
HEAD = f"{'days':>8}{'ratio':>8}{'wall s':>9}{'CPU s':>9}{'ratio':>8}{'peak MiB':>10}    one new day:{'CPU s':>7}{'ratio':>8}"


def backfill(home: Path, start: date, end: date, select: str) -> Cost:
    """Run the command on a home, at noon after the last day."""
    variables = {"NBA_PIPELINE_HOME": str(home), "NBA_PIPELINE_SOURCE": "simulator"}
    variables["NBA_PIPELINE_NOW"] = f"{end + timedelta(days=1)}T12:00:00-05:00"
    return measure([*COMMAND, str(start), str(end), "--select", select], CHECKOUT, variables)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--select", default=FEATURES)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        first = Path(scratch) / "first"
        first.mkdir()
        backfill(first, EPOCH, EPOCH, given.select)
        print(HEAD)
        base: tuple[int, float, float] | None = None
        for years in given.years:
            home, last = Path(scratch) / str(years), date(EPOCH.year + years + 1, 1, 14)
            home.mkdir()
            shutil.copytree(first / "cache", home / "cache")
            whole = backfill(home, EPOCH, last, given.select)
            new = backfill(home, last + timedelta(days=1), last + timedelta(days=1), given.select)
            found = ((last - EPOCH).days + 1, whole.cpu, new.cpu)
            longer, slower, later = (a / b for a, b in zip(found, base or found, strict=True))
            base = base or found
            run = f"{found[0]:>8,}{longer:>8.2f}{whole.wall:>9.1f}{whole.cpu:>9.1f}{slower:>8.2f}{whole.peak:>10.0f}"
            print(f"{run}{'':>16}{new.cpu:>7.1f}{later:>8.2f}", flush=True)
            shutil.rmtree(home)


if __name__ == "__main__":
    main()
