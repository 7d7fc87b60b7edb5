"""A home belongs to the source that filled it: invented and real days must not mix."""

import json
from dataclasses import dataclass
from pathlib import Path

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.common.files import write_atomically

FILE = "source.json"


@dataclass(frozen=True)
class Origin:
    """The source that fills a home; the seed is that of the simulator, None for any other source."""

    source: str
    seed: int | None = None

    def __str__(self) -> str:
        return self.source if self.seed is None else f"{self.source} with seed {self.seed}"


def recorded_origin(home: Path) -> Origin | None:
    """Return the source that filled the home; None where none is recorded, as in a new home or one of an earlier release.

    Raises:
        ConfigurationError: The record cannot be read.
    """
    path = home / FILE
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return Origin(record["source"], record.get("seed"))
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            f"{path} is not a record of a source", "remove it; the next run writes it anew"
        ) from None


def require_origin(home: Path, origin: Origin) -> None:
    """Refuse a source other than the one that filled the home.

    Raises:
        ConfigurationError: names both sources.
    """
    recorded = recorded_origin(home)
    if recorded is not None and recorded != origin:
        raise ConfigurationError(
            f"the home {home} was filled from {recorded}, and the configured source is {origin}",
            f"set NBA_PIPELINE_SOURCE (and NBA_PIPELINE_SEED) back, choose another NBA_PIPELINE_HOME, or remove "
            f"{home / FILE} if this home is to go on from the other source",
        )


def record_origin(home: Path, origin: Origin) -> None:
    """Record the source of a home that has none recorded."""
    if recorded_origin(home) is None:
        record = {"source": origin.source} | ({} if origin.seed is None else {"seed": origin.seed})
        write_atomically(home / FILE, json.dumps(record).encode())
