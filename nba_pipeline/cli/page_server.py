"""The written pages over HTTP, from wherever the artifacts of the home are: a directory or a bucket.

`python -m nba_pipeline.cli.page_server DESCRIPTOR PARENT [NAME]...` serves them on an open socket, to requests by the local names
and the given ones, and ends with the process PARENT.
"""

import mimetypes
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Collection
from http import HTTPStatus
from threading import Thread

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from nba_pipeline.artifacts import ArtifactStore
from nba_pipeline.cli.own_pages import LOCAL_NAMES, Application, OwnPagesOnly
from nba_pipeline.common.errors import ArtifactError, ConfigurationError
from nba_pipeline.config.settings import Settings

PAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*\.(html|json)")
INDEX = "index.html"
WATCHED_EVERY_SECONDS = 1.0


def application(store: ArtifactStore, names: Collection[str]) -> Application:
    """Build the server of the pages, read only.

    Args:
        store: Where the pages are.
        names: The names of the server; requests for other hosts, and of other pages, are refused.
    """

    async def page(request: Request) -> Response:
        name = request.path_params.get("name", INDEX)
        try:
            content = await run_in_threadpool(store.read, "reports", name) if PAGE.fullmatch(name) else None
        except ArtifactError as e:
            return PlainTextResponse(f"{e}\n", HTTPStatus.SERVICE_UNAVAILABLE)
        if content is None:
            return PlainTextResponse(
                f"there is no page {name}\n  Fix: write it with `nba-pipeline report DAY` or `nba-pipeline dashboard`\n",
                HTTPStatus.NOT_FOUND,
            )
        kind, _ = mimetypes.guess_type(name)
        return Response(content, media_type=kind, headers={"Cache-Control": "no-cache"})

    return OwnPagesOnly(Starlette(routes=[Route("/", page), Route("/{name}", page)]), frozenset(names))


def serve_pages(host: str, port: int, names: Collection[str]) -> str:
    """Serve the pages of the configured home in a process that ends with this one, and return the address of their index.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 for any free one.
        names: Names of the server besides the local ones.

    Raises:
        ConfigurationError: The port cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as e:
        why = e.strerror if isinstance(e, OSError) else str(e)
        raise ConfigurationError(
            f"pages cannot be served on port {port} of {host}: {why}",
            "end what uses the port, or give another one: --pages-port PORT (`make dev PAGES_PORT=...`)",
        ) from e
    with listening:
        command = [sys.executable, "-m", __spec__.name, str(listening.fileno()), str(os.getpid()), host, *names]
        subprocess.Popen(command, pass_fds=[listening.fileno()])
        shown = f"[{host}]" if family == socket.AF_INET6 else host
        return f"http://{shown}:{listening.getsockname()[1]}/{INDEX}"


def _run(descriptor: int, parent: int, names: Collection[str]) -> None:
    """Serve on an open socket until the process that opened it has ended."""
    import uvicorn

    settings = Settings.from_environment()
    app = application(settings.open_artifacts(), {*LOCAL_NAMES, *(n.lower() for n in names)})
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))  # pyright: ignore[reportArgumentType]

    def end_with_the_parent() -> None:
        while os.getppid() == parent:
            time.sleep(WATCHED_EVERY_SECONDS)
        server.should_exit = True

    Thread(target=end_with_the_parent, daemon=True).start()
    server.run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    _run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
