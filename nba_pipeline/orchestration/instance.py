"""The Dagster home below NBA_PIPELINE_HOME: created and initialised once, before any server or run uses it."""

import os
import re
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from nba_pipeline.common.environment import hand_down
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.common.files import write_atomically
from nba_pipeline.common.locking import file_lock
from nba_pipeline.common.sqlite import copied
from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration.event_log.surface import missing_parts

CONFIG = "dagster.yaml"
# What `dagster.yaml` was with the batched event log, while the installed Dagster cannot have it.
BATCHED = "dagster.batched.yaml"
BATCHED_STORAGE = re.compile(r"^event_log_storage:\n  module: nba_pipeline\.[^\n]*\n(?:[ ]+[^\n]*\n)*", re.M)


def prepare(settings: Settings) -> Path:
    """Create the home with the shipped `dagster.yaml` and its databases, unless they are there.

    Two processes may call it at once.
    """
    with prepared(settings):
        return settings.dagster_home


@contextmanager
def prepared(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Open the instance of the home, which is created as by `prepare`.

    Args:
        settings: The settings, for the home.
    """
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    hand_down("DAGSTER_HOME", str(home))
    with ExitStack() as until_closed:
        with file_lock(home / ".prepare.lock", exclusive=True, timeout=settings.lock_timeout):
            _configure(home / CONFIG, missing_parts())
            instance = until_closed.enter_context(dg.DagsterInstance.get())
            instance.get_run_records(limit=1)
            instance.event_log_storage.get_maximum_record_id()
        yield instance


def _configure(config: Path, missing: Sequence[str]) -> None:
    """Write the shipped configuration of a new home, and hold the event log to what the installed Dagster can do.

    Args:
        config: The `dagster.yaml` of the home.
        missing: Private parts of Dagster that the batched event log needs and the installed Dagster lacks.
    """
    if not config.exists():
        write_atomically(config, files("nba_pipeline").joinpath(CONFIG).read_bytes())
    text, kept = config.read_text(encoding="utf-8"), config.with_name(BATCHED)
    if missing and BATCHED_STORAGE.search(text):
        write_atomically(kept, text.encode())
        write_atomically(config, BATCHED_STORAGE.sub("", text).encode())
        warnings.warn(
            f"Dagster {version('dagster')} lacks {', '.join(missing)}, which the batched event log needs: {config} now uses "
            "Dagster's own event log, which is slower and starts empty. Fix: install a version that setup.cfg allows, or run "
            "`nba-pipeline reconcile` to report published days to it",
            stacklevel=2,
        )
    elif not missing and kept.exists():
        write_atomically(config, kept.read_bytes())
        kept.unlink()


@contextmanager
def opened(settings: Settings, *, to_change: bool = False) -> Iterator[dg.DagsterInstance]:
    """Open the Dagster instance of the home; without one it is prepared, and where it can only be read copied.

    Args:
        settings: The settings, for the home.
        to_change: Whether the instance itself is to be changed, for which a copy will not do.

    Raises:
        ConfigurationError: It is to be changed, and this account may only read it.
    """
    home = settings.dagster_home
    with ExitStack() as until_closed:
        if (home / CONFIG).exists() and not os.access(home, os.W_OK):
            if to_change:
                raise ConfigurationError(
                    f"{home} can only be read by this account, and this command changes it",
                    "run it under the account that owns the directory, and on a volume that is not mounted read-only",
                )
            home = _copy_of(home, Path(until_closed.enter_context(TemporaryDirectory())))
        hand_down("DAGSTER_HOME", str(home))
        is_new = not (home / CONFIG).exists()
        yield until_closed.enter_context(prepared(settings) if is_new else dg.DagsterInstance.get())


def _copy_of(home: Path, copy: Path) -> Path:
    """Copy the configuration and the databases: storage of Dagster cannot be opened without writing."""
    shutil.copyfile(home / CONFIG, copy / CONFIG)
    for database in home.rglob("*.db"):
        target = copy / database.relative_to(home)
        target.parent.mkdir(parents=True, exist_ok=True)
        copied(database, target)
    return copy
