"""The asset checks `replay`, which recomputes a day from inputs known at its cutoffs, and `season_frame`, which counts a
season's games."""

import zlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import date

import dagster as dg
import duckdb

from nba_pipeline.common import clock
from nba_pipeline.common.errors import PipelineError
from nba_pipeline.config.settings import Settings
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.orchestration.ahead import Meanwhile, instead_of_waiting
from nba_pipeline.orchestration.assets import Pipeline
from nba_pipeline.orchestration.failures import coded_failures
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.schedule_review import REMEDY, listed_seasons
from nba_pipeline.orchestration.tags import days_of_run
from nba_pipeline.tables.plans import stored_plans
from nba_pipeline.tables.predictions.prop_prices import PROP_PRICES
from nba_pipeline.tables.raw.schedule import SCHEDULE, SLATE
from nba_pipeline.verification.replay import FEATURES, game_days, replay, replay_early, sample


@dg.asset_check(
    asset=asset_key(PROP_PRICES),
    name="replay",
    description=(
        "Recomputes every pre-game table of one game day of the run, drawn by the run's id, from inputs truncated at that day's "
        "cutoffs, and compares every cell with what is published. A table that the run computed from these very inputs stands."
    ),
)
def replay_of_a_day(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> dg.AssetCheckResult:
    """Recompute one day; a run without a game day passes."""
    settings, span = pipeline.settings, days_of_run(context.run.tags)
    warehouse = settings.open_warehouse()
    chosen = sample(game_days(warehouse, *span), 1, zlib.crc32(context.run.run_id.encode())) if span else []
    if not chosen:
        return dg.AssetCheckResult(passed=True, description="the run has no game day with features")
    with coded_failures(settings.home):
        result = replay(chosen[0], warehouse, settings.open_source(), SLATE, _run(context.run.run_id, settings))
    differences = "\n".join(str(d) for d in result.differences)
    return dg.AssetCheckResult(
        passed=not result.differences,
        description=differences or f"{result.day}: {result.tables} tables, {result.cells:,} cells, none differs",
        metadata={
            "day": result.day.isoformat(),
            "tables": result.tables,
            "cells": result.cells,
            "differing": len(result.differences),
        },
    )


def _run(run_id: str, settings: Settings) -> RunContext:
    plans, artifacts = stored_plans(settings.cache), settings.open_artifacts()
    return RunContext(run_id, clock.now(), settings.markets, artifacts, plans=plans)


def _begin_replay(run_id: str, days: Sequence[date], settings: Settings) -> None:
    """Compute for the check what can be before the features are there; only the one day of a run is surely the one it replays."""
    if len(days) == 1:
        # What fails here fails in the check, which then computes it, and is told there.
        with suppress(PipelineError, duckdb.Error, OSError):
            source = settings.open_source()
            replay_early(days[0], settings.open_warehouse(), source, SLATE, _run(run_id, settings))


instead_of_waiting(Meanwhile(FEATURES, f"{PROP_PRICES.id}_replay", _begin_replay))


@dg.asset_check(
    asset=asset_key(SCHEDULE),
    name="season_frame",
    description=(
        "Counts the games that the source lists of the run's seasons: 1,230 of a regular season, 82 of each team, 6 of the "
        "play-in and the final of the cup. A schedule of part of a season is described and not judged."
    ),
)
def frame_of_the_seasons(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> dg.AssetCheckResult:
    """Compare the seasons of the run's days with their frame; a difference is a warning."""
    span = days_of_run(context.run.tags)
    if span is None:
        return dg.AssetCheckResult(passed=True, description="the run has no days")
    with coded_failures(pipeline.settings.home):
        frames = listed_seasons(pipeline.settings.open_source(), *span, clock.today())
    wrong = [f for f in frames if f.is_wrong]
    text = "\n".join(f"{f.season}: {f}" for f in frames) or "the source lists no game of the season"
    return dg.AssetCheckResult(
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{text}\nFix: {REMEDY}" if wrong else text,
        metadata={f"games_{f.season.replace('-', '_')}": f.games for f in frames},
    )
