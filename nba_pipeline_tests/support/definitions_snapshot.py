"""A readable description of everything Dagster is given: assets, checks, jobs, schedules, sensors.

`python -m nba_pipeline_tests.support.definitions_snapshot` writes it anew after an intended change.
"""

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dagster as dg

from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration import jobs
from nba_pipeline.orchestration.assets import table_asset
from nba_pipeline.tables.catalog import TRANSFORMS

FILE = Path(__file__).parents[1] / "integration" / "snapshots" / "definitions.json"
RENEW = f"python -m {__name__ if __name__ != '__main__' else 'nba_pipeline_tests.support.definitions_snapshot'}"


def describe() -> dict[str, Any]:
    """Return the description of the definitions as the embedded defaults give them."""
    from nba_pipeline.definitions import defs

    settings = Settings.from_environment()
    tables = {table_asset(t, settings).key: table_asset(t, settings) for t in TRANSFORMS}
    graph = defs.resolve_asset_graph()
    return {
        "assets": {
            key.to_user_string(): _asset(graph.get(key), tables.get(key)) for key in sorted(graph.get_all_asset_keys())
        },
        "checks": sorted(f"{k.asset_key.to_user_string()}: {k.name}" for k in graph.asset_check_keys),
        "jobs": {job.name: _job(defs, job.name) for job in jobs.JOBS},
        "schedules": {s.name: _schedule(s) for s in defs.schedules or () if isinstance(s, dg.ScheduleDefinition)},
        "sensors": {s.name: _sensor(s) for s in defs.sensors or () if isinstance(s, dg.SensorDefinition)},
    }


def _asset(node: Any, asset: dg.AssetsDefinition | None) -> dict[str, Any]:
    schema = asset.metadata_by_key[node.key].get("dagster/column_schema") if asset else None
    return {
        "group": node.group_name,
        "deps": sorted(k.to_user_string() for k in node.parent_keys),
        "partitions": f"{node.partitions_def.start:%Y-%m-%d} {node.partitions_def.timezone}",
        "tags": dict(sorted(node.tags.items())),
        "kinds": sorted(node.kinds),
        "owners": sorted(node.owners),
        "columns": [_column(c) for c in schema.columns] if isinstance(schema, dg.TableSchema) else [],
    }


def _column(column: dg.TableColumn) -> str:
    required = "" if column.constraints.nullable else " required"
    tags = "".join(f" {tag}" for tag in sorted(column.tags or {}))
    return f"{column.name}: {column.type}{required}{tags}"


def _job(defs: dg.Definitions, name: str) -> list[str]:
    return sorted(key.to_user_string() for key in defs.resolve_job_def(name).asset_layer.executable_asset_keys)


def _schedule(schedule: dg.ScheduleDefinition) -> dict[str, Any]:
    return {
        "cron": schedule.cron_schedule,
        "timezone": schedule.execution_timezone,
        "job": schedule.job_name,
        "default_status": schedule.default_status.value,
    }


def _sensor(sensor: dg.SensorDefinition) -> dict[str, Any]:
    return {
        "jobs": [target.job_name for target in sensor.targets],
        "minimum_interval_seconds": sensor.minimum_interval_seconds,
        "default_status": sensor.default_status.value,
    }


def text() -> str:
    """Return the description as the committed file holds it."""
    return json.dumps(describe(), indent=2) + "\n"


if __name__ == "__main__":
    with TemporaryDirectory() as empty:  # the home of `make demo` begins on a day of its own
        os.environ["NBA_PIPELINE_HOME"] = empty
        FILE.write_text(text())
