"""Artifacts in a Google Cloud Storage bucket, with application default credentials."""

import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from google.api_core.exceptions import (
    Forbidden,
    GoogleAPICallError,
    NotFound,
    PreconditionFailed,
    RetryError,
    ServerError,
    TooManyRequests,
)
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage
from requests.exceptions import RequestException

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

TIMEOUT_SECONDS = 60
DOES_NOT_EXIST = 0


@dataclass(frozen=True)
class BucketArtifacts:
    """`prefix` has no slash at either end and may be empty.

    STORAGE_EMULATOR_HOST, read by Google's client, points it at an emulator.
    """

    bucket: str
    prefix: str = ""

    @cached_property
    def _client(self) -> storage.Client:
        return storage.Client()

    def put(self, kind: Kind, name: str, content: bytes) -> Stored:
        location = content_location(kind, name, content)
        stored = Stored(location, digest(content), len(content))
        try:
            self._upload(location, content, if_generation_match=DOES_NOT_EXIST)
        except PreconditionFailed:
            self.get(location, stored.sha256)
        return stored

    def get(self, location: str, sha256: str) -> bytes:
        where = self.address(location)
        content = self._read(location)
        if content is None:
            raise ArtifactError(
                f"{where} is missing",
                "restore it from the bucket's earlier versions or a backup, or run again what wrote it; "
                "if the bucket was changed, check NBA_PIPELINE_BUCKET",
            )
        return require_unaltered(content, sha256, where)

    def publish(self, kind: Kind, name: str, content: bytes) -> Stored:
        location = named_location(kind, name)
        self._upload(location, content)
        return Stored(location, digest(content), len(content))

    def read(self, kind: Kind, name: str) -> bytes | None:
        return self._read(named_location(kind, name))

    def names(self, kind: Kind) -> set[str]:
        below = self._key(f"{kind}/")
        with self._explained(f"gs://{self.bucket}/{below}", "read"):
            blobs = self._client.list_blobs(self.bucket, prefix=below, timeout=TIMEOUT_SECONDS)
            return {b.name.removeprefix(below) for b in blobs}

    def address(self, location: str) -> str:
        return f"gs://{self.bucket}/{self._key(require_location(location))}"

    def _key(self, location: str) -> str:
        return f"{self.prefix}/{location}" if self.prefix else location

    def _blob(self, location: str) -> storage.Blob:
        return self._client.bucket(self.bucket).blob(self._key(location))

    def _read(self, location: str) -> bytes | None:
        with self._explained(self.address(location), "read"):
            try:
                return self._blob(location).download_as_bytes(timeout=TIMEOUT_SECONDS)
            except NotFound:
                return None

    def _upload(self, location: str, content: bytes, if_generation_match: int | None = None) -> None:
        """One object, visible whole or not at all; PreconditionFailed when it exists although it should not."""
        kind, _ = mimetypes.guess_type(location)
        with self._explained(self.address(location), "written"):
            self._blob(location).upload_from_string(
                content,
                content_type=kind or "application/octet-stream",
                if_generation_match=if_generation_match,
                timeout=TIMEOUT_SECONDS,
                checksum="crc32c",
            )

    @contextmanager
    def _explained(self, where: str, done: str) -> Iterator[None]:
        """Google's errors as ArtifactError, without addresses of requests or anything about credentials."""
        try:
            yield
        except PreconditionFailed:
            raise
        except NotFound:
            raise ArtifactError(
                f"{where} could not be {done}: the bucket does not exist",
                f"create the bucket {self.bucket} (docs/deploy.md), or correct NBA_PIPELINE_BUCKET",
            ) from None
        except Forbidden:
            raise ArtifactError(
                f"{where} could not be {done}: access denied",
                "give the service account roles/storage.objectUser on this bucket (docs/deploy.md)",
            ) from None
        except GoogleAuthError:
            raise ArtifactError(
                f"{where} could not be {done}: there are no usable application default credentials",
                "run `gcloud auth application-default login`, or attach a service account (docs/deploy.md)",
            ) from None
        except GoogleAPICallError as e:
            raise ArtifactError(
                f"{where} could not be {done}: {_said(e)}",
                "run it again; nothing was changed",
                transient=isinstance(e, ServerError | TooManyRequests),
            ) from None
        except (RetryError, RequestException) as e:
            raise ArtifactError(
                f"{where} could not be {done}: no answer from the storage service ({type(e).__name__})",
                "check the network, then run it again; nothing was changed",
                transient=True,
            ) from None


def _said(e: GoogleAPICallError) -> str:
    code = "" if e.code is None else f"{int(e.code)} "
    return f"{code}{type(e).__name__}"
