"""The asset check `replay`: recomputes one day of every run that publishes prices, from inputs known at its cutoffs."""

import zlib

import dagster as dg

from nba_pipeline.common import clock
from nba_pipeline.engine.transform import RunContext
from nba_pipeline.orchestration.assets import Pipeline
from nba_pipeline.orchestration.failures import coded_failures
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.tags import days_of_run
from nba_pipeline.tables.predictions.prop_prices import PROP_PRICES
from nba_pipeline.tables.raw.schedule import SLATE
from nba_pipeline.verification.replay import game_days, replay, sample


@dg.asset_check(
    asset=asset_key(PROP_PRICES),
    name="replay",
    description=(
        "Recomputes every pre-game table of one game day of the run, drawn by the run's id, from inputs truncated at that day's "
        "cutoffs, and compares every cell with what is published."
    ),
)
def replay_of_a_day(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> dg.AssetCheckResult:
    """Recompute one day; a run without a game day passes."""
    settings, span = pipeline.settings, days_of_run(context.run.tags)
    warehouse = settings.open_warehouse()
    chosen = sample(game_days(warehouse, *span), 1, zlib.crc32(context.run.run_id.encode())) if span else []
    if not chosen:
        return dg.AssetCheckResult(passed=True, description="the run has no game day with features")
    run = RunContext(context.run.run_id, clock.now(), settings.markets, settings.open_artifacts())
    with coded_failures():
        done = replay(chosen[0], warehouse, settings.open_source(), SLATE, run)
    differences = "\n".join(str(d) for d in done.differences)
    return dg.AssetCheckResult(
        passed=not done.differences,
        description=differences or f"{done.day}: {done.tables} tables, {done.cells:,} cells, none differs",
        metadata={
            "day": done.day.isoformat(),
            "tables": done.tables,
            "cells": done.cells,
            "differing": len(done.differences),
        },
    )
