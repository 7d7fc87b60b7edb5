"""The pages are served on a real port by a process of their own, which ends with the one that started it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from nba_pipeline.cli.page_server import serve_pages
from nba_pipeline.common.errors import ConfigurationError

START = """
import sys
from nba_pipeline.cli.page_server import serve_pages
print(serve_pages("127.0.0.1", 0, []), flush=True)
sys.stdin.readline()
"""


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def status(address: str, host: str = "") -> int:
    request = urllib.request.Request(address, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        return e.code
    except OSError:
        return 0


def test_pages_of_the_home_are_served_until_the_server_of_the_ui_ends(tmp_path: Path) -> None:
    pages = tmp_path / "artifacts" / "reports"
    pages.mkdir(parents=True)
    (pages / "index.html").write_text("<p>all days")
    process = subprocess.Popen(
        [sys.executable, "-c", START],
        env=os.environ | {"NBA_PIPELINE_HOME": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert status(address) == 200
        assert status(address.replace("index", "2024-01-15")) == 404
        assert status(address, "evil.example.org") == 403
        process.communicate("end\n")
    until(lambda: status(address) == 0)


def test_a_port_that_is_taken_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port} of 127.0.0.1") as error:
            serve_pages("127.0.0.1", port, [])
    assert "--pages-port" in error.value.remedy


def test_a_port_that_is_none_is_named() -> None:
    with pytest.raises(ConfigurationError, match="port 70000"):
        serve_pages("127.0.0.1", 70_000, [])
