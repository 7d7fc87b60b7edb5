"""What the commands do that judge: `verify`, `corrections`, `leaderboard` and `models`."""

import json
from collections.abc import Sequence
from datetime import date, timedelta

import click
import pyarrow as pa
import pyarrow.compute
from rich.progress import track

from nba_pipeline.cli.console import console
from nba_pipeline.common import clock
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import EPOCH, days_between, ranges
from nba_pipeline.orchestration import backfill as runs
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline.warehouse import Days


def run_verify(start: date, end: date, n: int, seed: int) -> bool:
    """Replay a sample of game days; False when a cell differs, or when there is nothing to replay."""
    runs.check_range(start, end, runs.latest_day())
    settings = Settings.from_environment()
    from nba_pipeline.engine.transform import RunContext
    from nba_pipeline.tables.raw.schedule import SLATE
    from nba_pipeline.verification.replay import game_days, replay, sample

    warehouse, source = settings.open_warehouse(), settings.open_source()
    chosen = sample(game_days(warehouse, start, end), n, seed)
    if not chosen:
        click.echo(f"error: no game day with features is published on {start}..{end}", err=True)
        click.echo(f"  Fix: run `nba-pipeline backfill {start} {end}` first", err=True)
        return False
    run = RunContext("verify", clock.now(), settings.markets, settings.open_artifacts())
    found = []
    for day in track(chosen, description="replaying", console=console, disable=not console.is_terminal):
        found.append(replay(day, warehouse, source, SLATE, run))
        for difference in found[-1].differences:
            click.echo(f"PROBLEM  {difference}")
    cells, wrong = sum(r.cells for r in found), sum(bool(r.differences) for r in found)
    click.echo(
        f"{len(found)} days replayed, {sum(r.tables for r in found)} tables' days, {cells:,} cells: {wrong} days differ"
    )
    if wrong:
        click.echo(
            "  Fix: a table of these days knew more than it may, or its code or inputs changed since. If they\n"
            f"  changed, run `nba-pipeline backfill {start} {end}` and verify again",
            err=True,
        )
    return not wrong


def show_corrections(start: date | None, end: date | None, hours: float | None, as_json: bool) -> bool:
    """Print where the source differs from published facts; False where it does, with what takes the differences in."""
    from nba_pipeline.asof.reads import CORRECTED_FOR
    from nba_pipeline.engine.transform import RunContext
    from nba_pipeline.verification.corrections import REPAIRED, corrections, days_within

    if start:
        end = end or start
        runs.check_range(start, end, runs.latest_day())
    now = clock.now()
    span = timedelta(hours=hours) if hours else CORRECTED_FOR
    days = days_between(start, end) if start and end else days_within(span, now)
    settings = Settings.from_environment()
    run = RunContext("corrections", now, settings.markets, settings.open_artifacts())
    found = corrections(settings.open_warehouse(), settings.open_source(), days, run)
    if as_json:
        click.echo(json.dumps([c.as_json() for c in found], indent=2))
        return not found
    for correction in found:
        click.echo(str(correction))
    touched = sorted({c.day for c in found})
    click.echo(f"{len(found)} differences on {len(touched)} of the days {days[0]}..{days[-1]}")
    if found:
        selects = " ".join(f"--select {t.split('.')[1]}" for t in REPAIRED)
        click.echo("  Fix: publish facts and grades of these days again; forecasts made before stay as they were:")
        for first, last in ranges(touched):
            click.echo(f"  nba-pipeline backfill {first} {last} {selects}")
    return not found


def whole_table(table_id: str, columns: Sequence[str]) -> pa.Table:
    days = Days(EPOCH, runs.latest_day(), tuple(columns))
    return Settings.from_environment().open_warehouse().read({"rows": (CATALOG[table_id].table, days)})["rows"]
