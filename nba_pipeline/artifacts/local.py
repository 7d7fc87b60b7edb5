"""Artifacts below a directory, each written to a temporary file, flushed to the disk and then renamed."""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from nba_pipeline.artifacts.protocol import (
    Kind,
    Stored,
    content_location,
    digest,
    named_location,
    require_location,
    require_unaltered,
)
from nba_pipeline.common.errors import ArtifactError
from nba_pipeline.common.files import write_atomically

INCOMING = ".incoming"
ABANDONED_AFTER_SECONDS = 3600.0


@dataclass(frozen=True)
class LocalArtifacts:
    """`root` need not exist yet."""

    root: Path

    def put(self, kind: Kind, name: str, content: bytes) -> Stored:
        location = content_location(kind, name, content)
        stored = Stored(location, digest(content), len(content))
        if self._path(location).exists():
            self.get(location, stored.sha256)
        else:
            self._write(location, content)
        return stored

    def get(self, location: str, sha256: str) -> bytes:
        path = self._path(require_location(location))
        content = self._read(path)
        if content is None:
            raise ArtifactError(
                f"{path} is missing",
                "restore it from a backup of the artifacts, or run again what wrote it; "
                "if the home was moved, check NBA_PIPELINE_HOME and NBA_PIPELINE_BUCKET",
            )
        return require_unaltered(content, sha256, str(path))

    def publish(self, kind: Kind, name: str, content: bytes) -> Stored:
        location = named_location(kind, name)
        self._write(location, content)
        return Stored(location, digest(content), len(content))

    def read(self, kind: Kind, name: str) -> bytes | None:
        return self._read(self._path(named_location(kind, name)))

    def names(self, kind: Kind) -> set[str]:
        below = self.root / kind
        return {p.relative_to(below).as_posix() for p in below.rglob("*") if p.is_file()}

    def address(self, location: str) -> str:
        return str(self._path(require_location(location)))

    def _read(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as e:
            raise ArtifactError(f"{path} cannot be read: {e.strerror}", "check the permissions of the file") from e

    def _path(self, location: str) -> Path:
        return self.root / location

    def _write(self, location: str, content: bytes) -> None:
        path = self._path(location)
        try:
            incoming = self._incoming()
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content, incoming)
        except OSError as e:
            raise ArtifactError(
                f"{path} was not written: {e.strerror}", "check free disk space and the permissions of the directory"
            ) from e

    def _incoming(self) -> Path:
        """The directory of files being written; those that killed processes left are removed on the way."""
        incoming = self.root / INCOMING
        incoming.mkdir(parents=True, exist_ok=True)
        for left in incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > ABANDONED_AFTER_SECONDS:
                    left.unlink()
        return incoming
