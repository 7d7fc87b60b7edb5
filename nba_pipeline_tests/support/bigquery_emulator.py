"""A BigQuery emulator of one's own: a process on this machine, without network, spoken to over its real HTTP interface.

python -m nba_pipeline_tests.support.bigquery_emulator 9050      # until it is stopped; then NBA_PIPELINE_BIGQUERY_ENDPOINT=
                                                          # http://127.0.0.1:9050
"""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse

PROJECT = "test-project"
START_SECONDS = 90
REPOSITORY = Path(__file__).parents[2]
TEMPORARY, QUOTED = re.compile(r"CREATE TEMP TABLE `([^`]+)`"), re.compile(r"`([^`]+)`")


def serve(port: int, grpc_port: int) -> None:
    """Run the emulator in this process. It would download DuckDB's extension for geography, which nothing here needs."""
    from bqemulator.cli import main
    from bqemulator.scripting import ScriptInterpreter
    from bqemulator.storage.engine import DuckDBEngine

    def nothing(_: DuckDBEngine) -> None:
        return None

    ScriptInterpreter.run, ScriptInterpreter._exec_statement = _scoped(), _located()  # pyright: ignore
    DuckDBEngine._load_spatial = DuckDBEngine._load_format_extensions = nothing  # pyright: ignore
    main(["start", "--rest-port", str(port), "--grpc-port", str(grpc_port)])


def _scoped() -> Callable[..., Awaitable[Any]]:
    """Run a script whose temporary tables are its own and end with it; the emulator keeps them, for all scripts."""
    from bqemulator.scripting import ScriptInterpreter

    run = ScriptInterpreter.run

    async def scoped(self: Any, source: str) -> Any:
        names = {n: f"{n}_{uuid4().hex}" for n in TEMPORARY.findall(source)}
        self.source = QUOTED.sub(lambda m: f"`{names.get(m[1], m[1])}`", source)
        try:
            return await run(self, self.source)
        finally:
            for name in names.values():
                self._ctx.engine.execute(f'DROP TABLE IF EXISTS "{name}"')

    return scoped


def _located() -> Callable[..., Awaitable[None]]:
    """Run a statement of a script so that its error says where in the script it happened, as the service's does."""
    from bqemulator.domain.errors import DomainError
    from bqemulator.scripting import ScriptInterpreter

    execute = ScriptInterpreter._exec_statement

    async def located(self: Any, statement: Any) -> None:
        try:
            await execute(self, statement)
        except DomainError as e:
            begin = self.source.find(getattr(statement, "sql", "") or self.source)
            if begin > 0:
                line = self.source.count("\n", 0, begin) + 1
                e.message = f"Query error: {e.message.splitlines()[0]} at [{line}:1]"
            raise

    return located


def warehouse_at(address: str) -> "BigQueryWarehouse":
    """An empty warehouse on an emulator. It does not wait long before it tries again."""
    from nba_pipeline.warehouse.bigquery.client import Connection, default_retry
    from nba_pipeline.warehouse.bigquery.location import BigQueryLocation
    from nba_pipeline.warehouse.bigquery.warehouse import BigQueryWarehouse

    location = BigQueryLocation(PROJECT, prefix=f"t{uuid4().hex[:8]}_", endpoint=address)
    return BigQueryWarehouse(Connection(location, default_retry().with_delay(0.01, 0.1).with_timeout(20)))


@contextmanager
def running_emulator() -> Iterator[str]:
    """The address of an emulator that runs until the block ends."""
    port, grpc_port = _free_ports(2)
    command = [sys.executable, "-W", "ignore", "-m", __name__, str(port), str(grpc_port)]
    quiet = os.environ | {"BQEMU_LOG_LEVEL": "CRITICAL", "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(command, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = process.communicate()[1].decode()
            raise RuntimeError(f"the emulator ended with {process.returncode}: {said[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError(f"the emulator does not answer within {START_SECONDS} s")


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


if __name__ == "__main__":
    given = [int(a) for a in sys.argv[1:]]
    serve(given[0], given[1] if len(given) > 1 else _free_ports(1)[0])
