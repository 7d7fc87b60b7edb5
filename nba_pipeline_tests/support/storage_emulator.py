"""Google Cloud Storage on loopback: the emulator's own server, over its HTTP interface, with what it lacks and we rely on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.handlers import buckets, objects
from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage

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
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield StorageService(f"http://127.0.0.1:{server.server_port}", storage)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


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


def _honouring_preconditions(upload: Any) -> Any:
    """The emulator ignores `ifGenerationMatch=0`; the service answers 412 when the object exists."""

    def guarded(request: Any, response: Any, storage: Storage) -> Any:
        if request.query.get("ifGenerationMatch") == ["0"]:
            meta = request.data.get("meta", request.data)
            try:
                storage.get_file_obj(request.params["bucket_name"], meta["name"])
            except NotFound:
                pass
            else:
                response.status = HTTPStatus.PRECONDITION_FAILED
                return None
        return upload(request, response, storage)

    return guarded


objects._multipart_upload = _honouring_preconditions(objects._multipart_upload)
objects._create_resumable_upload = _honouring_preconditions(objects._create_resumable_upload)
