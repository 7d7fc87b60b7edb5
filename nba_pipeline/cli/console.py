"""Console output that several commands share: the streams, and progress with rate and ETA."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from nba_pipeline.common import progress

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
