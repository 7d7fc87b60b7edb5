"""The command line. Every command is a call into the package; it ends with 0 only when all is well."""

import sys
from collections.abc import Callable
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any

import click

from nba_pipeline.common.errors import PipelineError

DAY = click.DateTime(formats=["%Y-%m-%d"])


def _handled(command: Callable[..., bool | None]) -> Callable[..., None]:
    """Exit code 1 when a command returns False or raises a named error, which is printed without a traceback."""

    @wraps(command)
    def run(**arguments: Any) -> None:
        try:
            if command(**arguments) is False:
                sys.exit(1)
        except PipelineError as e:
            click.echo(f"error: {e}", err=True)
            sys.exit(1)

    return run


@click.group(context_settings={"max_content_width": 110})
@click.version_option(package_name="nba_pipeline")
def main() -> None:
    """Point-in-time analytics, features, predictions and grades for NBA player props.

    NBA_PIPELINE_HOME says where everything lives (default .nba_pipeline), NBA_PIPELINE_SOURCE where raw data come from
    (simulator, files or nba_stats), NBA_PIPELINE_DATA the directory for files.
    """


@main.command()
@click.argument("start", type=DAY, metavar="START")
@click.argument("end", type=DAY, metavar="END")
@click.option("--select", "select", multiple=True, help="Table, dataset or Dagster selection; may be repeated.")
@click.option("--missing", is_flag=True, help="Run only days that are missing or were refused.")
@click.option("--report", "pages", is_flag=True, help="Write the page of every day of the range afterwards.")
@_handled
def backfill(start: Any, end: Any, select: tuple[str, ...], missing: bool, pages: bool) -> bool:
    """Run START..END (both included) through the tables, and first the history that they look back on."""
    from nba_pipeline.cli.backfill import run_backfill
    from nba_pipeline.cli.report import write_reports

    fine = run_backfill(start.date(), end.date(), select, missing)
    if pages:
        write_reports(start.date(), end.date())
    return fine


@main.command()
@click.argument("start", type=DAY, metavar="START")
@click.argument("end", type=DAY, metavar="END")
@click.option("--only", multiple=True, help="schedule, boxscores, shots, lines, injuries or rosters; may be repeated.")
@click.option("--replay", is_flag=True, help="Make the landing files from kept answers, without a network.")
@_handled
def ingest(start: Any, end: Any, only: tuple[str, ...], replay: bool) -> bool:
    """Fetch START..END from the live sources into landing files; asks only for what is missing or not yet final."""
    from nba_pipeline.cli.ingest import run_ingest

    return run_ingest(start.date(), end.date(), only, replay)


@main.command()
@click.argument("start", type=DAY, metavar="[START]", required=False)
@click.argument("end", type=DAY, metavar="[END]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for other tools.")
@_handled
def status(start: Any, end: Any, as_json: bool) -> bool:
    """Days and rows of every table beside what the schedule demands (default: all days ever run)."""
    from nba_pipeline.cli.status import show_status

    return show_status(_day(start), _day(end), as_json)


@main.command()
@click.argument("start", type=DAY, metavar="[START]", required=False)
@click.argument("end", type=DAY, metavar="[END]", required=False)
@_handled
def check(start: Any, end: Any) -> bool:
    """Can START..END run, is it complete, and is what the tables hold what was published? Says what mends each problem.

    Without days: everything that was ever run. Nothing skips a check; a gap that somebody decided to live with is a line
    in waivers.csv of the home (docs/operations.md), and is shown.
    """
    from nba_pipeline.cli.status import run_check

    return run_check(_day(start), _day(end))


@main.command()
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="Backfills to show.")
@click.option("--watch", is_flag=True, help="Show them again every two seconds until none runs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for other tools.")
@_handled
def backfills(limit: int, watch: bool, as_json: bool) -> bool:
    """What ran and runs, wherever it was launched: table-days done, failed and remaining, rate and time left."""
    from nba_pipeline.cli.runs import show_backfills

    return show_backfills(limit, as_json, watch)


@main.command()
@click.argument("start", type=DAY, metavar="START")
@click.argument("end", type=DAY, metavar="END")
@click.option("--sample", "days", type=click.IntRange(1), default=20, show_default=True, help="Game days to replay.")
@click.option("--seed", default=0, show_default=True, help="Which days are drawn.")
@_handled
def verify(start: Any, end: Any, days: int, seed: int) -> bool:
    """Compute days again from what was known by their cut-offs, and compare every cell with what is published."""
    from nba_pipeline.cli.quality import run_verify

    return run_verify(start.date(), end.date(), days, seed)


@main.command()
@click.argument("start", type=DAY, metavar="[START]", required=False)
@click.argument("end", type=DAY, metavar="[END]", required=False)
@click.option(
    "--hours", type=click.IntRange(1), help="How far back, without START; else as long as results are corrected."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for other tools.")
@_handled
def corrections(start: Any, end: Any, hours: int | None, as_json: bool) -> bool:
    """Where the source now says something else about finished games than what is published: old and new values."""
    from nba_pipeline.cli.quality import show_corrections

    return show_corrections(_day(start), _day(end), hours, as_json)


@main.command()
@click.option("--table", help="Only this table.")
@click.option("--limit", default=20, show_default=True, help="Rows to show.")
@click.option("--json", "as_json", is_flag=True, help="Print all rows as JSON lines.")
@_handled
def quarantine(table: str | None, limit: int, as_json: bool) -> None:
    """Rows that did not get in, with their reasons."""
    from nba_pipeline.cli.quarantine import show_quarantine

    show_quarantine(table, limit, as_json)


@main.command()
@click.argument("start", type=DAY, metavar="[START]", required=False)
@click.argument("end", type=DAY, metavar="[END]", required=False)
@click.option("--limit", default=20, show_default=True, help="Spellings to show for each table.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for other tools, with all spellings.")
@_handled
def names(start: Any, end: Any, limit: int, as_json: bool) -> bool:
    """Rows that know their player, and spellings that name nobody for sure, each with those who may be meant."""
    from nba_pipeline.cli.players import show_names

    return show_names(_day(start), _day(end), limit, as_json)


@main.command(name="copy")
@click.option(
    "--to", "to", required=True, metavar="WAREHOUSE", help="bigquery, duckdb, or duckdb:HOME for another home."
)
@click.option("--from", "origin", metavar="WAREHOUSE", help="The same; default: the configured warehouse.")
@click.argument("start", type=DAY, metavar="[START]", required=False)
@click.argument("end", type=DAY, metavar="[END]", required=False)
@_handled
def copy_tables(to: str, origin: str | None, start: Any, end: Any) -> bool:
    """Copy tables, ledger, quarantine and models of START..END (default: all) to another warehouse, and verify the copy."""
    from nba_pipeline.cli.copy import run_copy

    return run_copy(to, origin, _day(start), _day(end))


@main.command()
@click.option("--remove", is_flag=True, help="Drop those whose run has ended.")
@_handled
def staging(remove: bool) -> bool:
    """Tables on their way into BigQuery, with the run they belong to and their age."""
    from nba_pipeline.cli.staging import show_staging

    return show_staging(remove)


@main.command()
@click.argument("what", type=click.Choice(["list", "test"]), default="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for other tools.")
@_handled
def alerts(what: str, as_json: bool) -> bool:
    """Open alerts, as the sensor `alerts` left them; `alerts test` sends a drill through the configured channels."""
    from nba_pipeline.cli.alerts import drill, show_alerts

    return drill() if what == "test" else show_alerts(as_json)


@main.command()
@click.option("--season", help="Only this season, such as 2024-25.")
@click.option("--season-type", help="Only this kind of game, such as 'Regular Season'.")
@click.option("--market", default="points", show_default=True, help="The market to compare forecasts of.")
@click.option(
    "--tier",
    type=click.Choice(["bench", "rotation", "starter", "star"]),
    help="Only this tier: season average below 10, 20, 30, from 30.",
)
@click.option("--min-average", default=0.0, help="Only players with at least this season average (8: those who score).")
@click.option("--market-rows", is_flag=True, help="Only rows with a line; the line and systems that know it join in.")
@click.option(
    "--prior-games", default=10, show_default=True, help="Only players with at least this many earlier games."
)
@click.option("--reliability", "reliability_of", metavar="SYSTEM", help="Show this system's reliability diagram too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for other tools, with tiers and reliability.")
@_handled
def leaderboard(
    season: str | None,
    season_type: str | None,
    market: str,
    tier: str | None,
    min_average: float,
    market_rows: bool,
    prior_games: int,
    reliability_of: str | None,
    as_json: bool,
) -> bool:
    """Systems and baselines on the same rows, with N and 95 % intervals by game day."""
    from nba_pipeline.cli.leaderboard import show_leaderboard
    from nba_pipeline.evaluation.leaderboard import RowSet

    rows = RowSet(market, season, season_type, prior_games, min_average, tier, market_rows)
    return show_leaderboard(rows, reliability_of, as_json)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for other tools.")
@_handled
def models(as_json: bool) -> bool:
    """The trained models: rows and days they learned from, error on what they had not seen, and whether they are intact."""
    from nba_pipeline.cli.models import show_models

    return show_models(as_json)


@main.command()
@click.argument("day", type=DAY, metavar="DAY")
@click.argument("end", type=DAY, metavar="[END]", required=False)
@_handled
def report(day: Any, end: Any) -> None:
    """Write the page of DAY, or of DAY..END, and print where it lies: forecasts, calls with reasons, grades, state."""
    from nba_pipeline.cli.report import write_reports

    write_reports(day.date(), _day(end) or day.date())


@main.command()
@click.argument("start", type=DAY, metavar="START")
@click.argument("end", type=DAY, metavar="END")
@click.option("--table", required=True, help="Table, such as player_prop_predictions.")
@click.option("--format", "kind", type=click.Choice(["parquet", "csv", "json"]), default="parquet", show_default=True)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory for the file (default: exports/ among the artifacts).",
)
@_handled
def export(start: Any, end: Any, table: str, kind: Any, output: Path | None) -> None:
    """Write START..END of one table to a file for other tools, and print where it lies."""
    from nba_pipeline.cli.export import run_export

    run_export(start.date(), end.date(), table, kind, output)


@main.command()
@click.option("--days", type=click.IntRange(1, 244), help="Only this many days of the season.")
@_handled
def demo(days: int | None) -> bool:
    """Run the season 2024-25 through the whole graph, and show coverage and leaderboard."""
    from nba_pipeline.cli.demo import run_demo

    return run_demo(days)


def _day(given: Any) -> date | None:
    return given.date() if given else None


if __name__ == "__main__":
    main()
