"""Arguments and options that several commands share, and how a command ends."""

import sys
from collections.abc import Callable
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any

import click

from nba_pipeline.common import clock
from nba_pipeline.common.disk_space import storage_failure
from nba_pipeline.common.environment import read_environment
from nba_pipeline.common.errors import PipelineError
from nba_pipeline.domain.calendar import check_range

Command = Callable[..., Any]


class Day(click.ParamType):
    """A date in the form YYYY-MM-DD."""

    name = "date"
    _datetime = click.DateTime(formats=["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Parse the text of an argument; the command ends with code 2 where it is not a date."""
        return self._datetime.convert(value, param, ctx).date()


DAY = Day()

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def days(command: Command) -> Command:
    """Add START and END, which are required."""
    end = click.argument("end", type=DAY, metavar="END")
    return click.argument("start", type=DAY, metavar="START")(end(command))


def optional_days(command: Command) -> Command:
    """Add START and END, which may be left out."""
    end = click.argument("end", type=DAY, metavar="[END]", required=False)
    return click.argument("start", type=DAY, metavar="[START]", required=False)(end(command))


def require_range(start: date | None, end: date | None) -> None:
    """Reject days that no table has, where both are given. Raises ConfigurationError."""
    if start is not None and end is not None:
        from nba_pipeline.common.environment import read_environment  # start-up time: --help needs no settings
        from nba_pipeline.config.home import set_days_of

        variables = read_environment()
        set_days_of(Path(variables.home), variables.first_day)
        check_range(start, end, clock.today())


def exits(command: Callable[..., bool | None]) -> Callable[..., None]:
    """End with code 1 when the command returns False or raises a PipelineError, which is printed without a traceback."""

    @wraps(command)
    def run(**arguments: Any) -> None:
        try:
            if command(**arguments) is False:
                sys.exit(1)
        except PipelineError as e:
            click.echo(f"error: {e}", err=True)
            sys.exit(1)
        except Exception as e:
            # Storage of any library fails with an error of its own; every error that is not the disk's keeps its traceback.
            failure = storage_failure(e, Path(read_environment().home))
            if failure is None:
                raise
            click.echo(f"error: {failure}", err=True)
            sys.exit(1)

    return run
