"""The command `backfills`: runs of every origin with their progress."""

import time
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table as Grid

from nba_pipeline.cli.console import console, print_grid, print_json
from nba_pipeline.common import clock
from nba_pipeline.common.throughput import in_words
from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration.instance import opened
from nba_pipeline.orchestration.recovery import end_dead_runs
from nba_pipeline.orchestration.run_history import Backfill, grouped, range_runs


def show_backfills(limit: int, as_json: bool, watch: bool) -> bool:
    """Print the latest backfills; with `watch` every two seconds until none is running. False where the newest failed.

    Runs whose process has ended without a result are ended first, or they would count as running for ever.
    """
    with opened(Settings.from_environment()) as instance:
        while True:
            end_dead_runs(instance)
            backfills = grouped(range_runs(instance, limit), clock.now())
            if as_json:
                print_json([b.as_json() for b in backfills])
            else:
                if backfills:
                    print_grid(_grid(backfills))
                else:
                    console.print("no backfill yet; run `nba-pipeline backfill START END`")
            if not watch or not any(b.running for b in backfills):
                return not backfills or backfills[0].running or backfills[0].state == "success"
            time.sleep(2)


def _grid(backfills: Sequence[Backfill]) -> Grid:
    grid = Grid(title="Backfills, in table-days", title_justify="left", box=SIMPLE_HEAD)
    for name in ("id", "what", "days", "state"):
        grid.add_column(name, no_wrap=True)
    for name in ("done", "failed", "remaining", "an hour", "left"):
        grid.add_column(name, justify="right", no_wrap=True)
    colours = {"success": "green", "failure": "red", "canceled": "yellow"}
    for b in backfills:
        rate, left = b.pace.per_hour, b.pace.left
        grid.add_row(
            b.id[:8],
            b.title,
            f"{b.start}..{b.end}",
            f"[{colours.get(b.state, 'cyan')}]{b.state}[/]",
            f"{b.pace.done:,}/{b.pace.total:,}",
            f"{b.pace.failed:,}",
            f"{b.pace.remaining:,}",
            "-" if rate is None else f"{rate:,.0f}",
            in_words(left) if left is not None and b.running else "-",
        )
    return grid
