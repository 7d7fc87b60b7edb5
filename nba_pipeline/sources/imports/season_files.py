"""Find season files in a directory or at an address, check their sha256, and read their rows."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import requests

from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import SourceError, first_line
from nba_pipeline.common.files import replacing, write_atomically
from nba_pipeline.sources.landing import SUFFIXES
from nba_pipeline.sources.live_settings import Pace

CHUNK = 2**20
MANIFEST = "imports.json"
Row = dict[str, Any]


@dataclass(frozen=True)
class SeasonFile:
    """A file that was found, with the digest of its content."""

    path: Path
    sha256: str


def locate(place: str, folder: str, stem: str, cache: Path, pace: Pace) -> SeasonFile | None:
    """Find a season file.

    Args:
        place: A directory, with or without the folders of the releases, or an address.
        folder: Folder or release of the file.
        stem: Its name without the suffix.
        cache: Directory for files from an address; a file that is there whole is not fetched again.
        pace: Time-out of a request.

    Returns:
        The file; None where the place does not have it.

    Raises:
        SourceError: The place cannot be read.
    """
    if place.lower().startswith(("http://", "https://")):
        return _fetched(f"{place.rstrip('/')}/{folder}/{stem}.parquet", cache / folder / f"{stem}.parquet", pace)
    directory = Path(place)
    if not directory.is_dir():
        raise SourceError(f"the directory {directory} does not exist", "name a directory with the files, or an address")
    for base in (directory / folder, directory):
        for suffix in SUFFIXES:
            path = base / f"{stem}{suffix}"
            if path.is_file():
                return SeasonFile(path, digest_of(path))
    return None


def _fetched(url: str, path: Path, pace: Pace) -> SeasonFile | None:
    """Fetch a file once: its sha256 is kept beside it, and a file that no longer has it is fetched again."""
    record = path.with_name(f"{path.name}.sha256")
    if path.is_file() and record.is_file() and record.read_text().strip() == digest_of(path):
        return SeasonFile(path, record.read_text().strip())
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with requests.get(url, stream=True, timeout=pace.timeout) as answer:
            if answer.status_code == requests.codes.not_found:
                return None
            answer.raise_for_status()
            promised = answer.headers.get("Content-Length")
            with replacing(path) as draft, draft.open("wb") as file:
                size = sum(file.write(chunk) for chunk in answer.iter_content(CHUNK))
                if promised and not answer.headers.get("Content-Encoding") and size != int(promised):
                    raise SourceError(f"{url}: {size:,} of {promised} bytes came", "run the same command again")
    except requests.RequestException as e:
        raise SourceError(
            f"{url} cannot be fetched ({type(e).__name__})",
            "run the same command again, or fetch the files elsewhere and name their directory with --from",
        ) from e
    digest = digest_of(path)
    write_atomically(record, f"{digest}\n".encode())
    return SeasonFile(path, digest)


def digest_of(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_rows(path: Path, required: Sequence[str]) -> list[Row]:
    """Read all rows of a file; CSV values are texts.

    Raises:
        SourceError: It cannot be read, or lacks a required column.
    """
    quoted = str(path).replace("'", "''")
    scan = f"'{quoted}'" if path.suffix == ".parquet" else f"read_csv('{quoted}', all_varchar=true, header=true)"
    try:
        with duck.connect() as db:
            table = db.execute(f"SELECT * FROM {scan}").to_arrow_table()
    except duckdb.Error as e:
        raise SourceError(
            f"{path} cannot be read: {first_line(e)}", duck.remedy(e, "replace it by a complete file")
        ) from e
    names = {n.lower(): n for n in table.column_names}
    missing = [c for c in required if c not in names]
    if missing:
        raise SourceError(
            f"{path}: columns are missing: {', '.join(missing)} (there are: {', '.join(sorted(names))})",
            "the form of the files has changed, or it is another file",
        )
    return table.rename_columns([n.lower() for n in table.column_names]).to_pylist()


def read_manifest(landing: Path) -> dict[str, dict[str, Any]]:
    """Read the record of imported files: sha256, rows and what was set aside, by the name of the file."""
    path = landing / MANIFEST
    try:
        return json.loads(path.read_text()) if path.is_file() else {}
    except ValueError:
        raise SourceError(f"{path} is not a record of imports", "remove it; files are then imported again") from None


def write_manifest(landing: Path, manifest: dict[str, dict[str, Any]]) -> None:
    """Write the record of imported files."""
    landing.mkdir(parents=True, exist_ok=True)
    write_atomically(landing / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
