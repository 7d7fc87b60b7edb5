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

from nba_pipeline.common.errors import ConfigurationError

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
ALLOW_HOST = "--allow-host"
GRAPHQL, OWN_SITES = "/graphql", ("none", "same-origin")
REFUSED, WRONG_USAGE = 403, 2

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


def refusal(headers: Mapping[str, str], path: str, names: Collection[str], *, is_question: bool = False) -> str | None:
    """Return why a request is refused; None for one of this server's own pages, of a script or of a command.

    Args:
        headers: The headers of the request, by lower-case name.
        path: The path of the request.
        names: The names of this server.
        is_question: Whether the address itself may hold a GraphQL query: GET with parameters.
    """
    host = headers.get("host", "")
    if urlsplit(f"//{host}").hostname not in names:
        return f"the host {host!r} is no name of this server"
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return f"the origin {origin!r} is another page"
    asks = GRAPHQL in path.lower()  # also with what a router forgives at the end of a path
    site = headers.get("sec-fetch-site")
    opens_a_page = headers.get("sec-fetch-mode") == "navigate" and not asks
    if site not in (None, *OWN_SITES) and not opens_a_page:
        return "the request comes from another page"
    if asks and is_question and site is None:
        return "a GraphQL query in the address may come from a link or picture of another page; send it by POST"
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
        is_question = scope.get("method", "POST") != "POST" and bool(scope["query_string"])
        is_question &= scope["type"] == "http"
        reason = refusal(headers, scope["path"], self._names, is_question=is_question)
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

    Raises:
        ConfigurationError: A name is missing, or is more than a name.
    """
    names, others, rest = set(LOCAL_NAMES), [], iter(arguments)
    for argument in rest:
        option, given, value = argument.partition("=")
        if option == ALLOW_HOST:
            names.add(_name(value if given else next(rest, "")))
        else:
            others.append(argument)
    return frozenset(names), others


def _name(given: str) -> str:
    has_port = given.count(":") == 1  # an IPv6 address has more
    if not given or given.startswith("-") or "/" in given or has_port:
        raise ConfigurationError(
            f"{ALLOW_HOST} is followed by {given!r}" if given else f"{ALLOW_HOST} is followed by nothing",
            f"give the name by which people open the UI, without scheme and port: {ALLOW_HOST} ui.example.org",
        )
    return given.lower()


def main() -> None:
    """Run the guarded server with the arguments of the process."""
    from dagster_webserver.cli import main as serve

    try:
        names, arguments = split_names(sys.argv[1:])
    except ConfigurationError as e:
        print(f"error: {e}", file=sys.stderr)
        sys.exit(WRONG_USAGE)
    guard(names)
    sys.argv = ["dagster-webserver", *arguments]
    serve()


if __name__ == "__main__":
    main()
