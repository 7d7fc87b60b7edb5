"""Artifacts below a directory, each written to a temporary file, flushed to the disk and then renamed."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
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
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise ArtifactError(
                f"{path} is missing",
                "restore it from a backup of the artifacts, or run again what wrote it; "
                "if the home was moved, check NBA_PIPELINE_HOME and NBA_PIPELINE_BUCKET",
            ) from None
        except OSError as e:
            raise ArtifactError(f"{path} cannot be read: {e.strerror}", "check the permissions of the file") from e
        return require_unaltered(content, sha256, str(path))

    def publish(self, kind: Kind, name: str, content: bytes) -> Stored:
        location = named_location(kind, name)
        self._write(location, content)
        return Stored(location, digest(content), len(content))

    def address(self, location: str) -> str:
        return str(self._path(require_location(location)))

    def _path(self, location: str) -> Path:
        return self.root / location

    def _write(self, location: str, content: bytes) -> None:
        """Atomic: another process sees nothing, or all of it; so does this one after a crash."""
        path = self._path(location)
        try:
            with self._temporary() as temporary:
                with temporary.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(path)
            _sync(path.parent)
        except OSError as e:
            raise ArtifactError(
                f"{path} was not written: {e.strerror}", "check free disk space and the permissions of the directory"
            ) from e

    @contextlib.contextmanager
    def _temporary(self) -> Iterator[Path]:
        """A file of our own beside the artifacts; those that killed processes left are removed on the way."""
        incoming = self.root / INCOMING
        incoming.mkdir(parents=True, exist_ok=True)
        for left in incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > ABANDONED_AFTER_SECONDS:
                    left.unlink()
        descriptor, name = tempfile.mkstemp(dir=incoming)
        os.close(descriptor)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)


def _sync(directory: Path) -> None:
    """Make the rename survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
