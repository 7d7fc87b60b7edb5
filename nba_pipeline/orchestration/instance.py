"""The Dagster home below NBA_PIPELINE_HOME: created and initialised once, before any server or run uses it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from nba_pipeline.common.environment import hand_down
from nba_pipeline.common.files import write_atomically
from nba_pipeline.common.locking import file_lock
from nba_pipeline.common.sqlite import copied
from nba_pipeline.config.settings import Settings

CONFIG = "dagster.yaml"


def prepare(settings: Settings) -> Path:
    """Create the home with the shipped `dagster.yaml` and its databases, unless they are there.

    Two processes may call it at once.
    """
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    hand_down("DAGSTER_HOME", str(home))
    with file_lock(home / ".prepare.lock", exclusive=True, timeout=settings.lock_timeout):
        config = home / CONFIG
        if not config.exists():
            write_atomically(config, files("nba_pipeline").joinpath(CONFIG).read_bytes())
        with dg.DagsterInstance.get() as instance:
            instance.get_run_records(limit=1)
            instance.event_log_storage.get_maximum_record_id()
    return home


@contextmanager
def opened(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Open the Dagster instance of the home to read it; without one it is prepared, and where it can only be read copied."""
    home = settings.dagster_home
    with ExitStack() as until_closed:
        if (home / CONFIG).exists() and not os.access(home, os.W_OK):
            home = _copy_of(home, Path(until_closed.enter_context(TemporaryDirectory())))
        hand_down("DAGSTER_HOME", str(home))
        if not (home / CONFIG).exists():
            prepare(settings)
        yield until_closed.enter_context(dg.DagsterInstance.get())


def _copy_of(home: Path, copy: Path) -> Path:
    """Copy the configuration and the databases: storage of Dagster cannot be opened without writing."""
    shutil.copyfile(home / CONFIG, copy / CONFIG)
    for database in home.rglob("*.db"):
        target = copy / database.relative_to(home)
        target.parent.mkdir(parents=True, exist_ok=True)
        copied(database, target)
    return copy
