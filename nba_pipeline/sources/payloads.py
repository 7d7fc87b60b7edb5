"""Raw answers of the services, kept for ever as they came: what landing files are made from, with or without a network.

`<directory>/<source>/<kind>/<key>/<fetched_at>-<first 16 of sha256>.<suffix>.gz`, and beside it `.meta.json` with the fetch time,
the whole sha256, the request, and the elements that were set aside. Nothing is ever overwritten. What could not be read lies
below `rejected/` and is never used.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nba_pipeline.common.errors import SourceError
from nba_pipeline.common.files import write_atomically

STAMP = "%Y%m%dT%H%M%S.%fZ"
REJECTED = "rejected"
META = ".meta.json"
PART = re.compile(r"[A-Za-z0-9_.-]{1,120}")


@dataclass(frozen=True)
class Payload:
    """A kept answer. `fetched_at` in UTC."""

    path: Path
    fetched_at: datetime

    def read(self) -> bytes:
        """The answer as it came. Raises SourceError if the file was altered or damaged since."""
        try:
            content = gzip.decompress(self.path.read_bytes())
        except (OSError, EOFError, ValueError) as e:
            raise SourceError(f"{self.path} cannot be read ({type(e).__name__})", self._remedy) from e
        if hashlib.sha256(content).hexdigest() != self.meta["sha256"]:
            raise SourceError(
                f"{self.path} is not what was fetched: its sha256 differs from the recorded one", self._remedy
            )
        return content

    @property
    def meta(self) -> dict[str, Any]:
        sidecar = self.path.with_name(self.path.name + META)
        try:
            return json.loads(sidecar.read_text())
        except (OSError, ValueError) as e:
            raise SourceError(f"{sidecar} cannot be read ({type(e).__name__})", self._remedy) from e

    @property
    def _remedy(self) -> str:
        return "remove both files and ingest these days again"


@dataclass(frozen=True)
class PayloadStore:
    """The kept answers below `directory`."""

    directory: Path

    def keep(
        self,
        source: str,
        kind: str,
        key: str,
        content: bytes,
        fetched_at: datetime,
        request: Mapping[str, Any],
        *,
        suffix: str = "json",
        rejected_because: str | None = None,
        set_aside: Sequence[str] = (),
    ) -> Payload:
        """Write an answer, whole or not at all.

        Args:
            source: the service.
            kind: of the call.
            key: of the call among its kind.
            content: the answer as it came.
            fetched_at: when it came.
            request: what was asked, without secrets.
            suffix: of the file.
            rejected_because: puts the answer where it is never used.
            set_aside: elements of the answer that are not used, each with its reason.
        """
        base = self.directory / REJECTED if rejected_because else self.directory
        folder = _folder(base, source, kind, key)
        folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(content).hexdigest()
        path = folder / f"{fetched_at.astimezone(UTC):{STAMP}}-{digest[:16]}.{suffix}.gz"
        meta = {
            "source": source,
            "kind": kind,
            "key": key,
            "fetched_at": fetched_at.astimezone(UTC).isoformat(),
            "sha256": digest,
            "request": dict(request),
        }
        if rejected_because:
            meta["rejected_because"] = rejected_because
        if set_aside:
            meta["set_aside"] = list(set_aside)
        write_atomically(path.with_name(path.name + META), json.dumps(meta, indent=1).encode())
        write_atomically(path, gzip.compress(content, mtime=0))
        return Payload(path, fetched_at)

    def all(self, source: str, kind: str, key: str) -> list[Payload]:
        """The answers to one question, oldest first."""
        folder = _folder(self.directory, source, kind, key)
        if not folder.is_dir():
            return []
        return [Payload(p, _stamp(p)) for p in sorted(folder.glob("*.gz"))]

    def latest(self, source: str, kind: str, key: str) -> Payload | None:
        found = self.all(source, kind, key)
        return found[-1] if found else None

    def fetched(self, source: str, kind: str, key: str) -> datetime | None:
        """When the newest answer to the question was fetched; None where there is none."""
        found = self.latest(source, kind, key)
        return found.fetched_at if found else None

    def keys(self, source: str, kind: str, beginning: str) -> list[str]:
        """The keys of a kind that begin so."""
        folder = self.directory / source / kind
        return sorted(p.name for p in folder.glob(f"{beginning}*") if p.is_dir()) if folder.is_dir() else []


def _folder(base: Path, *parts: str) -> Path:
    for part in parts:
        if not PART.fullmatch(part) or part.startswith("."):
            raise SourceError(
                f"{part!r} cannot be part of the name of a kept answer", "use letters, digits, _, . and -"
            )
    return base.joinpath(*parts)


def _stamp(path: Path) -> datetime:
    try:
        return datetime.strptime(path.name.split("-", 1)[0], STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise SourceError(f"{path} does not belong here: its name is not that of a kept answer", "remove it") from None
