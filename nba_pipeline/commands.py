"""What the commands do: they join the warehouse, Dagster and the console. Imports of Dagster definitions stay inside."""

import json
import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import dagster as dg

from nba_pipeline import backfill as runs
from nba_pipeline import recovery
from nba_pipeline.console import console, errors, table_days
from nba_pipeline.contracts import Table
from nba_pipeline.dagster_home import prepare
from nba_pipeline.evaluation.leaderboard import RowSet
from nba_pipeline.export import Format, file_name, find_table, write_rows
from nba_pipeline.seasons import days_between, describe_days
from nba_pipeline.settings import Settings
from nba_pipeline.table_asset import REGISTRY, graph_order
from nba_pipeline.warehouse import Warehouse

DEMO_START, DEMO_END = date(2024, 10, 22), date(2025, 6, 22)


def load_definitions() -> dg.Definitions:
    from nba_pipeline.definitions import defs

    return defs


def all_tables() -> list[Table]:
    load_definitions()
    return [REGISTRY[t].table for t in graph_order()]


def run_backfill(start: date, end: date, expressions: Sequence[str], missing: bool) -> bool:
    """Plan and run; returns whether every run succeeded and no day was refused."""
    runs.check_range(start, end, runs.latest_day())
    settings = Settings.from_environment()
    settings.open_source()
    warehouse = settings.open_warehouse()
    defs = load_definitions()
    selected = runs.select(expressions, list(defs.assets or ()))  # pyright: ignore[reportArgumentType]
    prepare(settings)
    with dg.DagsterInstance.get() as instance:
        for run in recovery.end_dead_runs(instance):
            console.print(f"run {run} is ended: its process is gone", highlight=False)
        ledger = recovery.recorded_only(warehouse.ledger(), instance)
    steps = runs.history_steps(selected, start, end, ledger)
    if missing:
        steps += runs.missing_steps(selected, start, end, ledger)
    else:
        steps.append(runs.Step(tuple(selected), start, end, "asked for"))
    if not steps:
        console.print(f"nothing to do: all {len(selected)} tables are published on {start}..{end}")
        return True
    began = time.monotonic()

    def say(step: runs.Step) -> None:
        console.print(
            f"run: {len(step.tables)} tables, {step.start}..{step.end} ({step.days} days): {step.why}", highlight=False
        )

    with dg.DagsterInstance.get() as instance, table_days(sum(s.days * len(s.tables) for s in steps)):
        outcomes = runs.run_steps(steps, defs, instance, say)
    return _summary(outcomes, warehouse, selected, start, end, time.monotonic() - began)


def _summary(
    outcomes: Sequence[runs.Outcome],
    warehouse: Warehouse,
    selected: Sequence[str],
    start: date,
    end: date,
    seconds: float,
) -> bool:
    failed = [o.error for o in outcomes if o.error]
    refused = runs.refusals(warehouse.ledger(selected, start, end), selected)
    days = (end - start).days + 1
    rate = days / seconds * 3600 if seconds else 0
    console.print(f"{len(selected)} tables, {days} days in {seconds:.1f} s ({rate:,.0f} days an hour)", highlight=False)
    for error in failed:
        click.echo(f"error: {error}", err=True)
    for table, by_day in refused.items():
        first = min(by_day)
        click.echo(
            f"refused: {table}: {describe_days(list(by_day))}; {first}: {'; '.join(json.loads(by_day[first]))}",
            err=True,
        )
    if refused:
        click.echo(
            "  What to do: look at `nba-pipeline quarantine` and the failed checks in the UI, mend the source, then run "
            f"`nba-pipeline backfill {start} {end} --missing`",
            err=True,
        )
    return not failed and not refused and all(o.success or o.refusing for o in outcomes)


def show_quarantine(table: str | None, limit: int, as_json: bool) -> None:
    """Print rejected rows, or how many there are by reason. Raises ConfigurationError for an unknown table."""
    wanted = find_table(table, all_tables()).id if table else None
    rows = Settings.from_environment().open_warehouse().quarantine(wanted).to_pylist()
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, default=str))
        return
    totals: dict[tuple[str, str], int] = {}
    for row in rows:
        totals[row["table_id"], row["reason"]] = totals.get((row["table_id"], row["reason"]), 0) + 1
    click.echo(f"{len(rows)} rows in quarantine")
    for (name, reason), n in sorted(totals.items(), key=lambda item: -item[1])[:limit]:
        click.echo(f"{n:>8}  {name}: {reason[:160]}")
    for row in rows[:limit]:
        click.echo(f"{row['table_id']} {row['day']}: {row['reason'][:160]}\n    {row['row'][:300]}")


def show_staging(remove: bool) -> bool:
    """Print the staging tables, and drop those whose run has ended; False where one was left that should not be there."""
    from nba_pipeline.automation import staging as sweeping
    from nba_pipeline.warehouse.bigquery_staging import staging_tables

    settings = Settings.from_environment()
    if settings.bigquery is None:
        click.echo(sweeping.NOTHING_STAGED)
        return True
    connection = sweeping.connection_of(settings.bigquery)
    prepare(settings)
    with dg.DagsterInstance.get() as instance:
        verdicts = sweeping.judged(staging_tables(connection), instance)
        dropped = {v.table for v in sweeping.sweep(connection, instance)} if remove else set()
    now = datetime.now(UTC)
    for v in verdicts:
        t = v.table
        done = "dropped" if t in dropped else "ended  " if v.ended else "kept   "
        minutes = t.age(now).total_seconds() / 60
        click.echo(
            f"{done} {t.name}: {t.rows} rows for {t.table or 'unknown'}, {minutes:.0f} min old, run {t.run or '-'}; {v.why}"
        )
    left = [v for v in verdicts if v.ended and v.table not in dropped]
    click.echo(f"{len(verdicts)} staging tables, {len(dropped)} dropped")
    if left:
        click.echo(f"{len(left)} outlived their run; drop them: nba-pipeline staging --remove")
    return not left


def write_reports(start: date, end: date) -> None:
    """Write the pages of the days and print where they lie; of a range, the first and the last."""
    runs.check_range(start, end, runs.latest_day())
    load_definitions()
    from nba_pipeline.reporting.daily_report import write_pages

    settings = Settings.from_environment()
    store = settings.open_artifacts()
    days = days_between(start, end)
    with table_days(len(days), errors) if len(days) > 1 else nullcontext():
        written = write_pages(settings.open_warehouse(), store, days)
    for day in dict.fromkeys((start, end)):
        click.echo(store.address(written[day].location))


def run_export(start: date, end: date, name: str, kind: Format, directory: Path | None) -> None:
    """Write days of a table to a file in the directory, or among the artifacts, and print where it lies."""
    runs.check_range(start, end, runs.latest_day())
    table = find_table(name, all_tables())
    settings = Settings.from_environment()
    warehouse, file = settings.open_warehouse(), file_name(table, start, end, kind)
    with table_days((end - start).days + 1, errors), TemporaryDirectory() as scratch:
        path = (directory or Path(scratch)) / file
        rows = write_rows(warehouse, table, start, end, kind, path)
        if directory is None:
            store = settings.open_artifacts()
            where = store.address(store.publish("exports", file, path.read_bytes()).location)
        else:
            where = str(path.absolute())
    click.echo(f"{where} ({rows:,} rows)")


def run_demo(days: int | None) -> bool:
    """A season through the whole graph, then coverage, checks and leaderboard."""
    from nba_pipeline.checking import show_status
    from nba_pipeline.judging import show_leaderboard

    settings = Settings.from_environment()
    end = DEMO_END if days is None else min(DEMO_END, days_between(DEMO_START, DEMO_END)[days - 1])
    console.print(
        f"home {settings.home}; source {settings.source}; warehouse {settings.warehouse_name}", highlight=False
    )
    fine = run_backfill(DEMO_START, end, (), missing=False)
    fine = show_status(DEMO_START, end, as_json=False) and fine
    show_leaderboard(RowSet(market=settings.markets[0]), None, as_json=False)
    console.print("The page of the last day:")
    write_reports(end, end)
    console.print(
        "Next: `make dev` opens the UI on these data; `nba-pipeline --help` lists the commands.", highlight=False
    )
    return fine
