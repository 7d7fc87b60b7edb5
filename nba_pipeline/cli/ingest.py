"""The command `ingest`."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import click
from rich.progress import TextColumn, TimeElapsedColumn

from nba_pipeline.cli.console import console, errors, narrate_on_stderr, print_json, progress_bar
from nba_pipeline.common.errors import SourceError
from nba_pipeline.config.settings import Settings
from nba_pipeline.domain.calendar import days_between, describe_days, season_of
from nba_pipeline.sources.answers import read_games
from nba_pipeline.sources.call_log import CallLog
from nba_pipeline.sources.calls import Known, Watch, describe_seconds
from nba_pipeline.sources.estimates import estimate_ingest
from nba_pipeline.sources.ingest import IngestOutcome, ingest_days, require_kinds
from nba_pipeline.sources.payloads import PayloadStore
from nba_pipeline.sources.plan import KINDS, ODDS_API

LINE_EVERY = 25
FAILURES_SHOWN = 20


def run_ingest(start: date, end: date, only: Sequence[str], *, replay: bool, closing: bool, as_json: bool) -> bool:
    """Fetch start..end and write landing files; False when a response is missing."""
    if as_json:
        narrate_on_stderr()
    settings = Settings.from_environment()
    began = time.monotonic()
    with _calls() as watch:
        outcome = ingest_days(
            days_between(start, end),
            tuple(only) or KINDS,
            live=settings.live,
            state=settings.open_state(),
            replay=replay,
            closing=closing,
            watch=watch,
            tell=_tell,
        )
    if as_json:
        print_json(_as_json(outcome))
    else:
        _print_outcome(outcome, settings, time.monotonic() - began)
    return outcome.complete


def show_estimate(start: date, end: date, only: Sequence[str], closing: bool, as_json: bool) -> bool:
    """Print the calls, credits and time that an ingest of start..end would take; False without the schedule of a season."""
    settings = Settings.from_environment()
    days = days_between(start, end)
    state = settings.open_state()
    answers = state.directory("payloads")
    answers.pull()
    known = Known(PayloadStore(answers.path), CallLog(state))
    kinds = tuple(only) or KINDS
    require_kinds(kinds)
    seasons = {s: read_games(known.store, s) for s in sorted({season_of(d) for d in days})}
    lacking = [s for s, games in seasons.items() if games is None]
    if lacking:
        raise SourceError(
            f"calls are planned from the schedule, and that of {', '.join(lacking)} was never fetched",
            f"run `nba-pipeline ingest {start} {start} --only schedule` for a day of each of these seasons (free of charge)",
        )
    games = [g for listed in seasons.values() for g in listed or ()]
    estimate = estimate_ingest(games, days, kinds, settings.live, known, closing)
    if as_json:
        print_json({"calls": dict(estimate.calls), "credits": estimate.credits, "seconds": estimate.seconds})
        return True
    for what, n in sorted(estimate.calls.items()):
        console.print(f"  {what}: {n:,}", highlight=False)
    console.print(
        f"{estimate.total:,} calls, {estimate.credits:,} credits of the odds service, at least "
        f"{describe_seconds(estimate.seconds)}",
        highlight=False,
    )
    return True


def _tell(text: str) -> None:
    errors.print(text, highlight=False, markup=False)


def _as_json(outcome: IngestOutcome) -> dict[str, Any]:
    return {
        "days": [f"{d}" for d in outcome.days],
        "kinds": list(outcome.kinds),
        "complete": outcome.complete,
        "fetched": dict(outcome.fetched),
        "absent": dict(outcome.absent),
        "failures": list(outcome.failures),
        "untried": outcome.untried,
        "changed": {feed: [f"{d}" for d in days] for feed, days in outcome.changed.items()},
        "set_aside": list(outcome.set_aside),
        "disagreements": list(outcome.disagreements),
        "waited_seconds": dict(outcome.waited),
        "credits": outcome.credits,
    }


def _print_outcome(outcome: IngestOutcome, settings: Settings, seconds: float) -> None:
    calls = sum(outcome.fetched.values())
    console.print(f"{calls:,} responses fetched in {seconds:.1f} s", highlight=False)
    for what, n in sorted(outcome.fetched.items()):
        console.print(f"  {what}: {n:,}", highlight=False)
    for what, n in sorted(outcome.absent.items()):
        console.print(f"  {what}: {n:,} do not exist", highlight=False)
    for source, rest in sorted(outcome.waited.items()):
        console.print(f"  {source}: rested for {describe_seconds(rest)}", highlight=False)
    if outcome.credits:
        console.print(f"  {ODDS_API}: {outcome.credits:,} credits spent", highlight=False)
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
    for difference in outcome.disagreements[:FAILURES_SHOWN]:
        console.print(f"sources disagree: {difference}", highlight=False, markup=False)
    more_differences = len(outcome.disagreements) - FAILURES_SHOWN
    if more_differences > 0:
        console.print(f"sources disagree: and {more_differences} more values (--json lists all)", highlight=False)
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
    rate_column, eta_column = TextColumn("{task.fields[rate]}"), TextColumn("{task.fields[eta]}")
    bar = progress_bar(errors, rate_column, TimeElapsedColumn(), eta_column)
    task = bar.add_task("starting", total=None, rate="", eta="")
    began = time.monotonic()
    printed = 0

    def watch(what: str, done: int, known: int) -> None:
        nonlocal printed
        per_minute = done / max(time.monotonic() - began, 1e-6) * 60
        rate = f"{per_minute:,.0f} calls/min"
        eta = f"ETA {_clock((known - done) / per_minute * 60)}" if done else "ETA ?"
        bar.update(task, description=what, completed=done, total=known, rate=rate, eta=eta)
        if not errors.is_terminal and done - printed >= LINE_EVERY:
            printed = done
            errors.print(f"{done:,}/{known:,} calls, {rate}, {eta}: {what}", highlight=False)

    with bar:
        yield watch


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
