"""Objects of a Google Cloud Storage bucket, with application default credentials and generations as versions."""

import mimetypes
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
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

from nba_pipeline.common.errors import ArtifactError

TIMEOUT_SECONDS = 60
ABSENT = 0
WRITE = "write"


class Superseded(Exception):
    """Another process wrote the object since the version that a write is based on."""


@dataclass(frozen=True)
class Version:
    """An object of a list: its name below the prefix, its generation, its size in bytes, and when it was written."""

    name: str
    generation: int
    size: int
    written: datetime


@dataclass(frozen=True)
class Bucket:
    """The objects of a bucket below `prefix`, which has no slash at either end and may be empty.

    STORAGE_EMULATOR_HOST, read by Google's client, points it at an emulator.
    """

    name: str
    prefix: str = ""

    @cached_property
    def _client(self) -> storage.Client:
        return storage.Client()

    def address(self, name: str) -> str:
        return f"gs://{self.name}/{self._key(name)}"

    def read(self, name: str) -> bytes | None:
        """Return the content; None without such an object. Raises ArtifactError."""
        with self._explained(name, "read"):
            try:
                return self._blob(name).download_as_bytes(timeout=TIMEOUT_SECONDS)
            except NotFound:
                return None

    def read_version(self, name: str, generation: int) -> bytes | None:
        """Return the content of a generation; None where it is no longer the current one. Raises ArtifactError."""
        with self._explained(name, "read"):
            try:
                return self._blob(name).download_as_bytes(if_generation_match=generation, timeout=TIMEOUT_SECONDS)
            except (NotFound, PreconditionFailed):
                return None

    def generation(self, name: str) -> int:
        """Return the generation of an object; ABSENT without one. Raises ArtifactError."""
        with self._explained(name, "read"):
            found = self._client.bucket(self.name).get_blob(self._key(name), timeout=TIMEOUT_SECONDS)
        return ABSENT if found is None or found.generation is None else found.generation

    def versions(self, below: str) -> list[Version]:
        """List the objects whose names begin so, in the order of their names. Raises ArtifactError."""
        outer = self._key("")
        with self._explained(below, "read"):
            blobs = self._client.list_blobs(self.name, prefix=self._key(below), timeout=TIMEOUT_SECONDS)
            return [Version(b.name.removeprefix(outer), b.generation, b.size, b.updated) for b in blobs]

    def write(self, name: str, content: bytes) -> None:
        """Write an object, visible whole or not at all. Raises ArtifactError."""
        with self._explained(name, "written"):
            self._upload(self._blob(name), content, None)

    def replace(self, name: str, content: bytes, generation: int) -> int:
        """Write an object in place of a generation and return the new one.

        A write whose answer was lost is found by its mark, and is not taken for that of another process.

        Args:
            name: The name of the object.
            content: Its new content.
            generation: The generation that the content follows from; ABSENT where there was none.

        Raises:
            Superseded: The object has another generation by now.
            ArtifactError: It cannot be written.
        """
        blob, mark = self._blob(name), uuid.uuid4().hex
        blob.metadata = {WRITE: mark}
        with self._explained(name, "written"):
            try:
                self._upload(blob, content, generation)
            except PreconditionFailed:
                found = self._client.bucket(self.name).get_blob(self._key(name), timeout=TIMEOUT_SECONDS)
                if found is None or (found.metadata or {}).get(WRITE) != mark:
                    raise Superseded(self.address(name)) from None
                blob = found
        assert blob.generation is not None
        return blob.generation

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def _blob(self, name: str) -> storage.Blob:
        return self._client.bucket(self.name).blob(self._key(name))

    def _upload(self, blob: storage.Blob, content: bytes, generation: int | None) -> None:
        kind, _ = mimetypes.guess_type(blob.name or "")
        blob.upload_from_string(
            content,
            content_type=kind or "application/octet-stream",
            if_generation_match=generation,
            timeout=TIMEOUT_SECONDS,
            checksum="crc32c",
        )

    @contextmanager
    def _explained(self, name: str, done: str) -> Iterator[None]:
        """Google's errors as ArtifactError, without addresses of requests or anything about credentials."""
        where = self.address(name)
        try:
            yield
        except NotFound:
            raise ArtifactError(
                f"{where} could not be {done}: the bucket does not exist",
                f"create the bucket {self.name} (docs/deploy.md), or correct NBA_PIPELINE_BUCKET",
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
                f"{where} could not be {done}: {_description(e)}",
                "run it again",
                transient=isinstance(e, ServerError | TooManyRequests),
            ) from None
        except (RetryError, RequestException) as e:
            raise ArtifactError(
                f"{where} could not be {done}: no answer from the storage service ({type(e).__name__})",
                "check the network, then run it again",
                transient=True,
            ) from None


def _description(e: GoogleAPICallError) -> str:
    code = "" if e.code is None else f"{int(e.code)} "
    return f"{code}{type(e).__name__}"
