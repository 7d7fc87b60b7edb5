"""Store raw answers of the services unchanged; landing files are written from them, with or without a network.

`<directory>/<source>/<kind>/<key>/<fetched_at>-<first 16 of sha256>.<suffix>.gz`, and beside it `.meta.json` with the fetch time,
the whole sha256, the request, and the elements that were set aside. Files are never overwritten. Answers that could not be
read are below `rejected/` and never used.
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
    """A stored answer. `fetched_at` in UTC."""

    path: Path
    fetched_at: datetime

    def read(self) -> bytes:
        """Read the raw answer. Raises SourceError if the file was altered or damaged."""
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
        """The record beside the answer."""
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
    """The stored answers below `directory`."""

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
        """Write an answer atomically.

        Args:
            source: the service.
            kind: kind of the call.
            key: key of the call within its kind.
            content: the raw answer.
            fetched_at: when it was fetched.
            request: the request, without secrets.
            suffix: suffix of the file.
            rejected_because: reason to store the answer below `rejected/`.
            set_aside: unused elements of the answer, each with its reason.
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
        """List the answers to one call, oldest first."""
        folder = _folder(self.directory, source, kind, key)
        if not folder.is_dir():
            return []
        return [Payload(p, _stamp(p)) for p in sorted(folder.glob("*.gz"))]

    def latest(self, source: str, kind: str, key: str) -> Payload | None:
        """Return the newest answer to a call; None without one."""
        answers = self.all(source, kind, key)
        return answers[-1] if answers else None

    def bought_in_vain(self, source: str, kind: str, key: str) -> Payload | None:
        """Return the newest answer to a call that was rejected although it is JSON; None without one, or if one was accepted.

        What is no JSON, such as a page of a proxy or half an answer, is not what the service sells.
        """
        if self.latest(source, kind, key):
            return None
        rejected = PayloadStore(self.directory / REJECTED).all(source, kind, key)
        return next((answer for answer in reversed(rejected) if _is_json(answer.read())), None)

    def fetched(self, source: str, kind: str, key: str) -> datetime | None:
        """Return the fetch time of the newest answer to a call; None without one."""
        answer = self.latest(source, kind, key)
        return answer.fetched_at if answer else None

    def keys(self, source: str, kind: str, beginning: str) -> list[str]:
        """List the keys of a kind with a common beginning."""
        folder = self.directory / source / kind
        return sorted(p.name for p in folder.glob(f"{beginning}*") if p.is_dir()) if folder.is_dir() else []


def _folder(base: Path, *parts: str) -> Path:
    for part in parts:
        if not PART.fullmatch(part) or part.startswith("."):
            raise SourceError(
                f"{part!r} cannot be part of the name of a stored answer", "use letters, digits, _, . and -"
            )
    return base.joinpath(*parts)


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _stamp(path: Path) -> datetime:
    try:
        return datetime.strptime(path.name.split("-", 1)[0], STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise SourceError(
            f"{path} does not belong here: its name is not that of a stored answer", "remove it"
        ) from None
