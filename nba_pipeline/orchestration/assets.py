"""Turns a Transform into a Dagster asset; key, partitions, checks and documentation come from the contract."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date

import dagster as dg

from nba_pipeline.common import clock
from nba_pipeline.common.errors import PipelineError
from nba_pipeline.common.progress import DONE, STARTED, announce, run_pace
from nba_pipeline.config.settings import Settings
from nba_pipeline.contracts.checks import CHECKS
from nba_pipeline.contracts.table import Table
from nba_pipeline.engine.code_versions import code_versions
from nba_pipeline.engine.publish import Publication
from nba_pipeline.engine.run_context import RunContext
from nba_pipeline.engine.transform import Transform
from nba_pipeline.orchestration import ahead
from nba_pipeline.orchestration.asset_metadata import description, lineage, metadata
from nba_pipeline.orchestration.failures import coded_failures
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.live_ingest import fetch
from nba_pipeline.orchestration.partition_results import Reported, check_specs, report, report_days
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.orchestration.recovery import claim
from nba_pipeline.orchestration.table_run import open_table_run
from nba_pipeline.tables.catalog import CATALOG, TRANSFORMS, group_of

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
            yield from _materialize(context, transform, pipeline.settings)

    return _asset


def _materialize(context: dg.AssetExecutionContext, transform: Transform, settings: Settings) -> Iterator[Reported]:
    """Fetch what the table reads, publish the days of the run, and report a verdict per day and check."""
    days = tuple(date.fromisoformat(k) for k in context.partition_keys)
    claim(context.instance, context.run)
    run_id, table = context.run.run_id, transform.table
    announce(table.id, STARTED, len(days))
    fetched = fetch(settings, run_id, context.run.tags, transform.feeds.values(), days)
    if fetched:
        context.log.info(fetched)
    result = Publication([])
    with ahead.dropping_on_error(run_id, table.id):
        work = ahead.take(run_id, transform, days, settings) or open_table_run(transform, days, settings, run_id)
        try:
            with closing(work.publish()) as blocks:
                for block in blocks:
                    result.add(block)
                    ahead.published(run_id, table.id, block.verdicts[-1].day)
        except (PipelineError, OSError):
            yield from report_days(context, asset_key(table), result.verdicts)
            raise
    announce(table.id, DONE, len(days))
    context.log.info(_summary(context.run, table, result, work.run))
    latest = {"dagster/column_lineage": lineage(transform, work.plan.origins)}
    yield from report(context, asset_key(table), result.verdicts, {"rejected_rows": result.rejected}, latest)


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
