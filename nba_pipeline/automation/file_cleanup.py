"""Files that killed processes left in the home: drafts of artifacts, of simulated seasons, of payloads and landing files."""

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


def abandoned(home: Path, now: datetime) -> Iterator[Path]:
    """Drafts that nobody has touched for six hours. Finished files have other names, and are never among them."""
    for pattern in DRAFTS:
        for path in sorted(home.glob(pattern)):
            if now.timestamp() - path.stat().st_mtime > ABANDONED_AFTER_SECONDS:
                yield path


def tidy(home: Path, now: datetime) -> list[str]:
    """Remove the abandoned drafts; their names below the home."""
    removed = list(abandoned(home, now))
    for path in removed:
        if path.is_dir():
            rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return [str(p.relative_to(home)) for p in removed]
