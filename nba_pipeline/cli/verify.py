"""The command `verify`."""

import dataclasses
from datetime import date

import click
from rich.progress import TextColumn, TimeElapsedColumn, TimeRemainingColumn

from nba_pipeline.cli.console import console, narrate_on_stderr, print_json, progress_bar
from nba_pipeline.common import clock
from nba_pipeline.common.errors import MissingHistoryError
from nba_pipeline.config.settings import Settings
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.tables.plans import stored_plans
from nba_pipeline.tables.raw.schedule import SLATE
from nba_pipeline.verification.replay import game_days, replay, sample


def run_verify(start: date, end: date, n: int, seed: int, as_json: bool) -> bool:
    """Replay a sample of game days and print every cell that differs.

    Args:
        start: First day to draw from.
        end: Last day to draw from, inclusive.
        n: Number of game days in the sample.
        seed: Seed of the sample.
        as_json: Print JSON instead.

    Returns:
        True when every cell was reproduced.

    Raises:
        MissingHistoryError: No game day with features is published in the range.
    """
    if as_json:
        narrate_on_stderr()
    settings = Settings.from_environment()
    warehouse, source = settings.open_warehouse(), settings.open_source()
    days = sample(game_days(warehouse, start, end), n, seed)
    if not days:
        raise MissingHistoryError(
            f"no game day with features is published on {start}..{end}", f"run `nba-pipeline backfill {start} {end}`"
        )
    run = RunContext(
        "verify",
        clock.now(),
        settings.markets,
        settings.open_artifacts(),
        plans=stored_plans(settings.cache),
    )
    replays = []
    bar = progress_bar(console, TimeElapsedColumn(), TextColumn("ETA"), TimeRemainingColumn())
    with bar:
        for day in bar.track(days, description="replaying"):
            replays.append(replay(day, warehouse, source, SLATE, run))
            for difference in () if as_json else replays[-1].differences:
                click.echo(f"PROBLEM  {difference}")
    tables, cells = sum(r.tables for r in replays), sum(r.cells for r in replays)
    differing = sum(bool(r.differences) for r in replays)
    if as_json:
        differences = [dataclasses.asdict(d) for r in replays for d in r.differences]
        print_json(
            {
                "days": [r.day for r in replays],
                "tables": tables,
                "cells": cells,
                "differences": differences,
                "complete": not differing,
            }
        )
        return not differing
    click.echo(f"{len(replays)} days replayed, {tables} table-days, {cells:,} cells: {differing} days differ")
    if differing:
        click.echo(
            "  Fix: if the code or the inputs of these tables changed since, run "
            f"`nba-pipeline backfill {start} {end}` and verify again; otherwise a table read data from after its cutoff",
            err=True,
        )
    return not differing
