"""The commands with their arguments, options and help. Exit codes: 0 well, 1 refused or incomplete, 2 usage, 3 a crash.

The code of a command is imported when it runs: help, the version and wrong arguments wait for none of it.
"""

from datetime import date
from pathlib import Path
from typing import Literal

import click

from nba_pipeline.cli.importing import import_group
from nba_pipeline.cli.options import DAY, Commands, as_json, days, exits, optional_days, require_range
from nba_pipeline.cli.reading import READING
from nba_pipeline.common.extras import required_extra


@click.group(cls=Commands, context_settings={"max_content_width": 110})
@click.version_option(package_name="nba_pipeline")
def main() -> None:
    """Point-in-time analytics, features, predictions and grades for NBA player props.

    NBA_PIPELINE_HOME is the directory of all data (default .nba_pipeline), NBA_PIPELINE_SOURCE the source of raw data
    (simulator, files or nba_stats), NBA_PIPELINE_DATA the directory of the source files.

    Days are YYYY-MM-DD, today, yesterday, or -7 for seven days ago (Eastern). Exit codes: 0 all is well, 1 something is
    refused or incomplete, 2 wrong usage, 3 a crash.
    """


@main.command()
@days
@click.option("--select", "select", multiple=True, help="Table, dataset or Dagster selection; repeatable.")
@click.option("--missing", is_flag=True, help="Run only days that are missing, refused or unfinished.")
@click.option("--report", "pages", is_flag=True, help="Write the report page of each day afterwards.")
@click.option("--dry-run", is_flag=True, help="Only print the runs, with tables, days and estimated time.")
@as_json
@exits
def backfill(
    start: date, end: date, select: tuple[str, ...], missing: bool, pages: bool, dry_run: bool, as_json: bool
) -> bool:
    """Materialize START..END (inclusive). Missing upstream history is backfilled first."""
    require_range(start, end)
    from nba_pipeline.cli.backfill import run_backfill
    from nba_pipeline.cli.backfill_preview import preview_backfill
    from nba_pipeline.cli.report import write_reports

    if dry_run:
        return preview_backfill(start, end, select, missing, as_json)
    complete = run_backfill(start, end, select, missing, as_json)
    if pages:
        write_reports(start, end, quiet=as_json)
    return complete


@main.command()
@days
@click.option(
    "--only", multiple=True, help="schedule, boxscores, shots, lines, injuries, rosters or lineups; repeatable."
)
@click.option("--replay", is_flag=True, help="Rebuild the landing files from stored responses, without network access.")
@click.option("--estimate", is_flag=True, help="Only show the calls, credits and time that it would take.")
@click.option(
    "--closing", is_flag=True, help="Buy the last historical lines before tip-off also where lines were captured live."
)
@as_json
@exits
def ingest(
    start: date, end: date, only: tuple[str, ...], replay: bool, estimate: bool, closing: bool, as_json: bool
) -> bool:
    """Fetch START..END from the live services into landing files; only what is missing or not yet final.

    A service that throttles is given rests, and the command goes on by itself (docs/sources.md).
    """
    require_range(start, end)
    with required_extra("live", "ingest"):
        from nba_pipeline.cli.ingest import run_ingest, show_estimate

    if estimate:
        return show_estimate(start, end, only, closing, as_json)
    return run_ingest(start, end, only, replay=replay, closing=closing, as_json=as_json)


@main.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--feed", help="Feed of the file, where its name does not begin with it: prop_lines, game_lines, ...")
@as_json
@exits
def validate(path: Path, feed: str | None, as_json: bool) -> bool:
    """Check FILE, CSV or Parquet, against the landing layout before it is dropped or imported; name each row that is wrong."""
    from nba_pipeline.cli.validate import run_validate

    return run_validate(path, feed, as_json)


@main.command()
@optional_days
@as_json
@exits
def status(start: date | None, end: date | None, as_json: bool) -> bool:
    """Show published days and rows per table against what the schedule requires (default: all days ever run)."""
    require_range(start, end)
    from nba_pipeline.cli.status import show_status

    return show_status(start, end, as_json)


@main.command()
@optional_days
@click.option(
    "--sources", is_flag=True, help="Only probe the live services: answers, throttled, blocked, key, credits."
)
@as_json
@exits
def check(start: date | None, end: date | None, sources: bool, as_json: bool) -> bool:
    """Check that START..END can run, is complete and matches its published hashes; print a fix for each problem.

    Without days, everything ever run is checked. No option skips a check; accepted gaps are lines of waivers.csv in the
    home (docs/operations.md) and are printed.
    """
    require_range(start, end)
    if sources:
        with required_extra("live", "check --sources"):
            from nba_pipeline.cli.check_sources import check_sources

        return check_sources(as_json)
    from nba_pipeline.cli.check import run_check

    return run_check(start, end, as_json)


@main.command()
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="Number of backfills to show.")
@click.option("--watch", is_flag=True, help="Refresh every two seconds until none is running.")
@as_json
@exits
def backfills(limit: int, watch: bool, as_json: bool) -> bool:
    """List backfills of every origin: table-days done, failed and remaining, rate and time left."""
    from nba_pipeline.cli.backfills import show_backfills

    return show_backfills(limit, as_json, watch)


@main.command()
@click.option("--dry-run", is_flag=True, help="Only print the differences.")
@exits
def reconcile(dry_run: bool) -> bool:
    """Report to Dagster the days that the warehouse has and Dagster does not know; name those that only Dagster knows.

    They differ after a Dagster home was lost or moved, and after a warehouse was copied or restored.
    """
    from nba_pipeline.cli.reconcile import reconcile as run

    return run(dry_run)


@main.command()
@click.option(
    "--keep-days",
    type=click.IntRange(0),
    default=30,
    show_default=True,
    help="Keep superseded events of the last days.",
)
@exits
def prune(keep_days: int) -> None:
    """Shrink Dagster's event log: remove events that later runs replaced, and compress those of earlier releases."""
    from nba_pipeline.cli.prune import run_prune

    run_prune(keep_days)


@main.command()
@days
@click.option("--sample", "days", type=click.IntRange(1), default=20, show_default=True, help="Game days to replay.")
@click.option("--seed", default=0, show_default=True, help="Seed of the random sample.")
@as_json
@exits
def verify(start: date, end: date, days: int, seed: int, as_json: bool) -> bool:
    """Recompute a sample of days from data available at their cutoffs; compare every cell with what is published."""
    require_range(start, end)
    from nba_pipeline.cli.verify import run_verify

    return run_verify(start, end, days, seed, as_json)


@main.command()
@optional_days
@click.option(
    "--hours", type=click.IntRange(1), help="Hours to look back without START (default: the correction window)."
)
@as_json
@exits
def corrections(start: date | None, end: date | None, hours: int | None, as_json: bool) -> bool:
    """List differences between the source and published facts of finished games, with old and new values."""
    require_range(start, end)
    from nba_pipeline.cli.corrections import show_corrections

    return show_corrections(start, end, hours, as_json)


@main.command()
@click.option("--table", help="Only this table.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Rows to show.")
@click.option("--json", "as_json", is_flag=True, help="Print all rows as JSON lines.")
@exits
def quarantine(table: str | None, limit: int, as_json: bool) -> None:
    """List rejected rows and why they were rejected."""
    from nba_pipeline.cli.quarantine import show_quarantine

    show_quarantine(table, limit, as_json)


@main.command()
@optional_days
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Spellings to show per table.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with all spellings.")
@exits
def names(start: date | None, end: date | None, limit: int, as_json: bool) -> bool:
    """Show player-name resolution rates and unresolved spellings with candidate players."""
    require_range(start, end)
    from nba_pipeline.cli.names import show_names

    return show_names(start, end, limit, as_json)


@main.command(name="copy")
@click.option(
    "--to", "to", required=True, metavar="WAREHOUSE", help="bigquery, duckdb, or duckdb:HOME for another home."
)
@click.option("--from", "origin", metavar="WAREHOUSE", help="As --to (default: the configured warehouse).")
@optional_days
@as_json
@exits
def copy_tables(to: str, origin: str | None, start: date | None, end: date | None, as_json: bool) -> bool:
    """Copy tables, ledger, quarantine and models of START..END (default: all) to another warehouse and verify the copy."""
    require_range(start, end)
    from nba_pipeline.cli.copy import run_copy

    return run_copy(to, origin, start, end, as_json)


@main.command()
@exits
def snapshot() -> None:
    """Replace the read copy of the embedded warehouse, which clients may keep open, and print its location.

    NBA_PIPELINE_SNAPSHOT=after_run does so at the end of every run.
    """
    from nba_pipeline.cli.snapshot import run_snapshot

    run_snapshot()


@main.command()
@click.option("--remove", is_flag=True, help="Drop the tables whose run has ended.")
@as_json
@exits
def staging(remove: bool, as_json: bool) -> bool:
    """List BigQuery staging tables with owning run and age."""
    from nba_pipeline.cli.staging import show_staging

    return show_staging(remove, as_json)


@main.command()
@click.argument("what", type=click.Choice(["list", "test"]), default="list")
@as_json
@exits
def alerts(what: str, as_json: bool) -> bool:
    """List open alerts; `alerts test` sends a test message through every configured channel."""
    from nba_pipeline.cli.alerts import send_test, show_alerts

    return send_test(as_json) if what == "test" else show_alerts(as_json)


@main.command()
@click.option("--season", help="Only this season, such as 2024-25.")
@click.option("--season-type", help="Only this type of game, such as 'Regular Season'.")
@click.option("--market", default="points", show_default=True, help="Market whose forecasts are compared.")
@click.option(
    "--tier",
    type=click.Choice(["bench", "rotation", "starter", "star"]),
    help="Only this tier: season average below 10, 20, 30, from 30.",
)
@click.option("--min-average", default=0.0, help="Only players with at least this season average.")
@click.option("--market-rows", is_flag=True, help="Only rows with a line; adds the line and the systems that read it.")
@click.option(
    "--prior-games",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="Only players with at least this many prior games.",
)
@click.option("--reliability", "reliability_of", metavar="SYSTEM", help="Add the reliability diagram of this system.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with tiers and reliability.")
@exits
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
    """Compare systems and baselines on the same rows, with N and 95 % intervals by game day."""
    from nba_pipeline.cli.leaderboard import show_leaderboard
    from nba_pipeline.evaluation.leaderboard import RowSet

    rows = RowSet(market, season, season_type, prior_games, min_average, tier, market_rows)
    return show_leaderboard(rows, reliability_of, as_json)


@main.command()
@as_json
@exits
def models(as_json: bool) -> bool:
    """List trained models: training rows and days, hold-out error, and integrity of the artifact."""
    from nba_pipeline.cli.models import show_models

    return show_models(as_json)


@main.command()
@click.argument("day", type=DAY, metavar="DAY")
@click.argument("end", type=DAY, metavar="[END]", required=False)
@as_json
@exits
def report(day: date, end: date | None, as_json: bool) -> None:
    """Write the report page of DAY, or of DAY..END, and print its location."""
    require_range(day, end or day)
    from nba_pipeline.cli.report import write_reports

    write_reports(day, end or day, as_json)


@main.command()
@days
@click.option("--table", required=True, help="Table, such as player_prop_predictions.")
@click.option("--format", "kind", type=click.Choice(["parquet", "csv", "json"]), default="parquet", show_default=True)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the file (default: exports/ among the artifacts).",
)
@as_json
@exits
def export(
    start: date, end: date, table: str, kind: Literal["parquet", "csv", "json"], output: Path | None, as_json: bool
) -> None:
    """Write START..END of one table to a file and print its location."""
    require_range(start, end)
    from nba_pipeline.cli.export import run_export

    run_export(start, end, table, kind, output, as_json)


@main.command()
@click.option("--days", type=click.IntRange(1, 244), help="Only this many days of the season.")
@exits
def demo(days: int | None) -> bool:
    """Materialize the simulated season 2024-25 and show coverage and leaderboard."""
    from nba_pipeline.cli.demo_home import begun, last_day

    end = last_day(days)
    with begun(end) as settings:
        from nba_pipeline.cli.demo import run_demo

        return run_demo(settings, end)


for command in (*READING, import_group):
    main.add_command(command)

if __name__ == "__main__":
    main()
