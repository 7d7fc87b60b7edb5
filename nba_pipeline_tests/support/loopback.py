"""A web server on this machine that plays the services: every request is answered by rules, and remembered."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from nba_pipeline_tests.support.serving import serving


@dataclass(frozen=True)
class Answer:
    """What the server does with a request. `cut`: promise this many bytes more than are sent, and hang up; `reset`: hang up
    without a word; `delay`: seconds before the first byte."""

    content: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int = 0
    reset: bool = False


@dataclass(frozen=True)
class Request:
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]


Rule = Callable[[Request], Answer | None]


def of_json(value: Any) -> Answer:
    return Answer(json.dumps(value), headers={"Content-Type": "application/json; charset=utf-8"})


NOT_FOUND = Answer("nothing here", 404)


@dataclass
class Loopback:
    """The running server: `url`, the `requests` that came, and the `rule` that answers them."""

    url: str
    rule: Rule = lambda _: None
    requests: list[Request] = field(default_factory=list)

    def script(self, *answers: Answer) -> None:
        """Answer with these in turn, the last one for ever."""
        left = list(answers)
        self.rule = lambda _: left.pop(0) if len(left) > 1 else left[0]

    def asked(self, part: str) -> list[Request]:
        """The requests whose path contains this."""
        return [r for r in self.requests if part in r.path]


@contextmanager
def loopback() -> Iterator[Loopback]:
    """A server on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            split = urlsplit(self.path)
            request = Request(split.path, dict(parse_qsl(split.query)), dict(self.headers))
            running.requests.append(request)
            self._send(running.rule(request) or NOT_FOUND)

        def _send(self, answer: Answer) -> None:
            time.sleep(answer.delay)
            self.close_connection = True
            if answer.reset:
                return
            content = answer.content.encode() if isinstance(answer.content, str) else answer.content
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) + answer.cut))
            self.end_headers()
            try:
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):
                return

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running = Loopback(f"http://127.0.0.1:{server.server_port}")
    with serving(server):
        yield running
