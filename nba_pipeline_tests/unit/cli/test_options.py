"""Days, exit codes and suggestions: what every command shares."""

import json
import os
import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TextIO, cast

import click
import pytest
import time_machine
from click.testing import CliRunner

from nba_pipeline.cli.main import main
from nba_pipeline.cli.options import DAY, DayCommand, exits
from nba_pipeline.common.errors import ConfigurationError, MissingHistoryError

NOON = datetime(2024, 11, 6, 17, tzinfo=UTC)


@click.command(cls=DayCommand)
@click.argument("start", type=DAY)
@click.argument("end", type=DAY, required=False)
@click.option("--limit", type=click.IntRange(1), default=5)
@click.option("--flag", is_flag=True)
def echo(start: date, end: date | None, limit: int, flag: bool) -> None:
    """Echo."""
    click.echo(f"{start} {end} {limit} {flag}")


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("today", "2024-11-06 None 5 False"),
        ("yesterday today", "2024-11-05 2024-11-06 5 False"),
        ("-7 -1", "2024-10-30 2024-11-05 5 False"),
        ("--flag -7 --limit 3 yesterday", "2024-10-30 2024-11-05 3 True"),
        ("2024-10-22 -7 --limit=9", "2024-10-22 2024-10-30 9 False"),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_days_are_dates_words_or_days_ago(arguments: str, shown: str) -> None:
    done = CliRunner().invoke(echo, arguments.split())
    assert done.output.strip() == shown


@time_machine.travel(datetime(2024, 11, 6, 3, tzinfo=UTC), tick=False)
def test_today_is_that_of_the_us_east() -> None:
    assert CliRunner().invoke(echo, ["today"]).output.startswith("2024-11-05")


@pytest.mark.parametrize("arguments", ["-7x", "2024-02-30", "tomorow", "-7 --limit -3", "-7 --flog"])
def test_what_is_no_day_or_option_is_wrong_usage(arguments: str) -> None:
    assert CliRunner().invoke(echo, arguments.split()).exit_code == 2


def outcome(of: BaseException | bool) -> int:
    @click.command()
    @exits
    def command() -> bool:
        if isinstance(of, BaseException):
            raise of
        return of

    return CliRunner().invoke(command).exit_code


def test_exit_codes_tell_incomplete_usage_and_crash_apart() -> None:
    assert [outcome(True), outcome(False)] == [0, 1]
    assert outcome(MissingHistoryError("days are missing", "run them")) == 1
    assert outcome(ConfigurationError("a wrong variable", "correct it")) == 2
    assert outcome(click.UsageError("no")) == 2
    assert outcome(ZeroDivisionError()) == 3


def broken_pipe(output: TextIO, monkeypatch: pytest.MonkeyPatch) -> int:
    @exits
    def command() -> bool:
        raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", output)
    with pytest.raises(SystemExit) as end:
        command()
    return cast(int, end.value.code)


def test_a_command_whose_reader_has_gone_ends_as_other_tools_do(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    assert broken_pipe(os.fdopen(writing, "w"), monkeypatch) == 141
    assert capfd.readouterr().err == ""


def test_any_other_broken_pipe_is_a_crash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "output").open("w") as output:
        assert broken_pipe(output, monkeypatch) == 3


def has_json(command: click.Command) -> bool:
    inner = command.commands.values() if isinstance(command, click.Group) else [command]
    return all("--json" in {o for p in c.params for o in p.opts} for c in inner)


def test_the_documentation_names_every_command_that_prints_json_and_no_other() -> None:
    page = (Path(__file__).parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")
    section = page[page.index("## JSON") : page.index("## Completion")]
    named = {text.split()[0] for text in re.findall(r"`([^`]+)`", section)} & set(main.commands)
    assert named == {name for name, command in main.commands.items() if has_json(command)}


@pytest.mark.parametrize("name", ["status", "check", "names", "copy", "corrections", "dashboard"])
@time_machine.travel(NOON, tick=False)
def test_a_first_day_alone_is_checked_as_a_range_is(name: str, tmp_path: Path) -> None:
    options = ["--to", "duckdb:elsewhere"] if name == "copy" else []
    arguments = [name, *options, "2024-11-07"]
    done = CliRunner().invoke(main, arguments, env={"NBA_PIPELINE_HOME": str(tmp_path)})
    assert (done.exit_code, "is in the future" in done.stderr) == (2, True)


@time_machine.travel(NOON, tick=False)
def test_start_and_end_are_named_only_where_the_user_gave_two_days(tmp_path: Path) -> None:
    home = {"NBA_PIPELINE_HOME": str(tmp_path)}
    early = CliRunner().invoke(main, ["report", "2010-11-07"], env=home)
    alone = CliRunner().invoke(main, ["report", "2024-11-07"], env=home)
    ranged = CliRunner().invoke(main, ["report", "2024-11-01", "2024-11-07"], env=home)
    assert early.stderr.startswith("error: 2010-11-07 is before the first partition")
    assert alone.stderr.startswith("error: 2024-11-07 is in the future")
    assert ranged.stderr.startswith("error: END 2024-11-07 is in the future")


@pytest.mark.parametrize(
    ("option", "wrong"),
    [("--season", "2024-26"), ("--season", "2024"), ("--season-type", "Regular Seasn"), ("--market", "pionts")],
)
def test_a_leaderboard_of_what_does_not_exist_is_wrong_usage_and_not_one_without_forecasts(
    option: str, wrong: str, tmp_path: Path
) -> None:
    done = CliRunner().invoke(main, ["leaderboard", option, wrong], env={"NBA_PIPELINE_HOME": str(tmp_path)})
    assert (done.exit_code, f"{option} is {wrong!r}" in done.stderr, "Fix: " in done.stderr) == (2, True, True)


def test_a_misspelled_command_below_import_is_answered_with_the_nearest_and_listed_in_whole_sentences() -> None:
    assert "Did you mean 'directory'?" in CliRunner().invoke(main, ["import", "directry"]).output
    shown = CliRunner().invoke(main, ["import", "--help"], terminal_width=80).output
    assert "..." not in shown[shown.index("Commands:") :].replace("SEASON...", "")


def test_a_misspelled_command_or_table_is_answered_with_the_nearest() -> None:
    assert "Did you mean 'report'?" in CliRunner().invoke(main, ["reprot"]).output
    done = CliRunner().invoke(main, ["describe", "player_prop_prediction"])
    assert (done.exit_code, "did you mean nba_predictions.player_prop_predictions?" in done.stderr) == (2, True)
    done = CliRunner().invoke(main, ["describe", "xyz"])
    assert "use one of: nba_raw.schedule" in done.stderr


def test_the_list_of_commands_has_whole_sentences_on_eighty_columns() -> None:
    shown = CliRunner().invoke(main, ["--help"], terminal_width=80).output
    listed = shown[shown.index("Commands:") :]
    assert "..." not in listed
    assert listed.count(".\n") >= len(main.commands)
    assert max(map(len, shown.splitlines())) <= 80


def test_every_table_is_listed_with_its_grain_and_described() -> None:
    listed = json.loads(CliRunner().invoke(main, ["tables", "--json"]).output)
    assert all(t["grain"].startswith("One row per") for t in listed)
    described = json.loads(CliRunner().invoke(main, ["describe", "calls", "--json"]).output)
    assert described["table"] == "nba_predictions.calls"
    assert "nba_predictions.call_grades" in described["read_by"]
    assert {"name", "type", "nullable", "unit", "description"} <= described["columns"][0].keys()
    text = CliRunner().invoke(main, ["describe", "calls"]).output
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("command", [["quarantine", "--limit", "-3"], ["names", "--limit", "0"], ["names", "-3", "-7"]])
def test_limits_and_ranges_that_make_no_sense_are_wrong_usage(command: list[str], tmp_path: Path) -> None:
    assert CliRunner().invoke(main, command, env={"NBA_PIPELINE_HOME": str(tmp_path)}).exit_code == 2


@pytest.mark.parametrize("below", ["", "/deeper"])
def test_a_home_that_is_a_file_is_refused_by_name(below: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(main, ["status"], env={"NBA_PIPELINE_HOME": f"{tmp_path}/file{below}"})
    assert done.exit_code == 2
    assert f"{tmp_path}/file is a file" in done.stderr


def test_a_home_where_no_directory_can_be_made_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    home = "/proc/1/nba"
    monkeypatch.setenv("NBA_PIPELINE_HOME", home)

    @exits
    def make() -> None:
        Path(home, "dagster").mkdir(parents=True)

    done = CliRunner().invoke(click.command(make))
    assert done.exit_code == 1
    assert f"no directory can be made at {home}" in done.stderr


def test_a_file_that_is_absent_in_a_home_is_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(tmp_path))

    @exits
    def read() -> None:
        (tmp_path / "file").read_text()

    assert CliRunner().invoke(click.command(read)).exit_code == 3
