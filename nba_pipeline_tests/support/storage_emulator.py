"""Google Cloud Storage on loopback: the emulator's own server, over its HTTP interface, with what it lacks and we rely on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from threading import Lock
from typing import Any

from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.handlers import buckets, objects
from gcp_storage_emulator.server import HANDLERS, RequestHandler
from gcp_storage_emulator.storage import Storage

from nba_pipeline_tests.support.serving import serving

BUCKET = "nba-props"
ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class StorageService:
    """The address for STORAGE_EMULATOR_HOST, and what the bucket holds."""

    address: str
    storage: Storage

    @property
    def names(self) -> list[str]:
        listed, _ = self.storage.get_file_list(BUCKET, prefix="", delimiter=None)
        return sorted(found["name"] for found in listed)

    def content(self, name: str) -> bytes:
        return self.storage.get_file(BUCKET, name)

    def overwrite(self, name: str, content: bytes) -> None:
        """Behind the back of the store."""
        facts = self.storage.get_file_obj(BUCKET, name)
        self.storage.create_file(BUCKET, name, content, facts | objects._checksums(content, {}))

    def delete(self, name: str) -> None:
        self.storage.delete_file(BUCKET, name)


@contextmanager
def storage_service() -> Iterator[StorageService]:
    """A server with one empty bucket."""
    storage = Storage(use_memory_fs=True)
    buckets.create_bucket(BUCKET, storage)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_OneAtATime, storage))
    with serving(server):
        yield StorageService(f"http://127.0.0.1:{server.server_port}", storage)


class _OneAtATime(RequestHandler):
    """Open connections wait for each other, as the emulator's storage needs it."""

    def do_GET(self) -> None:
        with ONE_AT_A_TIME:
            super().do_GET()

    def do_POST(self) -> None:
        with ONE_AT_A_TIME:
            super().do_POST()

    def do_PUT(self) -> None:
        with ONE_AT_A_TIME:
            super().do_PUT()


def _refused(bucket: str, name: str, expected: str | None, storage: Storage) -> bool:
    """Whether the object has another generation than a write is based on, 0 being none."""
    try:
        current = storage.get_file_obj(bucket, name)["generation"]
    except NotFound:
        current = "0"
    return expected is not None and current != expected


def _expected(request: Any) -> str | None:
    return request.query.get("ifGenerationMatch", [None])[0]


def _honouring_preconditions(handle: Any) -> Any:
    """The emulator ignores `ifGenerationMatch`; the service answers 412 where the object has another generation."""

    def guarded(request: Any, response: Any, storage: Storage) -> Any:
        params = request.params
        name = params.get("object_id") or request.data.get("meta", request.data)["name"]
        if _refused(params["bucket_name"], name, _expected(request), storage):
            response.status = HTTPStatus.PRECONDITION_FAILED
            return None
        return handle(request, response, storage)

    return guarded


def _honouring_at_the_end(upload: Any) -> Any:
    """An upload in parts counts when its last part is there: another may have written meanwhile."""

    def guarded(request: Any, response: Any, storage: Storage, *arguments: Any, **named: Any) -> Any:
        facts = storage.get_resumable_file_obj(request.query["upload_id"][0])
        if _refused(facts["bucket"], facts["name"], _expected(request), storage):
            response.status = HTTPStatus.PRECONDITION_FAILED
            return None
        return upload(request, response, storage, *arguments, **named)

    return guarded


objects._multipart_upload = _honouring_preconditions(objects._multipart_upload)
objects._create_resumable_upload = _honouring_preconditions(objects._create_resumable_upload)
for _, _handlers in HANDLERS:
    for _method, _handler in _handlers.items():
        if _handler is objects.download:
            _handlers[_method] = _honouring_preconditions(objects.download)
        elif _handler is objects.upload_partial:
            _handlers[_method] = _honouring_at_the_end(objects.upload_partial)
