"""Files that keep what was computed once, so that the next process need not compute it again.

A file holds its key and the digest of its content. One that is torn, damaged or made for another key counts as absent. Files
are replaced whole, so that several processes may write at once; where nothing can be written, nothing is kept.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from nba_pipeline.common.files import write_atomically

# Versions of one entry that are kept, so that two releases that share a home do not displace each other.
VERSIONS_KEPT = 4


@dataclass(frozen=True)
class CacheFiles:
    """Keeps JSON values by name and key in one directory, made when needed; the directory above it must exist."""

    directory: Path

    def get(self, name: str, key: str) -> Any:
        """Return the value; None where there is none that is whole and of this key."""
        try:
            record = json.loads(self._path(name, key).read_text(encoding="utf-8"))
            text = record["value"]
            if record["key"] == key and record["digest"] == _digest(key, text):
                return json.loads(text)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return None

    def has(self, name: str, key: str) -> bool:
        """Return whether there is a value of this key, which may be damaged."""
        return self._path(name, key).exists()

    def put(self, name: str, key: str, value: Any) -> bool:
        """Keep a value, and of its name only the latest few; return false where nothing can be written."""
        text = json.dumps(value)
        record = {"key": key, "digest": _digest(key, text), "value": text}
        try:
            self.directory.mkdir(exist_ok=True)
            write_atomically(self._path(name, key), json.dumps(record).encode())
            for path in self._outdated(name):
                path.unlink(missing_ok=True)
        except OSError:
            return False
        return True

    def _path(self, name: str, key: str) -> Path:
        return self.directory / f"{name}.{key[:16]}.json"

    def _outdated(self, name: str) -> list[Path]:
        ages = {}
        for path in self.directory.glob(f"{name}.*.json"):
            try:
                ages[path] = path.stat().st_mtime_ns
            except FileNotFoundError:
                continue
        return sorted(ages, key=lambda p: ages[p], reverse=True)[VERSIONS_KEPT:]


def _digest(key: str, text: str) -> str:
    return sha256(f"{key}\n{text}".encode()).hexdigest()
