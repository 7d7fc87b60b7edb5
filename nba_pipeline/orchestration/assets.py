"""Turns a Transform into a Dagster asset; key, partitions, checks and documentation come from the contract."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from nba_pipeline.asof.reads import Read
from nba_pipeline.common import clock
from nba_pipeline.common.errors import PipelineError
from nba_pipeline.common.progress import DONE, STARTED, announce, run_pace
from nba_pipeline.config.settings import Settings
from nba_pipeline.contracts.checks import CHECKS
from nba_pipeline.contracts.table import Table
from nba_pipeline.engine.code_versions import code_versions
from nba_pipeline.engine.publish import Publication, publish_in_blocks
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import Transform
from nba_pipeline.engine.waivers import read_waivers
from nba_pipeline.orchestration.asset_metadata import description, lineage, metadata
from nba_pipeline.orchestration.failures import coded_failures
from nba_pipeline.orchestration.feature_readiness import require_model_features
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.live_ingest import fetch
from nba_pipeline.orchestration.partition_results import Reported, check_specs, report, report_days
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.orchestration.recovery import claim
from nba_pipeline.sources.fingerprints import FingerprintingSource
from nba_pipeline.sources.state_db import SourceState
from nba_pipeline.tables.catalog import CATALOG, TRANSFORMS, graph_order, group_of, schedule_read, seasons_at_once
from nba_pipeline.tables.plans import stored_plans

OWNERS = ["team:analytics"]


class Pipeline(dg.ConfigurableResource):
    """Gives assets the settings of the environment at run time."""

    @property
    def settings(self) -> Settings:
        return Settings.from_environment()


def table_asset(transform: Transform, settings: Settings) -> dg.AssetsDefinition:
    """Build the asset that publishes the transform's table for any set of days, with a verdict per day and check.

    Args:
        transform: What the table is computed from and how.
        settings: The settings, for the kind and names of the storage.
    """
    table = transform.table
    key = asset_key(table)
    daily = daily_partitions(settings.first_day, settings.last_day)
    schedule = schedule_read(transform)

    @dg.asset(
        key=key,
        deps=[asset_key(t) for t in transform.upstream()],
        partitions_def=daily,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=check_specs(key, list(CHECKS), CHECKS, daily),
        group_name=group_of(transform),
        description=description(transform),
        kinds={settings.warehouse, "ibis" if transform.apply is None else "python"},
        owners=OWNERS,
        tags={"dataset": table.dataset},
        metadata=metadata(transform, settings),
        code_version=code_versions(TRANSFORMS, settings.cache)[table.id][:12],
        pool=_pool(table, settings),
    )
    def _asset(context: dg.AssetExecutionContext, pipeline: Pipeline) -> Iterator:
        with coded_failures(pipeline.settings.home):
            yield from _materialize(context, transform, pipeline.settings, schedule)

    return _asset


def _materialize(
    context: dg.AssetExecutionContext, transform: Transform, settings: Settings, schedule: Read | None
) -> Iterator[Reported]:
    """Fetch what the table reads, publish the days of the run, and report a verdict per day and check."""
    days = [date.fromisoformat(k) for k in context.partition_keys]
    claim(context.instance, context.run)
    waivers = read_waivers(settings.open_state().declarations(), graph_order(), clock.today())
    plans = stored_plans(settings.cache)
    run = RunContext(context.run.run_id, clock.now(), settings.markets, settings.open_artifacts(), waivers, plans)
    table, plan = transform.table, plans.of(transform, "duckdb")
    warehouse = settings.open_warehouse()
    require_model_features(transform, plan.used_columns, warehouse, days)
    announce(table.id, STARTED, len(days))
    fetched = fetch(settings, run.id, context.run.tags, transform.feeds.values(), days)
    if fetched:
        context.log.info(fetched)
    source = FingerprintingSource(settings.open_source())
    result = Publication([])
    try:
        seasons = seasons_at_once(transform)
        for block in publish_in_blocks(transform, days, warehouse, source, schedule, run, seasons):
            result.add(block)
            source.record(SourceState(settings.open_state()), run.id, block.published)
            if block.published:
                settings.record_origin()
    except (PipelineError, OSError):
        yield from report_days(context, asset_key(table), result.verdicts)
        raise
    announce(table.id, DONE, len(days))
    context.log.info(_summary(context.run, table, result, run))
    rejected, latest = {"rejected_rows": result.rejected}, {"dagster/column_lineage": lineage(transform, plan.origins)}
    yield from report(context, asset_key(table), result.verdicts, rejected, latest)


def _summary(dagster_run: dg.DagsterRun, table: Table, result: Publication, run: RunContext) -> str:
    """Return what the table published, its time by stage, and the pace of the run."""
    seconds = ", ".join(f"{stage} {spent:.2f} s" for stage, spent in result.seconds.items())
    selected = dagster_run.asset_selection or [asset_key(CATALOG[t].table) for t in CATALOG]
    days, refused = len(result.verdicts), len(result.refused)
    total = days * sum(".".join(k.path) in CATALOG for k in selected)
    pace = run_pace(run.id, total, days - refused, refused, run.at, clock.now())
    return f"{table.id}: {days} days, {refused} refused, {result.rejected} rows rejected; {seconds}; {pace}"


def _pool(table: Table, settings: Settings) -> str | None:
    """Return the pool that allows one writer per table: BigQuery cancels the second of two transactions on a table."""
    return f"{table.dataset}__{table.name}" if settings.warehouse == "bigquery" else None
