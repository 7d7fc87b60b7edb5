"""Measures one new day through every table, process start included, and the same day by another checkout.

python -m benchmarks.one_day HOME DAY [--baseline DIRECTORY] [--runs 3] [--warm]

HOME has published every table up to the day before DAY. It is copied, and stays as it is; a first run fills caches and does not
count. Settings are those of the environment, NBA_PIPELINE_MARKETS=all among them. The stages of all tables and `whole, clock` are
seconds on the clock, `processor, all` is processor time. With --warm the day runs twice in a process, and the second time counts:
what a process takes that has loaded everything. Processes keep their bytecode, as those of a user do, whatever
PYTHONDONTWRITEBYTECODE says here.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parents[1]
CODE = """
import json, resource, sys, time
began, before = time.perf_counter(), 0.0
from collections import Counter
warm = sys.argv.pop(1) == "warm"
from nba_pipeline.engine import publish as engine
from nba_pipeline.orchestration import assets
ends = "store" if hasattr(engine, "store") else "publish"  # releases before tables were prepared ahead computed and stored in one
callers = [engine, assets]
if ends == "store":
    from nba_pipeline.orchestration import table_run
    callers.append(table_run)
spent, end = Counter(), getattr(engine, ends)
def timed(*given, **named):
    done = end(*given, **named)
    spent.update(done.seconds)
    return done
for caller in callers:
    if hasattr(caller, ends):
        setattr(caller, ends, timed)
def used():
    mine = resource.getrusage(resource.RUSAGE_SELF)
    return mine.ru_utime + mine.ru_stime
from nba_pipeline.cli import main
if warm:
    main(standalone_mode=False)
    spent.clear()
    began, before = time.perf_counter(), used()
try:
    main()
finally:
    told = {"stages": spent, "total": used() - before, "clock": time.perf_counter() - began}
    print("\\nMEASURED", json.dumps(told))
"""


def run(checkout: Path, home: Path, day: str, warm: bool) -> dict:
    """Run the day on a home; returns seconds by stage, and of the whole run on the clock and of processor time."""
    environment = os.environ | {"NBA_PIPELINE_HOME": str(home), "PYTHONPATH": str(checkout)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", CODE, "warm" if warm else "cold", "backfill", day, day]
    done = subprocess.run(command, env=environment, cwd=checkout, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the run failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(done.stdout.rsplit("MEASURED", 1)[1])


def measured(checkout: Path, source: Path, day: str, runs: int, warm: bool) -> list[dict]:
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        shutil.copytree(source, home)
        return [run(checkout, home, day, warm) for _ in range(runs + 1)][1:]


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("home", type=Path)
    given.add_argument("day")
    given.add_argument("--baseline", type=Path)
    given.add_argument("--runs", type=int, default=3)
    given.add_argument("--warm", action="store_true")
    options = given.parse_args()
    checkouts = [options.baseline, HERE] if options.baseline else [HERE]
    results = [measured(c.absolute(), options.home, options.day, options.runs, options.warm) for c in checkouts]
    print(f"{'':<16}" + "".join(f"{name:>10}" for name in ("before", "after")[-len(results) :]))
    for stage in results[-1][0]["stages"]:
        print(f"{stage:<16}" + "".join(f"{_median([r['stages'].get(stage, 0.0) for r in rs]):>10}" for rs in results))
    for name, key in (("whole, clock", "clock"), ("processor, all", "total")):
        print(f"{name:<16}" + "".join(f"{_median([r[key] for r in rs]):>10}" for rs in results))


def _median(values: list[float]) -> str:
    return f"{statistics.median(values):.2f}"


if __name__ == "__main__":
    main()
