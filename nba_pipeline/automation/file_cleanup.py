"""Removes files that killed processes left in the home: drafts of artifacts, simulated seasons, payloads and landing files."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from shutil import rmtree

ABANDONED_AFTER_SECONDS = 6 * 3600.0
DRAFTS = (
    "artifacts/.incoming/*",
    "simulator/seed-*/.*",
    "payloads/**/.*",
    "landing/**/.*",
)


def abandoned_drafts(home: Path, now: datetime) -> Iterator[Path]:
    """Yield drafts that did not change for six hours; finished files have other names.

    Args:
        home: The home of the pipeline.
        now: The time to measure ages from.
    """
    for pattern in DRAFTS:
        for path in sorted(home.glob(pattern)):
            if now.timestamp() - path.stat().st_mtime > ABANDONED_AFTER_SECONDS:
                yield path


def remove_abandoned_drafts(home: Path, now: datetime) -> list[str]:
    """Remove abandoned drafts and return their paths relative to the home.

    Args:
        home: The home of the pipeline.
        now: The time to measure ages from.
    """
    drafts = list(abandoned_drafts(home, now))
    for path in drafts:
        if path.is_dir():
            rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return [str(p.relative_to(home)) for p in drafts]
