"""Servers on threads of this process, which end as soon as a test is done with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from threading import Thread

# A server looks so often whether it shall end: of the half second that is usual, many tests with one each wait the most part.
LOOK_SECONDS = 0.02


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """Answer requests beside the block, and close the server with it."""
    thread = Thread(target=server.serve_forever, args=(LOOK_SECONDS,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
