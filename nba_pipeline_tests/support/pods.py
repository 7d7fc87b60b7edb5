"""Pods that share the state in one bucket: settings of each, and several processes at once."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from nba_pipeline_tests.support.storage_emulator import BUCKET, StorageService

PREFIX = "team/props"
SHARED = {"NBA_PIPELINE_BUCKET": f"gs://{BUCKET}/{PREFIX}", "NBA_PIPELINE_STATE": "bucket"}


def at_once(service: StorageService, script: str, *names: str, home: Path) -> None:
    """Run one process for each name, all at the same time, and require that all end well."""
    environment = os.environ | SHARED | {"STORAGE_EMULATOR_HOST": service.address}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script), name],
            env=environment | {"NBA_PIPELINE_HOME": str(home / name)},
        )
        for name in names
    ]
    assert [process.wait(timeout=120) for process in started] == [0] * len(names)
