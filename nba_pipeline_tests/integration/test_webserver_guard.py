"""The UI answers its own pages, scripts and commands only: foreign pages and foreign names are refused over real HTTP."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

QUERY = json.dumps({"query": "{ version }"})
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a guarded web server without code locations."""
    home: Path = tmp_path_factory.mktemp("dagster")
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    command = [
        "-m",
        "nba_pipeline.cli.webserver",
        "--allow-host",
        "ui.example.org",
        "--empty-workspace",
        "-p",
        str(free),
    ]
    server = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, "DAGSTER_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 180
        while server.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", free), timeout=1).close()
                break
            except OSError:
                time.sleep(0.2)
        yield free
    finally:
        server.terminate()
        server.wait(30)


def answer(port: int, method: str, path: str, headers: Mapping[str, str], body: str | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    return response.status, response.read().decode()


def own(port: int) -> dict[str, str]:
    return {"Host": f"127.0.0.1:{port}", "Origin": f"http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}


def test_pages_of_the_ui_scripts_and_links_to_it_are_answered(port: int) -> None:
    assert answer(port, "POST", "/graphql", {**JSON, **own(port)}, QUERY)[0] == 200
    assert answer(port, "POST", "/graphql", JSON, QUERY)[0] == 200
    assert answer(port, "POST", "/graphql", {**JSON, "Host": f"localhost:{port}"}, QUERY)[0] == 200
    assert answer(port, "POST", "/graphql", {**JSON, "Host": "ui.example.org"}, QUERY)[0] == 200
    typed = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}
    assert answer(port, "GET", "/graphql?query=%7Bversion%7D", typed)[0] == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert answer(port, "GET", "/server_info", link)[0] == 200


@pytest.mark.parametrize(
    ("planted", "reason"),
    [
        ({"Host": "attacker.example"}, "the host 'attacker.example' is no name of this server"),
        ({"Host": "127.0.0.1.attacker.example"}, "is no name of this server"),
        ({"Origin": "http://attacker.example"}, "the origin 'http://attacker.example' is another page"),
        ({"Origin": "http://127.0.0.1:1"}, "is another page"),
        ({"Origin": "null"}, "is another page"),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, "comes from another page"),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}, "comes from another page"),
    ],
)
def test_a_foreign_page_or_name_is_refused_and_told_why(port: int, planted: Mapping[str, str], reason: str) -> None:
    for method, path in (("POST", "/graphql"), ("GET", "/graphql?query=%7Bversion%7D")):
        status, text = answer(port, method, path, {**JSON, **planted}, QUERY if method == "POST" else None)
        assert status == 403
        assert reason in text


@pytest.mark.parametrize("path", ["/graphql?query=%7Bversion%7D", "/graphql%0A?query=%7Bversion%7D"])
@pytest.mark.parametrize("planted", [{}, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}])
def test_a_query_in_the_address_of_a_picture_or_a_link_is_refused(
    port: int, path: str, planted: Mapping[str, str]
) -> None:
    """Browsers send no origin with pictures and links, and no `Sec-Fetch` headers to a name without TLS."""
    status, text = answer(port, "GET", path, planted)
    assert (status, "data" in text) == (403, False)


def upgrade(port: int, origin: str) -> str:
    """The status line that answers the opening of a web socket."""
    request = (
        f"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-ws\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request.encode())
        return connection.recv(1024).decode().split("\r\n")[0]


def test_a_web_socket_opens_for_the_ui_and_for_no_other_page(port: int) -> None:
    assert " 101 " in upgrade(port, f"http://127.0.0.1:{port}")
    assert " 403 " in upgrade(port, "http://attacker.example")
