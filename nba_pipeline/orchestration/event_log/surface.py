"""The private parts of Dagster that the batched event logs and their writers build on, and whether the installed one has them.

`setup.cfg` allows the versions that are tested. Another one may lack a part: then a home gets Dagster's own storage, which is
slower, instead of failing in the middle of a run.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module

STORAGE = "dagster._core.storage.event_log.sql_event_log:SqlEventLogStorage"
PARTS: Mapping[str, Sequence[str]] = {
    "dagster._core.definitions.asset_checks.asset_check_evaluation": ("AssetCheckEvaluationTargetMaterializationData",),
    "dagster._core.definitions.events:AssetMaterialization": ("_replace", "label"),
    "dagster._core.definitions.metadata": ("normalize_metadata",),
    "dagster._core.event_api": ("EventLogCursor",),
    "dagster._core.events": (
        "ASSET_CHECK_EVENTS",
        "ASSET_EVENTS",
        "AssetMaterializationPlannedData",
        "StepMaterializationData",
    ),
    "dagster._core.events:DagsterEvent": ("_fields", "_replace"),
    "dagster._core.events.log:EventLogEntry": ("_fields", "_replace"),
    "dagster._core.execution.context.system:StepExecutionContext": ("observe_output",),
    "dagster._core.storage.asset_check_execution_record": ("AssetCheckExecutionRecordStatus",),
    "dagster._core.storage.event_log.schema": (
        "AssetCheckExecutionsTable",
        "AssetEventTagsTable",
        "SqlEventLogStorageMetadata",
        "SqlEventLogStorageTable",
    ),
    "dagster._core.storage.event_log.sqlite": ("sqlite_event_log",),
    "dagster._core.storage.sql": (
        "AlembicVersion",
        "check_alembic_revision",
        "get_alembic_config",
        "run_alembic_upgrade",
        "stamp_alembic_rev",
    ),
    "dagster._serdes": ("ConfigurableClass", "ConfigurableClassData", "serialize_value"),
    STORAGE: (
        "_event_insert_timestamp",
        "_get_asset_entry_values",
        "_get_latest_materialization_records",
        "_has_asset_key_index_cols_on_connection",
        "_store_asset_event",
        "_tags_for_asset_event",
        "get_asset_tags_to_index",
        "get_records_for_run",
        "has_asset_key_col",
        "reindex_assets",
        "reindex_events",
        "store_asset_check_event",
        "store_event_batch",
    ),
}


def missing_parts(parts: Mapping[str, Sequence[str]] = PARTS) -> list[str]:
    """Return the names of private parts that the installed Dagster lacks.

    Args:
        parts: Names by module, or by class of a module.
    """
    return [f"{place}.{name}" for place, names in parts.items() for name in names if not _has(place, name)]


def _has(place: str, name: str) -> bool:
    module, _, owner = place.partition(":")
    try:
        found = import_module(module)
    except ImportError:
        return False
    return hasattr(getattr(found, owner, None) if owner else found, name)
