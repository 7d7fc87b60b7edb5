"""The asset check `replay`: of every run that reaches the prices, one day is computed again from what was known."""

import zlib
from collections.abc import Mapping
from datetime import date

import dagster as dg

from nba_pipeline.common import clock
from nba_pipeline.engine.transform import RunContext
from nba_pipeline.orchestration.assets import Pipeline, asset_key
from nba_pipeline.orchestration.tags import PARTITION, RANGE_END, RANGE_START
from nba_pipeline.tables.predictions.prop_prices import PROP_PRICES
from nba_pipeline.tables.raw.schedule import SLATE
from nba_pipeline.verification.replay import game_days, replay, sample


def days_of_run(tags: Mapping[str, str]) -> tuple[date, date] | None:
    """First and last day of a run, from its tags; None for a run that is not about days."""
    first = tags.get(RANGE_START) or tags.get(PARTITION)
    last = tags.get(RANGE_END) or tags.get(PARTITION)
    return (date.fromisoformat(first), date.fromisoformat(last)) if first and last else None


@dg.asset_check(
    asset=asset_key(PROP_PRICES),
    name="replay",
    description=(
        "One game day of the run, drawn by the run's id: every pre-game table of that day, computed again from nothing but "
        "what was known by its cut-offs, equals what is published."
    ),
)
def replay_of_a_day(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> dg.AssetCheckResult:
    """Takes as long as computing one day; a run without a game day passes and says so."""
    settings, span = pipeline.settings, days_of_run(context.run.tags)
    warehouse = settings.open_warehouse()
    chosen = sample(game_days(warehouse, *span), 1, zlib.crc32(context.run.run_id.encode())) if span else []
    if not chosen:
        return dg.AssetCheckResult(passed=True, description="the run has no game day with features")
    run = RunContext(context.run.run_id, clock.now(), settings.markets, settings.open_artifacts())
    done = replay(chosen[0], warehouse, settings.open_source(), SLATE, run)
    said = "\n".join(str(d) for d in done.differences)
    return dg.AssetCheckResult(
        passed=not done.differences,
        description=said or f"{done.day}: {done.tables} tables, {done.cells:,} cells, none differs",
        metadata={
            "day": done.day.isoformat(),
            "tables": done.tables,
            "cells": done.cells,
            "differing": len(done.differences),
        },
    )
