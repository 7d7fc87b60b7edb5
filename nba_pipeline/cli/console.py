"""Console output that several commands share: progress with rate and ETA, and tables."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table as Grid

from nba_pipeline.common import progress
from nba_pipeline.engine.coverage import TableStatus

MINIMUM_WIDTH = 140

console = Console(width=max(Console().width, MINIMUM_WIDTH))
errors = Console(stderr=True)


@contextmanager
def table_days(total: int, on: Console = console) -> Iterator[None]:
    """Show progress in table-days (one table, one day), with rate and ETA, fed by `progress.announce`.

    Where the output is no terminal, one line per finished table is printed instead.

    Args:
        total: Table-days of the whole command.
        on: Standard output, or `errors` for commands whose output is their result.
    """
    bar = Progress(
        TextColumn("[bold]{task.description:<42}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        console=on,
        disable=not on.is_terminal,
    )
    task = bar.add_task("starting", total=total, rate="")
    began, done = time.monotonic(), 0

    def listen(table: str, stage: str, days: int) -> None:
        nonlocal done
        if stage == progress.STARTED:
            bar.update(task, description=table)
            return
        done += days
        rate = done / max(time.monotonic() - began, 1e-6)
        bar.update(task, advance=days, rate=f"{rate:,.0f} table-days/s")
        if not on.is_terminal:
            left = (total - done) / rate if rate else 0
            on.print(
                f"{table}: {days} days done; {done}/{total} table-days, {rate:,.0f}/s, ETA {left:.0f} s",
                highlight=False,
            )

    with bar, progress.listening(listen):
        yield


def status_grid(statuses: Sequence[TableStatus], start: date, end: date) -> Grid:
    """Lay out published days and rows per table against what the schedule requires."""
    grid = Grid(title=f"{start} .. {end}", title_justify="left", box=SIMPLE_HEAD)
    grid.add_column("table", no_wrap=True)
    for name in ("from", "published", "no games", "rows", "expected", "absent", "rejected", "refused", "missing"):
        grid.add_column(name, justify="right", no_wrap=True)
    for s in statuses:
        absent = sum(s.explained.values()) + s.unexplained
        grid.add_row(
            f"[{'green' if s.complete else 'red'}]{s.table.split('.')[1]}[/]",
            f"{s.first_day}",
            f"{s.days_published:,}/{s.days_expected:,}",
            f"{s.days_without_games:,}",
            f"{s.rows:,}",
            f"{s.expected:,} {s.unit}" if s.unit else "-",
            f"{absent:,}",
            f"{s.rejected:,}",
            f"{len(s.refused):,}",
            f"{len(s.missing):,}",
        )
    return grid


def absences(statuses: Sequence[TableStatus]) -> list[str]:
    """List why expected rows are absent, a sentence per table and reason."""
    return [f"{s.table}: {n:,} {s.unit} absent: {why}" for s in statuses for why, n in sorted(s.explained.items())]


def models_grid(rows: Sequence[Mapping[str, Any]]) -> Grid:
    """Lay out the registry of trained models: training rows and days, hold-out error, and artifact."""
    grid = Grid(title="Trained models", title_justify="left", box=SIMPLE_HEAD)
    for name in ("trained on", "market", "system", "version"):
        grid.add_column(name, no_wrap=True)
    for name in ("rows", "until", "hold-out MAE", "bias", "bytes"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.add_column("artifact")
    for r in rows:
        mae, bias = r["holdout_mae"], r["holdout_bias"]
        grid.add_row(
            f"{r['trained_on']}",
            r["market"],
            r["system_id"],
            r["model_version"],
            f"{r['rows']:,}",
            f"{r['last_day'] or '-'}",
            "-" if mae is None else f"{mae:.3f}",
            "-" if bias is None else f"{bias:+.2f}",
            f"{r['artifact_bytes'] or 0:,}",
            r["reason"] or r["artifact"],
        )
    return grid
