"""The plans of all tables of the catalog."""

from pathlib import Path

from nba_pipeline.engine.plan_store import StoredPlans
from nba_pipeline.tables.catalog import TRANSFORMS


def stored_plans(directory: Path) -> StoredPlans:
    """Return the plans of the catalog's transforms, which are kept in a directory from one process to the next."""
    return StoredPlans(directory, TRANSFORMS)
