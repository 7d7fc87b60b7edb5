"""The commands `serve` and `query`: the warehouse for programs, read only."""

import csv
import sys

import click
import duckdb

from nba_pipeline.cli.console import print_json
from nba_pipeline.common import duckdb as duck
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.config.settings import Settings
from nba_pipeline.warehouse.duckdb import DuckDBWarehouse


def run_api(host: str, port: int) -> None:
    """Serve the API until it is interrupted."""
    import uvicorn

    from nba_pipeline.reporting.api import application

    settings = Settings.from_environment()
    click.echo(f"http://{host}:{port}/openapi.json", err=True)
    uvicorn.run(
        application(settings.open_warehouse(), lambda: content_version(settings)),
        host=host,
        port=port,
        log_level="warning",
    )


def content_version(settings: Settings) -> str:
    """Name what is published: the state of the warehouse file, or the latest entry of the ledger where there is no file."""
    if settings.bigquery is None:
        if not settings.database.exists():
            return ""
        found = settings.database.stat()
        return f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"
    return str(max(settings.open_warehouse().ledger()["recorded_at"].to_pylist(), default=""))


def run_query(sql: str, as_json: bool) -> None:
    """Run a statement on the published tables and print its rows as CSV or JSON; it can change nothing and open no file.

    Raises:
        ConfigurationError: The statement is wrong, would change something, or the warehouse is not embedded.
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
        try:
            rows = db.execute(sql).to_arrow_table()
        except duckdb.Error as e:
            if duck.is_corruption(e):
                raise
            raise ConfigurationError(
                f"{e}", "correct the statement; `nba-pipeline describe TABLE` lists columns"
            ) from e
    if as_json:
        print_json(rows.to_pylist())
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(rows.column_names)
    writer.writerows(zip(*(c.to_pylist() for c in rows.columns), strict=True))
