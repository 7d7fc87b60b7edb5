"""The commands `serve` and `query`: the warehouse for programs, read only."""

import csv
import sys
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import click
import duckdb
import pyarrow as pa

from nba_pipeline.cli.console import print_json
from nba_pipeline.cli.own_pages import LOCAL_NAMES, Application, OwnPagesOnly
from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.config.settings import Settings
from nba_pipeline.warehouse import Warehouse
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse

LEDGER_SECONDS = 10


def run_api(host: str, port: int, names: Sequence[str]) -> None:
    """Serve the API until it is interrupted.

    Args:
        host: The address to listen on.
        port: The port to listen on.
        names: Names of the server besides the local ones and `host`; requests for other hosts are refused.
    """
    import uvicorn

    app = api_of(Settings.from_environment(), (host, *names))
    click.echo(f"http://{host}:{port}/openapi.json", err=True)
    uvicorn.run(app, host=host, port=port, log_level="warning")  # pyright: ignore[reportArgumentType]


def api_of(settings: Settings, names: Sequence[str]) -> Application:
    """Build the API of a home behind the guard of the web servers.

    Args:
        settings: The settings of the home.
        names: Names of the server besides the local ones.
    """
    from nba_pipeline.automation.alert_store import alerts_of
    from nba_pipeline.reporting.api import application
    from nba_pipeline.reporting.overview_pages import context_of

    version = content_version(settings.database if settings.bigquery is None else settings.open_warehouse())
    app = application(settings.open_warehouse(), version, lambda: context_of(settings, alerts_of(settings)))
    return OwnPagesOnly(app, {*LOCAL_NAMES, *(n.lower() for n in names)})


def content_version(of: Path | Warehouse, seconds: Callable[[], float] = time.monotonic) -> Callable[[], str]:
    """Return a function that names what is published.

    Args:
        of: The file of the embedded warehouse, whose state is the name; or a warehouse without a file, named by the latest
            entry of its ledger, which is read every `LEDGER_SECONDS` at most.
        seconds: A clock that only goes forward.
    """
    if isinstance(of, Path):
        return lambda: _file_version(of)
    read: tuple[float, str] | None = None

    def version() -> str:
        nonlocal read
        if read is None or seconds() - read[0] >= LEDGER_SECONDS:
            began = seconds()
            read = began, str(max(of.ledger()["recorded_at"].to_pylist(), default=""))
        return read[1]

    return version


def _file_version(path: Path) -> str:
    """Name the state of the file, and of the log beside it in which a run that keeps it open publishes."""
    states = [_state(path), _state(path.with_name(f"{path.name}.wal"))]
    return "-".join(filter(None, states))


def _state(path: Path) -> str:
    try:
        found = path.stat()
    except FileNotFoundError:
        return ""
    return f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"


def run_query(sql: str, as_json: bool) -> None:
    """Run a statement on the published tables and print its rows as CSV or JSON; it can change nothing and open no file.

    Raises:
        ConfigurationError: The statement is wrong, has no result, would change something, or the warehouse is not embedded.
    """
    warehouse = Settings.from_environment().open_warehouse()
    if not isinstance(warehouse, DuckDBWarehouse):
        raise ConfigurationError("query reads the embedded warehouse only", "use the console of BigQuery")
    with warehouse.reading() as db:
        if db is None:
            raise ConfigurationError(
                f"{warehouse.path} does not exist yet", "run `nba-pipeline backfill START END` first"
            )
        db.execute("SET enable_external_access = false")
        db.execute("SET lock_configuration = true")
        rows = result_of(db, sql)
    if as_json:
        print_json(rows.to_pylist())
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(rows.column_names)
    writer.writerows(zip(*(c.to_pylist() for c in rows.columns), strict=True))


def result_of(db: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """Run a statement and return its rows; of columns with one name the later ones have a number: `line`, `line_2`.

    Raises:
        ConfigurationError: The statement is wrong, or has no result.
    """
    try:
        statements = db.extract_statements(sql)
        if not statements or statements[-1].expected_result_type != [duckdb.ExpectedResultType.QUERY_RESULT]:
            raise ConfigurationError(
                f"the statement {sql.strip()!r} has no result" if sql.strip() else "the statement is empty",
                "give a SELECT; `nba-pipeline tables` lists the tables",
            )
        rows = db.execute(sql).to_arrow_table()
    except duck.OF_THE_STATEMENT as e:
        raise ConfigurationError(f"{e}", "correct the statement; `nba-pipeline describe TABLE` lists columns") from e
    return rows.rename_columns(_distinct(rows.column_names))


def _distinct(names: Sequence[str]) -> list[str]:
    given: list[str] = []
    for name in names:
        others = (f"{name}_{number}" for number in count(2))
        given.append(name if name not in given else next(n for n in others if n not in (*names, *given)))
    return given
