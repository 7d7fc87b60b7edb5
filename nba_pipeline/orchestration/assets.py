"""Turns a Transform into a Dagster asset: key, partitions, checks, column schema, lineage and docs all come from the contract."""

import inspect
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg

from nba_pipeline.common import clock
from nba_pipeline.common.progress import DONE, STARTED, announce, run_pace
from nba_pipeline.config.settings import Settings
from nba_pipeline.contracts.checks import CHECKS
from nba_pipeline.contracts.table import Column, Table
from nba_pipeline.engine.fingerprint import installed_code
from nba_pipeline.engine.lineage import column_origins
from nba_pipeline.engine.publish import publish
from nba_pipeline.engine.transform import RunContext, Transform
from nba_pipeline.engine.waivers import read_waivers
from nba_pipeline.orchestration.live_ingest import fetch
from nba_pipeline.orchestration.partition_results import check_specs, report
from nba_pipeline.orchestration.partitions import DAILY
from nba_pipeline.orchestration.recovery import claim
from nba_pipeline.sources.fingerprints import Witness
from nba_pipeline.sources.state_db import State
from nba_pipeline.tables.catalog import CATALOG, graph_order, group_of, schedule_read

OWNERS = ["team:analytics"]


class Pipeline(dg.ConfigurableResource):
    """Hands the configured warehouse and source to the assets; what it hands out comes from the environment."""

    @property
    def settings(self) -> Settings:
        return Settings.from_environment()


def table_asset(transform: Transform, settings: Settings) -> dg.AssetsDefinition:
    """The asset that publishes the transform's table, for any set of days, with a verdict per day and check."""
    table = transform.table
    transform.check()
    key = asset_key(table)
    schedule = schedule_read(transform)

    @dg.asset(
        key=key,
        deps=[asset_key(t) for t in transform.upstream()],
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=check_specs(key, list(CHECKS), CHECKS, DAILY),
        group_name=group_of(transform),
        description=_description(transform),
        kinds={settings.warehouse, "ibis" if transform.apply is None else "python"},
        owners=OWNERS,
        tags={"dataset": table.dataset},
        metadata=_metadata(transform, settings),
        code_version=code_version(transform),
        pool=_pool(table, settings),
    )
    def _asset(context: dg.AssetExecutionContext, pipeline: Pipeline) -> Iterator:
        days = [date.fromisoformat(k) for k in context.partition_keys]
        current = pipeline.settings
        claim(context.instance, context.run)
        waivers = read_waivers(current.home, graph_order(), clock.today())
        run = RunContext(context.run.run_id, clock.now(), current.markets, current.open_artifacts(), waivers)
        announce(table.id, STARTED, len(days))
        fetched = fetch(current, run.id, context.run.tags, transform.feeds.values(), days)
        if fetched:
            context.log.info(fetched)
        source = Witness(current.open_source())
        done = publish(transform, days, current.open_warehouse(), source, schedule, run)
        source.remember(State(current.home), run.id, [v.day for v in done.verdicts if v.published])
        announce(table.id, DONE, len(days))
        spent = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in done.seconds.items())
        chosen = context.run.asset_selection or [asset_key(CATALOG[t].table) for t in CATALOG]
        total = len(days) * sum(".".join(k.path) in CATALOG for k in chosen)
        refused = len(done.refused)
        pace = run_pace(run.id, total, len(days) - refused, refused, run.at, clock.now())
        context.log.info(
            f"{table.id}: {len(days)} days, {refused} refused, {done.rejected} rows rejected; {spent}; {pace}"
        )
        yield from report(context, key, done.verdicts, {"rejected_rows": done.rejected})

    return _asset


def code_version(transform: Transform) -> str:
    """Return the version of the code a table is computed with: the UI marks days that another version computed."""
    return installed_code().fingerprint(transform.source_files())[:12]


def asset_key(table: Table) -> dg.AssetKey:
    return dg.AssetKey([table.dataset, table.name])


def _pool(table: Table, settings: Settings) -> str | None:
    """One writer per table: BigQuery cancels the second of two transactions on a table. DuckDB's file has a lock."""
    return f"{table.dataset}__{table.name}" if settings.warehouse == "bigquery" else None


def _description(transform: Transform) -> str:
    """One line that ends with the grain, then what the table reads and from which days."""
    table = transform.table
    read = [f"- `{r.table.id}`: {r.window_text}" for r in dict.fromkeys(transform.reads.values())]
    fed = [f"- source feed `{f.name}`" for f in transform.feeds.values()]
    return "\n".join([table.description, "", "Reads:", *read, *fed])


def _metadata(transform: Transform, settings: Settings) -> dict:
    table = transform.table
    columns = [_column(table, c) for c in table.columns.values()]
    module = inspect.getmodule(transform.build)
    path, line = Path(inspect.getsourcefile(transform.build) or ""), inspect.getsourcelines(transform.build)[1]
    return {
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "dagster/table_name": settings.stored_as(table),
        "dagster/storage_kind": settings.warehouse,
        "dagster/column_lineage": _lineage(transform),
        "dagster/code_references": dg.CodeReferencesMetadataValue(
            code_references=[
                dg.LocalFileCodeReference(
                    file_path=str(path), line_number=line, label=module.__name__ if module else None
                )
            ]
        ),
        "key": ", ".join(table.key),
        "hash_fields": ", ".join(table.hash_fields),
    }


def _column(table: Table, c: Column) -> dg.TableColumn:
    facts = {"Unit": c.unit, "Formula": c.formula}
    said = [c.description, *(f"**{name}:** {fact}" for name, fact in facts.items() if fact)]
    tags = {"hash_field": ""} if c.hashed else {}
    tags |= {"key": ""} if c.name in table.key else {}
    checks = [c.range_text] if c.range_text else []
    return dg.TableColumn(
        c.name,
        str(c.type),
        description="  \n".join(said),
        constraints=dg.TableColumnConstraints(nullable=c.nullable, unique=table.key == (c.name,), other=checks),
        tags=tags,
    )


def _lineage(transform: Transform) -> dg.TableColumnLineage:
    """Column lineage read off the expression; a table finished in Python has it for the columns that keep their names."""
    deps: dict[str, list[dg.TableColumnDep]] = {}
    for name, origins in column_origins(transform.expression).items():
        sources = {(asset_key(transform.reads[t].table), c) for t, c in origins if t in transform.reads}
        if sources and name in transform.table.columns:
            deps[name] = [dg.TableColumnDep(key, c) for key, c in sorted(sources)]
    return dg.TableColumnLineage(deps)
