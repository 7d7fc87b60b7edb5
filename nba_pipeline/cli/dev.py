"""`make dev`: web server and daemon on a prepared Dagster home, with the code location of `workspace.yaml`."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from nba_pipeline.common.files import write_atomically
from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration.instance import prepare

WORKSPACE = """load_from:
  - python_module:
      module_name: nba_pipeline.definitions
      location_name: nba_pipeline
"""


SERVER = """
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
    command = [sys.executable, "-c", SERVER, str(directory), host, str(port), str(os.getpid())]
    subprocess.Popen(command, stdout=subprocess.DEVNULL)
    return f"http://{host}:{port}/index.html"


def main() -> None:
    parser = argparse.ArgumentParser(description="Open the Dagster UI on the pipeline's home.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default="3000")
    parser.add_argument("--read-only", action="store_true", help="show, but refuse every mutation; no daemon runs")
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    home = prepare(settings)
    workspace = home / "workspace.yaml"
    write_atomically(workspace, WORKSPACE.encode())
    pages = serve_pages(settings.home / "artifacts" / "reports", arguments.host, int(arguments.port) + 1)
    print(f"pages at {pages}", flush=True)
    print(f"Dagster home {home}; UI at http://{arguments.host}:{arguments.port}", flush=True)
    program = ["dagster_webserver", "--read-only"] if arguments.read_only else ["dagster", "dev"]
    command = ["-m", *program, "-w", str(workspace), "-h", arguments.host, "-p", arguments.port]
    os.execv(sys.executable, [sys.executable, "-W", "ignore", *command])


if __name__ == "__main__":
    main()
