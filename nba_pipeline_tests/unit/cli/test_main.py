"""The command line: every option has help, days are checked first, and errors carry a fix."""

from datetime import date

import click
import pytest
from click.testing import CliRunner

from nba_pipeline.cli.main import main
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.domain.calendar import EPOCH, check_range


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_and_every_option_of_it_has_help(name: str) -> None:
    command = main.commands[name]
    assert command.help
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert [o.name for o in options if not o.help and o.name != "kind"] == []


@pytest.mark.parametrize(
    ("start", "end", "problem", "fix"),
    [
        (date(2024, 1, 2), date(2024, 1, 1), "START 2024-01-02 is after END 2024-01-01", "2024-01-01 2024-01-02"),
        (date(2020, 1, 1), date(2024, 1, 1), "before the first partition", str(EPOCH)),
        (date(2024, 1, 1), date(2024, 1, 3), "in the future", "2024-01-02"),
    ],
)
def test_a_range_without_partitions_is_refused_with_the_fix(start: date, end: date, problem: str, fix: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as error:
        check_range(start, end, date(2024, 1, 2))
    assert fix in str(error.value)


def test_an_error_is_printed_without_a_traceback_and_ends_with_code_2() -> None:
    done = CliRunner().invoke(main, ["report", "2024-01-02", "2024-01-01"])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: START 2024-01-02 is after END 2024-01-01\n")
