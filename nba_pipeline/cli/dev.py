"""`make dev`: guarded web server and daemon on a prepared Dagster home, with the code location of `workspace.yaml`."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from nba_pipeline.cli.options import exits
from nba_pipeline.cli.own_pages import ALLOW_HOST, host_name
from nba_pipeline.cli.page_server import serve_pages
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

# After the ports of the UI, of its copy for analysts and of the API.
PAGES_ABOVE_UI = 3


@exits
def main() -> None:
    """Prepare the home, serve its pages beside the UI, and run the UI until it is interrupted."""
    parser = argparse.ArgumentParser(description="Open the Dagster UI on the pipeline's home.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument(
        "--pages-port",
        type=int,
        help=f"port of the written pages, 0 for any free one; default: {PAGES_ABOVE_UI} above --port",
    )
    parser.add_argument("--read-only", action="store_true", help="show, but refuse every mutation; no daemon runs")
    parser.add_argument(
        ALLOW_HOST,
        action="append",
        type=host_name,
        default=[],
        help="a further name that the UI is opened by, such as that of a proxy",
    )
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    home = prepare(settings)
    workspace = home / "workspace.yaml"
    write_atomically(workspace, WORKSPACE.encode())
    port = arguments.port + PAGES_ABOVE_UI if arguments.pages_port is None else arguments.pages_port
    pages = serve_pages(arguments.host, port, arguments.allow_host)
    print(f"pages at {pages}", flush=True)
    print(f"Dagster home {home}; UI at http://{arguments.host}:{arguments.port}", flush=True)
    names = [part for name in (arguments.host, *arguments.allow_host) for part in (ALLOW_HOST, name)]
    options = ["-w", str(workspace), "-h", arguments.host, "-p", str(arguments.port)]
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
