"""Console output that several commands share: the streams, and progress with rate and ETA."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import MappingProxyType

import click
from rich.console import Console
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.segment import Segment, Segments
from rich.table import Table as Grid
from rich.text import Text

from nba_pipeline.cli.options import end_quietly
from nba_pipeline.common import progress
from nba_pipeline.common.json_text import json_text
from nba_pipeline.common.throughput import counted, in_words, rate_in_words

# Of output that goes to a file or another program, which no terminal limits.
FILE_WIDTH = 140


class _Console(Console):
    """A console that ends the command where its output is closed, as every other output does."""

    def on_broken_pipe(self) -> None:
        end_quietly()


console = _Console() if Console().is_terminal else _Console(width=max(Console().width, FILE_WIDTH))
errors = _Console(stderr=True)


def narrate_on_stderr() -> None:
    """Send progress and sentences to standard error: standard output is the JSON of the command."""
    console.stderr = True


def print_json(value: object) -> None:
    """Print a value as JSON on standard output; days and times as ISO text."""
    click.echo(json_text(value, indent=2))


def print_grid(grid: Grid) -> None:
    """Print a table whole; where the terminal is narrower, say by how much it has to be widened."""
    needed = Measurement.get(Console(width=1000), Console(width=1000).options, grid).maximum
    if needed <= console.width:
        console.print(grid)
        return
    lines = console.render_lines(grid, console.options.update(width=needed), pad=False)
    console.print(Segments([s for line in lines for s in (*line, Segment.line())]), crop=False, end="")
    if console.is_terminal:
        console.print(
            f"(the table needs {needed} columns, this terminal has {console.width}: widen it, or use --json)",
            highlight=False,
        )


def progress_bar(on: Console, *ends: ProgressColumn) -> Progress:
    """Make a progress bar: what is worked on, the bar, how much of it is done, and the given columns. It shows in terminals only.

    Args:
        on: Standard output, or `errors` for commands whose output is their result.
        ends: The columns after the figures.
    """
    begin = (TextColumn("[bold]{task.description:<52}"), BarColumn(bar_width=30), MofNCompleteColumn())
    return Progress(*begin, *ends, console=on, disable=not on.is_terminal)


class _TimeLeft(ProgressColumn):
    """The time until the field `ends` of a task, a moment of `time.monotonic`; unknown where it is None."""

    def render(self, task: Task) -> Text:
        ends = task.fields["ends"]
        return Text("unknown" if ends is None else in_words(timedelta(seconds=max(ends - time.monotonic(), 0))))


@contextmanager
def table_days(
    total: int, on: Console = console, work: Mapping[str, Sequence[int]] = MappingProxyType({})
) -> Iterator[None]:
    """Show progress in table-days (one table, one day), with rate and ETA, fed by `progress.announce`.

    Where the output is no terminal, one line per finished table is printed instead.

    Args:
        total: Table-days of the whole command.
        on: Standard output, or `errors` for commands whose output is their result.
        work: By table, the work of each of its runs in their order, from which the ETA follows; else all days count alike.
    """
    waiting = {table: list(runs) for table, runs in work.items()}
    all_work = sum(map(sum, waiting.values())) or total
    bar = progress_bar(on, TextColumn("{task.fields[rate]}"), TimeElapsedColumn(), TextColumn("ETA"), _TimeLeft())
    task = bar.add_task("starting", total=total, rate="", ends=None)
    began, done, worked = time.monotonic(), 0, 0

    def listen(table: str, stage: str, days: int) -> None:
        nonlocal done, worked
        if stage == progress.STARTED:
            bar.update(task, description=table)
            return
        done += days
        worked += waiting[table].pop(0) if waiting.get(table) else days
        now = time.monotonic()
        seconds = now - began
        rate = rate_in_words(done, seconds)
        seconds_left = seconds * (all_work - worked) / worked if worked else None
        ends = None if seconds_left is None else now + seconds_left
        bar.update(task, advance=days, rate=f"{rate} table-days", ends=ends)
        if not on.is_terminal:
            left = "unknown" if seconds_left is None else in_words(timedelta(seconds=seconds_left))
            on.print(
                f"{table}: {counted(days, 'day')} done; {done}/{total} table-days, {rate}, ETA {left}", highlight=False
            )

    with bar, progress.listening(listen):
        yield
