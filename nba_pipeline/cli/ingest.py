"""The command `ingest`."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from nba_pipeline.cli.console import console
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between, describe_days
from nba_pipeline.sources.ingest import IngestOutcome, Watch, ingest_days
from nba_pipeline.sources.plan import KINDS

LINE_EVERY = 25
FAILURES_SHOWN = 20


def run_ingest(start: date, end: date, only: Sequence[str], replay: bool) -> bool:
    """Fetch start..end and write landing files; False when a response is missing."""
    settings = Settings.from_environment()
    began = time.monotonic()
    with _calls() as watch:
        outcome = ingest_days(
            days_between(start, end),
            tuple(only) or KINDS,
            live=settings.live,
            payloads=settings.payloads,
            landing=settings.landing,
            replay=replay,
            watch=watch,
        )
    _print_outcome(outcome, settings, time.monotonic() - began)
    return outcome.complete


def _print_outcome(outcome: IngestOutcome, settings: Settings, seconds: float) -> None:
    calls = sum(outcome.fetched.values())
    console.print(f"{calls:,} responses fetched in {seconds:.1f} s", highlight=False)
    for what, n in sorted(outcome.fetched.items()):
        console.print(f"  {what}: {n:,}", highlight=False)
    if not outcome.changed:
        console.print(f"landing files in {settings.landing}: nothing changed", highlight=False)
    for feed, days in outcome.changed.items():
        console.print(f"landing files of {feed} changed: {describe_days(days)}", highlight=False)
    for element in outcome.set_aside[:FAILURES_SHOWN]:
        console.print(f"set aside: {element}", highlight=False, markup=False)
    more_aside = len(outcome.set_aside) - FAILURES_SHOWN
    if more_aside > 0:
        console.print(
            f"set aside: and {more_aside} more, named in the .meta.json files below payloads", highlight=False
        )
    for failure in outcome.failures[:FAILURES_SHOWN]:
        click.echo(f"error: {failure}", err=True)
    more = len(outcome.failures) - FAILURES_SHOWN
    if more > 0:
        click.echo(f"error: and {more} more failures", err=True)
    if outcome.untried:
        click.echo(
            f"error: {outcome.untried:,} calls were not made because their service does not respond\n"
            "  Fix: run the same command again later; what has been fetched is kept",
            err=True,
        )


@contextmanager
def _calls() -> Iterator[Watch]:
    """Show progress in calls, with rate and ETA; where the output is no terminal, one line per 25 calls."""
    bar = Progress(
        TextColumn("[bold]{task.description:<52}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[eta]}"),
        console=console,
        disable=not console.is_terminal,
    )
    task = bar.add_task("starting", total=None, rate="", eta="")
    began = time.monotonic()
    printed = 0

    def watch(what: str, done: int, known: int) -> None:
        nonlocal printed
        per_minute = done / max(time.monotonic() - began, 1e-6) * 60
        rate = f"{per_minute:,.0f} calls/min"
        eta = f"ETA {_clock((known - done) / per_minute * 60)}" if done else "ETA ?"
        bar.update(task, description=what, completed=done, total=known, rate=rate, eta=eta)
        if not console.is_terminal and done - printed >= LINE_EVERY:
            printed = done
            console.print(f"{done:,}/{known:,} calls, {rate}, {eta}: {what}", highlight=False)

    with bar:
        yield watch


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
