"""What an artifact store must be able to do, and how artifacts are named in all of them.

A location is relative to the root of its store, with `/` between its parts, so a home may be moved, and a home's
artifacts may be copied to a bucket, without touching the tables that name them.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, Protocol, get_args

from nba_pipeline.common.errors import ArtifactError

Kind = Literal["models", "reports", "exports"]

_PART = r"[A-Za-z0-9_][A-Za-z0-9._=+-]*"
_NAME = re.compile(rf"{_PART}(/{_PART})*")
_LOCATION = re.compile(rf"({'|'.join(get_args(Kind))})/{_PART}(/{_PART})*")
LONGEST_NAME = 160


@dataclass(frozen=True)
class Stored:
    """Where an artifact lies in its store, and what it is: SHA-256 in 64 hex digits, size in bytes."""

    location: str
    sha256: str
    bytes: int


class ArtifactStore(Protocol):
    """Files by content: what `put` returned is what `get` gives back, unaltered, or an ArtifactError."""

    def put(self, kind: Kind, name: str, content: bytes) -> Stored:
        """Store `content` once, at a location that follows from kind, name and content.

        The same content may be put again, also at the same time. Raises ArtifactError when the store cannot be written, or
        when something else lies at that location: it is never overwritten.
        """
        ...

    def get(self, location: str, sha256: str) -> bytes:
        """The content, verified. Raises ArtifactError when it is missing, altered or cannot be read."""
        ...

    def publish(self, kind: Kind, name: str, content: bytes) -> Stored:
        """Make `content` what lies at `kind/name`, for files that people look up by name; replaces an earlier one whole.

        Of several at the same time, one wins. Raises ArtifactError when the store cannot be written.
        """
        ...

    def read(self, kind: Kind, name: str) -> bytes | None:
        """What was last published under the name; None where nothing was. Raises ArtifactError when it cannot be read."""
        ...

    def names(self, kind: Kind) -> set[str]:
        """The names of all artifacts of a kind. Raises ArtifactError when the store cannot be read."""
        ...

    def address(self, location: str) -> str:
        """Where a person or another tool finds it: an absolute path, or a gs:// address."""
        ...


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def content_location(kind: Kind, name: str, content: bytes) -> str:
    """`models`, `xgboost_v1/points.json` -> `models/xgboost_v1/points.<sha256>.json`."""
    path = PurePosixPath(named_location(kind, name))
    return str(path.with_name(f"{path.stem}.{digest(content)}{path.suffix}"))


def named_location(kind: Kind, name: str) -> str:
    """`reports`, `2024-01-05.html` -> `reports/2024-01-05.html`. Raises ArtifactError for names that not every store can keep."""
    if kind not in get_args(Kind):
        raise ArtifactError(f"artifacts of kind {kind!r} are not stored", f"use one of: {', '.join(get_args(Kind))}")
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise ArtifactError(
            f"{name!r} cannot name an artifact of kind {kind}",
            f"use at most {LONGEST_NAME} letters, digits and . _ = + -, in parts separated by /, none of which starts with a dot",
        )
    return f"{kind}/{name}"


def require_location(location: str) -> str:
    """The location itself; raises ArtifactError for one that no store gives out, such as one that leaves the store."""
    if not _LOCATION.fullmatch(location):
        raise ArtifactError(
            f"{location!r} is not the location of an artifact", "use the location that the store gave out"
        )
    return location


def require_unaltered(content: bytes, sha256: str, where: str) -> bytes:
    """The content itself; raises ArtifactError, saying where, when it has another hash."""
    found = digest(content)
    if found != sha256:
        raise ArtifactError(
            f"{where} was altered: its SHA-256 is {found}, not {sha256} ({len(content):,} bytes)",
            "restore that file from a backup, or remove it and run again what wrote it",
        )
    return content


def transfer(location: str, sha256: str, origin: ArtifactStore, target: ArtifactStore) -> Stored:
    """Put one content-addressed artifact into another store, under the same location. Raises ArtifactError."""
    if f".{sha256}" not in location:
        raise ArtifactError(f"{location!r} does not name its content", "copy artifacts that `put` stored")
    content = origin.get(location, sha256)
    kind, name = require_location(location).replace(f".{sha256}", "").split("/", 1)
    return target.put(_kind(kind), name, content)


def _kind(text: str) -> Kind:
    return next(k for k in get_args(Kind) if k == text)
