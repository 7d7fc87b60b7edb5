"""The commands that read the catalog and the warehouse for people and programs, with their arguments, options and help."""

from datetime import date

import click

from nba_pipeline.cli.options import DAY, HOST, DayCommand, as_json, exits, optional_days, require_range
from nba_pipeline.cli.own_pages import ALLOW_HOST
from nba_pipeline.common.extras import required_extra


@click.command(cls=DayCommand)
@click.argument("sql")
@as_json
@exits
def query(sql: str, as_json: bool) -> None:
    """Run a SELECT on the published tables and print CSV or JSON; nothing can be changed."""
    from nba_pipeline.cli.serve import run_query

    run_query(sql, as_json)


@click.command(cls=DayCommand)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=3002, show_default=True, help="Port to listen on.")
@click.option(
    *(ALLOW_HOST, "names"),
    type=HOST,
    multiple=True,
    metavar="NAME",
    help="Further name of the server, such as a proxy's.",
)
@exits
def api(host: str, port: int, names: tuple[str, ...]) -> None:
    """Serve forecasts, prices, calls, grades and status as a read-only HTTP API, to requests by its own name only."""
    from nba_pipeline.cli.serve import run_api

    run_api(host, port, names)


@click.command(cls=DayCommand)
@exits
def mcp() -> None:
    """Serve forecasts, prices, grades and who is priced wrong, and why, to an agent by MCP on standard input and output."""
    with required_extra("mcp", "the command mcp"):
        from nba_pipeline.cli.mcp_server import run_mcp

    run_mcp()


@click.command(cls=DayCommand)
@optional_days
@as_json
@exits
def dashboard(start: date | None, end: date | None, as_json: bool) -> bool:
    """Write the index of all days, the season pages, and the checks of START..END (default: the last thirty days).

    With --json, print the checks and write no page.
    """
    require_range(start, end)
    from nba_pipeline.cli.dashboard import write_dashboard

    return write_dashboard(start, end, as_json)


@click.command(cls=DayCommand)
@as_json
@exits
def tables(as_json: bool) -> None:
    """List every table with its grain, in the order of the graph."""
    from nba_pipeline.cli.tables import show_tables

    show_tables(as_json)


@click.command(cls=DayCommand)
@click.argument("table")
@as_json
@exits
def describe(table: str, as_json: bool) -> None:
    """Describe TABLE: what a row is, its key, what it reads, what reads it, its rules, and every column."""
    from nba_pipeline.cli.tables import describe_table

    describe_table(table, as_json)


@click.command(cls=DayCommand)
@click.argument("day", type=DAY, metavar="[DAY]", required=False)
@as_json
@exits
def drift(day: date | None, as_json: bool) -> bool:
    """Compare each feature of the 30 days up to DAY with the training days of the models in force; DAY: the last that was run.

    A feature drifts, and the command ends with 1, where it is unknown far more or less often, or its mean moved further than
    in any ordinary season.
    """
    require_range(day, day)
    from nba_pipeline.cli.drift import show_drift

    return show_drift(day, as_json)


READING = (drift, tables, describe, query, api, mcp, dashboard)
