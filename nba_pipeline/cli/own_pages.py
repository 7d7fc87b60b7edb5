"""The guard of the web servers of a home: they answer their own pages, scripts and commands only.

Any page that is open in a browser on the same machine can send requests to a server there, by a foreign origin or by a name of
its own that resolves to this machine. The guard refuses requests whose Host is not a name of the server, and requests that
another page makes, over HTTP and web sockets alike. It has no login.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from nba_pipeline.common.errors import ConfigurationError

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
ALLOW_HOST = "--allow-host"
HOST_NAME = re.compile(r"[a-z0-9_][a-z0-9_.-]*")
GRAPHQL, OWN_SITES = "/graphql", ("none", "same-origin")
REFUSED = 403

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


def host_name(given: str) -> str:
    """Return a name of a server as requests have it, in lower case and without brackets.

    Args:
        given: A host name or an IP address, without scheme and port.

    Raises:
        ConfigurationError: It is none, so that the server would refuse every request by it.
    """
    name = given.lower()
    try:
        if ":" in name:
            return str(IPv6Address(name.removeprefix("[").removesuffix("]")))
        if HOST_NAME.fullmatch(name):
            return name
    except ValueError:
        pass
    raise ConfigurationError(
        f"{ALLOW_HOST} is followed by {given!r}" if given else f"{ALLOW_HOST} is followed by nothing",
        f"give the name by which people open the server, without scheme and port: {ALLOW_HOST} ui.example.org",
    )


def _split(address: str) -> SplitResult | None:
    """Split an address that a request names; None where it is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return None


def refusal(headers: Mapping[str, str], path: str, names: Collection[str], *, is_question: bool = False) -> str | None:
    """Return why a request is refused; None for one of this server's own pages, of a script or of a command.

    Args:
        headers: The headers of the request, by lower-case name.
        path: The path of the request.
        names: The names of this server.
        is_question: Whether the address itself may hold a GraphQL query: GET with parameters.
    """
    host = headers.get("host", "")
    asked = _split(f"//{host}")
    if asked is None or asked.hostname not in names:
        return f"the host {host!r} is no name of this server"
    origin = headers.get("origin")
    if origin is not None and ((page := _split(origin)) is None or page.netloc != host):
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
            text = f"refused: {reason}. Fix: open it by its own address; other names are given by {ALLOW_HOST}.\n"
            await send(
                {"type": "http.response.start", "status": REFUSED, "headers": [(b"content-type", b"text/plain")]}
            )
            await send({"type": "http.response.body", "body": text.encode()})
