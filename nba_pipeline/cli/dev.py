"""`make dev`: web server and daemon on a prepared Dagster home, with the code location of `workspace.yaml`."""

import argparse
import os
import sys

from nba_pipeline.common.files import write_atomically
from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration.instance import prepare

WORKSPACE = """load_from:
  - python_module:
      module_name: nba_pipeline.definitions
      location_name: nba_pipeline
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Open the Dagster UI on the pipeline's home.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default="3000")
    parser.add_argument("--read-only", action="store_true", help="show, but refuse every mutation; no daemon runs")
    arguments = parser.parse_args()
    home = prepare(Settings.from_environment())
    workspace = home / "workspace.yaml"
    write_atomically(workspace, WORKSPACE.encode())
    print(f"Dagster home {home}; UI at http://{arguments.host}:{arguments.port}", flush=True)
    program = ["dagster_webserver", "--read-only"] if arguments.read_only else ["dagster", "dev"]
    command = ["-m", *program, "-w", str(workspace), "-h", arguments.host, "-p", arguments.port]
    os.execv(sys.executable, [sys.executable, "-W", "ignore", *command])


if __name__ == "__main__":
    main()
