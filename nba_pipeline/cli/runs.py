"""The command `backfills`: what ran and runs, from the command line, the UI, schedules and sensors, and how far it is."""

import json
import time
from collections.abc import Sequence

import click
import dagster as dg
from rich.box import SIMPLE_HEAD
from rich.table import Table as Grid

from nba_pipeline.cli.console import console
from nba_pipeline.common import clock
from nba_pipeline.common.throughput import in_words
from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration.instance import prepare
from nba_pipeline.orchestration.run_history import Backfill, grouped, range_runs


def show_backfills(limit: int, as_json: bool, watch: bool) -> bool:
    """Print the latest backfills; with `watch` every two seconds until none runs. False where the newest failed."""
    prepare(Settings.from_environment())
    with dg.DagsterInstance.get() as instance:
        while True:
            found = grouped(range_runs(instance, limit), clock.now())
            if as_json:
                click.echo(json.dumps([b.as_json() for b in found], indent=2))
            else:
                console.print(_grid(found) if found else "nothing was run yet: nba-pipeline backfill START END")
            if not watch or not any(b.running for b in found):
                return not found or found[0].running or found[0].state == "success"
            time.sleep(2)


def _grid(found: Sequence[Backfill]) -> Grid:
    grid = Grid(title="Backfills, in table-days", title_justify="left", box=SIMPLE_HEAD)
    for name in ("id", "what", "days", "state"):
        grid.add_column(name, no_wrap=True)
    for name in ("done", "failed", "remaining", "an hour", "left"):
        grid.add_column(name, justify="right", no_wrap=True)
    colours = {"success": "green", "failure": "red", "canceled": "yellow"}
    for b in found:
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
