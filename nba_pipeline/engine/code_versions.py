"""The fingerprints of all tables' code, kept on disk: reading every module's syntax tree takes a second."""

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import psutil

from nba_pipeline.common.cache_files import CacheFiles
from nba_pipeline.engine.fingerprint import installed_code
from nba_pipeline.engine.transform import Transform

# File times are as coarse as this; code that changed about when the process began may or may not be what it runs.
SETTLED_SECONDS = 2.0
NAME = "code"


@cache
def code_versions(transforms: tuple[Transform, ...], directory: Path) -> Mapping[str, str]:
    """Return the fingerprint of the code of each table, by table id.

    Args:
        transforms: The transforms of the tables.
        directory: Where the fingerprints are kept.
    """
    tables = [t.table.id for t in transforms]
    if not code_is_as_loaded():
        return _fingerprints(transforms)
    files, key = CacheFiles(directory), installed_code().digest
    found = files.get(NAME, key)
    if not isinstance(found, dict) or list(found) != tables:
        found = _fingerprints(transforms)
        files.put(NAME, key, found)
    return found


def code_is_as_loaded() -> bool:
    """Whether no module changed since this process began, so that the files say what was loaded."""
    return installed_code().changed_at() < psutil.Process().create_time() - SETTLED_SECONDS


def _fingerprints(transforms: Collection[Transform]) -> dict[str, str]:
    return {t.table.id: installed_code().fingerprint(t.source_files()) for t in transforms}
