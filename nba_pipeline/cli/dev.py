"""`make dev`: guarded web server and daemon on a prepared Dagster home, with the code location of `workspace.yaml`."""

import argparse
import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from nba_pipeline.cli.webserver import ALLOW_HOST
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.common.files import write_atomically
from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration.instance import prepare

WORKSPACE = """load_from:
  - python_module:
      module_name: nba_pipeline.definitions
      location_name: nba_pipeline
"""
STOCK_SERVER, SERVER = "dagster_webserver", "nba_pipeline.cli.webserver"


PAGES = """
import functools, http.server, os, sys, threading, time
directory, host, port, parent = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer((host, port), functools.partial(Quiet, directory=directory))
threading.Thread(target=server.serve_forever, daemon=True).start()
while os.getppid() == parent: time.sleep(1)
"""


def serve_pages(directory: Path, host: str, port: int) -> str:
    """Serve the pages of the home in a process that ends with this one, and return the address of their index."""
    directory.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", PAGES, str(directory), host, str(port), str(os.getpid())]
    subprocess.Popen(command, stdout=subprocess.DEVNULL)
    return f"http://{host}:{port}/index.html"


def main() -> None:
    parser = argparse.ArgumentParser(description="Open the Dagster UI on the pipeline's home.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default="3000")
    parser.add_argument("--read-only", action="store_true", help="show, but refuse every mutation; no daemon runs")
    parser.add_argument(
        ALLOW_HOST, action="append", default=[], help="a further name that the UI is opened by, such as that of a proxy"
    )
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    home = prepare(settings)
    workspace = home / "workspace.yaml"
    write_atomically(workspace, WORKSPACE.encode())
    pages = serve_pages(settings.home / "artifacts" / "reports", arguments.host, int(arguments.port) + 1)
    print(f"pages at {pages}", flush=True)
    print(f"Dagster home {home}; UI at http://{arguments.host}:{arguments.port}", flush=True)
    names = [part for name in (arguments.host, *arguments.allow_host) for part in (ALLOW_HOST, name)]
    options = ["-w", str(workspace), "-h", arguments.host, "-p", arguments.port]
    if arguments.read_only:
        command = ["-m", SERVER, *names, "--read-only", *options]
        os.execv(sys.executable, [sys.executable, "-W", "ignore", *command])
    _serve(names, options)


def _serve(names: Sequence[str], options: Sequence[str]) -> None:
    """Run `dagster dev`, which starts the guarded server in place of its own.

    Raises:
        ConfigurationError: This version of Dagster starts its server in another way, which would leave it without the guard.
    """
    dev: Any = import_module("dagster._cli.dev")
    start = dev.open_ipc_subprocess
    guarded: list[str] = []

    def start_guarded(parts: Sequence[str], **more: Any) -> Any:
        if STOCK_SERVER in parts:
            at = list(parts).index(STOCK_SERVER)
            parts = [*parts[:at], SERVER, *names, *parts[at + 1 :]]
            guarded.append(SERVER)
        elif not guarded:
            raise ConfigurationError(
                "this version of Dagster starts its web server in another way, without the guard against foreign pages",
                "install a version that setup.cfg allows",
            )
        return start(parts, **more)

    dev.open_ipc_subprocess = start_guarded
    warnings.simplefilter("ignore")
    dev.dev_command.main([*options], prog_name="dagster dev")


if __name__ == "__main__":
    main()
