"""Arguments and options that several commands share, and how a command ends."""

import difflib
import os
import re
import select
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, TextIO

import click

from nba_pipeline.cli.own_pages import host_name
from nba_pipeline.common import clock
from nba_pipeline.common.collector import collect_rarely
from nba_pipeline.common.disk_space import storage_failure
from nba_pipeline.common.errors import ConfigurationError, PipelineError
from nba_pipeline.domain.calendar import check_range
from nba_pipeline.domain.named_days import DAYS_AGO, named_day

Command = Callable[..., Any]
INCOMPLETE, USAGE, CRASHED = 1, 2, 3
# Of a program that SIGPIPE ends, such as `cat` before `head`.
OUTPUT_CLOSED = 141


class Day(click.ParamType):
    """A date: YYYY-MM-DD, `today`, `yesterday`, or -N for N days ago (Eastern)."""

    name = "date"
    _datetime = click.DateTime(formats=["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Parse the text of an argument; the command ends with code 2 where it is not a date."""
        text = str(value)
        named = named_day(text)
        if named is not None:
            return named
        try:
            return self._datetime.convert(value, param, ctx).date()
        except click.BadParameter:
            self.fail(f"{text!r} is no date: use YYYY-MM-DD, today, yesterday, or -7 for seven days ago.", param, ctx)


class HostName(click.ParamType):
    """A name of a server, without scheme and port."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the text of an option; the command ends with code 2 where it is no name."""
        try:
            return host_name(str(value))
        except ConfigurationError as e:
            self.fail(f"{e.what}; {e.remedy}", param, ctx)


DAY = Day()
HOST = HostName()


class DayCommand(click.Command):
    """A command whose arguments may be `-7`, which is a day and no option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move the days behind `--`, in their order, so that `-7` is not read as an option."""
        if not any(DAYS_AGO.fullmatch(a) for a in args) or "--" in args:
            return super().parse_args(ctx, args)
        takes_value = {o for p in self.params if isinstance(p, click.Option) and not p.is_flag for o in p.opts}
        options: list[str] = []
        arguments: list[str] = []
        expects_value = False
        for a in args:
            is_argument = not expects_value and (DAYS_AGO.fullmatch(a) is not None or not a.startswith("-"))
            (arguments if is_argument else options).append(a)
            expects_value = not expects_value and a in takes_value
        return super().parse_args(ctx, [*options, "--", *arguments])


class Commands(click.Group):
    """The group of commands: its list shows whole sentences, and a misspelled name is answered with the nearest."""

    command_class = DayCommand

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; warnings of libraries say nothing to its user, unless Python was asked for them."""
        collect_rarely()
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of the first argument."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as e:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if near:
                raise click.UsageError(f"{e.message} Did you mean {near[0]!r}?", ctx) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List every command with the first sentence of its help."""
        rows = [(name, _first_sentence(command.help or "")) for name, command in sorted(self.commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _first_sentence(text: str) -> str:
    """Return a text up to the first full stop that ends a sentence, on one line."""
    line = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=\.)\s", line, maxsplit=1)[0]


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def days(command: Command) -> Command:
    """Add START and END, which are required."""
    end = click.argument("end", type=DAY, metavar="END")
    return click.argument("start", type=DAY, metavar="START")(end(command))


def optional_days(command: Command) -> Command:
    """Add START and END, which may be left out; START alone stands for the days from it to the last that was run.

    Where that is earlier, it stands for itself (`last_asked`).
    """
    end = click.argument("end", type=DAY, metavar="[END]", required=False)
    return click.argument("start", type=DAY, metavar="[START]", required=False)(end(command))


def require_range(start: date | None, end: date | None) -> None:
    """Reject days that no table has. Raises ConfigurationError."""
    if start is not None:
        from nba_pipeline.common.environment import read_environment  # start-up time: --help needs no settings
        from nba_pipeline.config.home import set_days_of

        variables = read_environment()
        set_days_of(Path(variables.home), variables.first_day)
        check_range(start, end or start, clock.today())


def end_quietly() -> NoReturn:
    """End the command, whose output has lost its reader, without a word, as other tools before `| head` end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(OUTPUT_CLOSED)


def _is_closed(output: TextIO) -> bool:
    """Whether the reader of an output has gone, which is no fault; any other broken pipe is one."""
    try:
        watched = select.poll()
        watched.register(output.fileno(), 0)
    except (OSError, ValueError):
        return False
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in watched.poll(0))


def exits(command: Callable[..., bool | None]) -> Callable[..., None]:
    """Give a command its exit code: 0 all is well, 1 refused or incomplete, 2 wrong usage, 3 a crash.

    A command that returns False ends with 1. A PipelineError is printed without a traceback. A command whose output is closed
    ends quietly.
    """

    @wraps(command)
    def run(**arguments: Any) -> None:
        try:
            complete = command(**arguments)
            sys.stdout.flush()
            if complete is False:
                sys.exit(INCOMPLETE)
        except PipelineError as e:
            click.echo(f"error: {e}", err=True)
            sys.exit(USAGE if isinstance(e, ConfigurationError) else INCOMPLETE)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as e:  # noqa: BLE001 - printed whole; only the exit code is ours
            if isinstance(e, BrokenPipeError) and (_is_closed(sys.stdout) or _is_closed(sys.stderr)):
                end_quietly()
            # Storage of any library fails with an error of its own; every error that is not the disk's keeps its traceback.
            from nba_pipeline.common.environment import read_environment

            failure = storage_failure(e, Path(read_environment().home))
            if failure is None:
                traceback.print_exc()
                sys.exit(CRASHED)
            click.echo(f"error: {failure}", err=True)
            sys.exit(INCOMPLETE)

    return run
