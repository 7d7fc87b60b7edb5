"""Dagster's web server behind a guard: `python -m nba_pipeline.cli.webserver [--allow-host NAME]... [options of the server]`.

Dagster's server answers every request, so that any page open in a browser on the same machine could run mutations on it, by a
foreign origin or by a name of its own that resolves to this machine. The guard refuses requests whose Host is not a name of this
server, and requests that another page makes, over HTTP and web sockets alike. It has no login.
"""

import sys
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from dagster_webserver.webserver import DagsterWebserver
from starlette.middleware import Middleware

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
ALLOW_HOST = "--allow-host"
REFUSED = 403

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


def refusal(headers: Mapping[str, str], path: str, names: Collection[str]) -> str | None:
    """Return why a request is refused; None for one of this server's own pages, of a script or of a command.

    Args:
        headers: The headers of the request, by lower-case name.
        path: The path of the request.
        names: The names of this server.
    """
    host = headers.get("host", "")
    if urlsplit(f"//{host}").hostname not in names:
        return f"the host {host!r} is no name of this server"
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return f"the origin {origin!r} is another page"
    opens_a_page = headers.get("sec-fetch-mode") == "navigate" and not path.endswith("/graphql")
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not opens_a_page:
        return "the request comes from another page"
    return None


class OwnPagesOnly:
    """ASGI middleware that refuses requests of other pages and for other hosts."""

    def __init__(self, app: Application, names: Collection[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(
        self, scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        reason = refusal(headers, scope["path"], self._names)
        if reason is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": reason[:120]})
        else:
            text = f"refused: {reason}. Fix: open the UI by its own address; other names are given by {ALLOW_HOST}.\n"
            await send(
                {"type": "http.response.start", "status": REFUSED, "headers": [(b"content-type", b"text/plain")]}
            )
            await send({"type": "http.response.body", "body": text.encode()})


def guard(names: Collection[str]) -> None:
    """Put the guard before every request of the web servers of this process.

    Args:
        names: The names of this server.
    """
    plain = DagsterWebserver.build_middleware

    def guarded(self: DagsterWebserver) -> list[Middleware]:
        return [Middleware(OwnPagesOnly, names=frozenset(names)), *plain(self)]

    DagsterWebserver.build_middleware = guarded


def split_names(arguments: Sequence[str]) -> tuple[frozenset[str], list[str]]:
    """Return the names given by --allow-host with the local ones, and the other arguments.

    Args:
        arguments: The arguments of the command.
    """
    names, others, rest = set(LOCAL_NAMES), [], iter(arguments)
    for argument in rest:
        if argument == ALLOW_HOST:
            names.add(next(rest).lower())
        else:
            others.append(argument)
    return frozenset(names), others


def main() -> None:
    """Run the guarded server with the arguments of the process."""
    from dagster_webserver.cli import main as serve

    names, arguments = split_names(sys.argv[1:])
    guard(names)
    sys.argv = ["dagster-webserver", *arguments]
    serve()


if __name__ == "__main__":
    main()
