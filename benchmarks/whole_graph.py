"""The whole graph on real data: wall time, memory and where the time goes.

    python benchmarks/whole_graph.py DATA [--start 2021-10-19] [--end 2025-06-22] [--only NAME ...]

Every measure runs in a process of its own, on a home of its own, which is removed afterwards. Prints one table.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

ORIGINAL_DAYS_AN_HOUR = 80
FEATURES = "nba_predictions.ml_feature_store_v2"


def measure(mode: str, home: Path, data: Path, start: str, end: str) -> dict:
    """Run one mode of this script in a fresh process; its last line is JSON. Adds wall time, start-up included."""
    environment = os.environ | {
        "NBA_PIPELINE_HOME": str(home),
        "NBA_PIPELINE_SOURCE": "files",
        "NBA_PIPELINE_DATA": str(data),
    }
    began = time.perf_counter()
    command = [sys.executable, "-W", "ignore", __file__, str(data), "--start", start, "--end", end, "--child", mode]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{mode} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1]) | {"wall": time.perf_counter() - began}


def child(mode: str, start: date, end: date) -> dict:
    began = time.perf_counter()
    import nba_pipeline.definitions  # noqa: F401
    from nba_pipeline.cli.backfill import run_backfill

    loaded = time.perf_counter() - began
    facts: dict = {"start-up": loaded}
    if mode == "dagster":
        assert run_backfill(start, end, (), missing=False)
    elif mode == "features":
        assert run_backfill(start, end, (FEATURES,), missing=False)
    else:
        facts |= without_dagster(start, end)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return facts | {"peak_mib": usage.ru_maxrss / 1024, "cpu": usage.ru_utime + usage.ru_stime}


def without_dagster(start: date, end: date) -> dict:
    """Every table by the publish path alone; seconds by stage and by table."""
    from nba_pipeline.config.settings import Settings
    from nba_pipeline.domain.calendar import days_between
    from nba_pipeline.engine.publish import publish
    from nba_pipeline.engine.run_context import RunContext
    from nba_pipeline.tables.catalog import CATALOG, schedule_read

    settings = Settings.from_environment()
    warehouse, source = settings.open_warehouse(), settings.open_source()
    stages: Counter[str] = Counter()
    tables: dict[str, float] = {}
    rows = 0
    for name, transform in CATALOG.items():
        done = publish(
            transform,
            days_between(start, end),
            warehouse,
            source,
            schedule_read(transform),
            RunContext("bench", datetime.now(UTC), settings.markets, settings.open_artifacts()),
        )
        assert not done.refused, done.refused[0].reason
        stages.update(done.seconds)
        tables[name] = sum(done.seconds.values())
        rows += sum(v.rows for v in done.verdicts)
    return {"stages": dict(stages), "tables": tables, "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--start", default="2021-10-19")
    parser.add_argument("--end", default="2025-06-22")
    parser.add_argument("--child")
    given = parser.parse_args()
    start, end = date.fromisoformat(given.start), date.fromisoformat(given.end)
    if given.child:
        print(json.dumps(child(given.child, start, end)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        report(Path(scratch), given.data.resolve(), start, end)


def report(scratch: Path, data: Path, start: date, end: date) -> None:
    days = (end - start).days + 1
    middle = f"{start.year + 2}-07-31"
    whole = measure("dagster", scratch / "whole", data, str(start), str(end))
    bare = measure("bare", scratch / "bare", data, str(start), str(end))
    features = measure("features", scratch / "whole", data, str(start), str(end))
    half = measure("dagster", scratch / "half", data, str(start), middle)
    one = measure("dagster", scratch / "whole", data, str(end), str(end))
    compute = sum(bare["stages"].values())
    rate = days / features["wall"] * 3600
    growth = whole["wall"] / half["wall"]
    lines = [
        ("all tables, through Dagster, empty to graded", f"{whole['wall']:.1f} s", "240 s"),
        ("  peak memory", f"{whole['peak_mib'] / 1024:.2f} GiB", "3 GiB"),
        ("  of that, computing and writing without Dagster", f"{compute:.1f} s", "90 s"),
        ("ml_feature_store_v2 alone", f"{rate:,.0f} days/h", f"50,000 (original: {ORIGINAL_DAYS_AN_HOUR})"),
        ("one new day through every table, process start included", f"{one['wall']:.1f} s", "15 s"),
        (f"growth: {start}..{middle} against all", f"{growth:.2f} x", "2.3 x"),
    ]
    print(f"{start} .. {end}: {days} days, {bare['rows']:,} rows in {len(bare['tables'])} tables\n")
    print(f"{'measure':<58} {'result':>16}   reach")
    for name, result, reach in lines:
        print(f"{name:<58} {result:>16}   {reach}")
    print("\nwhere the time goes (s)")
    dagster = whole["wall"] - compute - whole["start-up"]
    for stage, seconds in (bare["stages"] | {"start-up": whole["start-up"], "event log and engine": dagster}).items():
        print(f"  {stage:<24} {seconds:8.1f}")
    print("\nby table, without Dagster (s)")
    for name, seconds in sorted(bare["tables"].items(), key=lambda item: -item[1]):
        print(f"  {name:<48} {seconds:8.1f}")


if __name__ == "__main__":
    main()
