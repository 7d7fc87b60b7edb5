"""Pages and exports on a published home: a day in a fresh process, a range at once and day by day, a season, a table per format.

    NBA_PIPELINE_HOME=home python benchmarks/reports.py START END [--sample 14]

Reads the home's warehouse; pages and files go to a scratch directory.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from nba_pipeline.artifacts.local import LocalArtifacts
from nba_pipeline.config.settings import Settings
from nba_pipeline.definitions import defs
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.engine.export import OPTIONS, write_rows
from nba_pipeline.reporting.overview_pages import context_of, write_overview
from nba_pipeline.reporting.pages import write_pages
from nba_pipeline.tables.catalog import CATALOG

FEATURES = CATALOG["nba_predictions.ml_feature_store_v2"].table


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of the processor, which other work on the machine disturbs less."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} s ({self.cpu:.1f})"


def cost(work: Callable[[], object]) -> Cost:
    wall, cpu = time.perf_counter(), _processor()
    work()
    return Cost(time.perf_counter() - wall, _processor() - cpu)


def _processor() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def fresh_process(day: date) -> None:
    """The command as a person runs it."""
    command = [sys.executable, "-m", "nba_pipeline.cli", "report", str(day)]
    subprocess.run(command, env=os.environ, check=True, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("start", type=date.fromisoformat)
    parser.add_argument("end", type=date.fromisoformat)
    parser.add_argument("--sample", type=int, default=14, help="days for the comparison day by day")
    given = parser.parse_args()
    assert defs.assets
    settings = Settings.from_environment()
    warehouse, simulated = settings.open_warehouse(), settings.is_simulated
    days = days_between(given.start, given.end)
    middle = days[len(days) // 2 :][: given.sample]
    with tempfile.TemporaryDirectory() as scratch:
        store = LocalArtifacts(Path(scratch))
        whole = cost(lambda: write_pages(warehouse, store, days, simulated=simulated))
        sizes = [p.stat().st_size for p in (Path(scratch) / "reports").glob("*.html")]
        together = cost(lambda: write_pages(warehouse, store, middle, simulated=simulated))
        apart = cost(lambda: [write_pages(warehouse, store, [d], simulated=simulated) for d in middle])
        one = cost(lambda: fresh_process(middle[0]))
        context = context_of(settings, [])
        season = cost(lambda: write_overview(warehouse, store, context, seasons=[middle[0]]))
        lines = [
            ("the page of a day, process start included", str(one), "10 s"),
            (f"the pages of {len(days)} days", str(whole), "30 s"),
            ("  a page", f"{1000 * whole.wall / len(days):.0f} ms", ""),
            (f"  {len(middle)} of them at once", str(together), ""),
            (f"  {len(middle)} of them day by day", str(apart), f"{len(middle)} s"),
            ("the page of a season, with index and checks", str(season), "5 s"),
            ("  largest page", f"{max(sizes) / 1024:.0f} KiB", "1 MiB"),
        ]
        for kind in OPTIONS:
            path = Path(scratch) / kind
            took = cost(lambda k=kind, p=path: write_rows(warehouse, FEATURES, given.start, given.end, k, p))
            lines.append((f"ml_feature_store_v2 as {kind}, {path.stat().st_size / 2**20:.0f} MiB", str(took), ""))
    print(f"{given.start} .. {given.end}\n\n{'measure':<58} {'wall (cpu)':>16}   reach")
    for name, result, reach in lines:
        print(f"{name:<58} {result:>16}   {reach}")


if __name__ == "__main__":
    main()
