"""A chat's webhook and a mail server on this machine, over real sockets."""

import json
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from nba_pipeline_tests.support.serving import serving


@dataclass
class Webhook:
    """What was posted, and how often it was only asked; `answer` is the status that it answers with, 0 bytes that are no HTTP."""

    url: str = ""
    answer: int = 200
    posted: list[dict[str, str]] = field(default_factory=list)
    asked: int = 0

    @property
    def texts(self) -> list[str]:
        """What a Slack-compatible webhook shows."""
        return [body["text"] for body in self.posted]


@contextmanager
def webhook() -> Iterator[Webhook]:
    found = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if found.answer == 200:
                found.posted.append(json.loads(body))
            self._reply()

        def do_GET(self) -> None:
            found.asked += found.answer == 200
            self._reply()

        def _reply(self) -> None:
            if found.answer == 0:
                self.wfile.write(b"garbage\r\n\r\n")
                return
            self.send_response(found.answer)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/services/T0/B0/secret-part"
    with serving(server):
        yield found


@dataclass
class Mailbox:
    """The messages that were sent, as they went over the line; with `refuses`, every receiver is refused."""

    port: int = 0
    refuses: bool = False
    messages: list[str] = field(default_factory=list)


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    found = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "DATA":
                    self._say("354 go on")
                    found.messages.append("".join(iter(lambda: self.rfile.readline().decode(), ".\r\n")))
                    self._say("250 taken")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("550 no" if verb == "RCPT" and found.refuses else "250 fine")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    with serving(server):
        yield found
