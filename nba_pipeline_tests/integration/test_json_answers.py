"""What commands print with `--json` on a home with published tables: one JSON document, with the keys that are documented."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nba_pipeline.cli.main import main
from nba_pipeline_tests.support.homes import FIRST, LAST, Home

DAYS = [str(FIRST), str(LAST)]


@pytest.fixture(scope="module")
def home(finished_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A copy that commands may write to."""
    path: Path = tmp_path_factory.mktemp("json") / "home"
    shutil.copytree(finished_home.path, path)
    return Home(path)


def invoke(home: Home, *arguments: str) -> Result:
    own: dict[str, str | None] = {k: None for k in os.environ if k.startswith("NBA_PIPELINE_")}
    return CliRunner().invoke(main, [*arguments], env=own | dict(home.environment))


def document(home: Home, *arguments: str) -> Any:
    done = invoke(home, *arguments, "--json")
    assert done.exit_code in (0, 1), done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (["status"], {"start", "end", "complete", "tables"}),
        (["check"], {"start", "end", "complete", "findings"}),
        (["dashboard"], {"start", "end", "counts", "tables", "problems", "waived", "alerts"}),
        (["backfill", *DAYS, "--dry-run"], {"start", "end", "tables", "steps", "table_days", "estimated_seconds"}),
        (["describe", "calls"], {"table", "key", "reads", "read_by", "rules", "columns"}),
        (["export", *DAYS, "--table", "schedule"], {"table", "start", "end", "format", "path", "rows"}),
    ],
)
def test_the_document_has_the_keys_that_are_documented(home: Home, arguments: list[str], keys: set[str]) -> None:
    assert keys <= set(document(home, *arguments))


@pytest.mark.parametrize(
    "arguments",
    [["tables"], ["backfills"], ["names"], ["alerts"], ["models"], ["report", DAYS[1]], ["query", "select 1 as a"]],
)
def test_the_document_is_a_list(home: Home, arguments: list[str]) -> None:
    assert isinstance(document(home, *arguments), list)


def test_the_dashboard_names_the_pages_that_it_wrote(home: Home) -> None:
    done = invoke(home, "dashboard", DAYS[0])
    written = [Path(line) for line in done.stdout.splitlines()]
    assert {p.name for p in written} == {"season-2021-22.html", "checks.html", "checks.json", "index.html"}
    assert all(p.is_file() for p in written)
    told = json.loads((written[0].parent / "checks.json").read_text())
    assert (told["start"], told["end"]) == (DAYS[0], DAYS[1])
    assert (done.exit_code == 0) == (told["problems"] == [])


def test_a_dry_run_has_the_steps_of_the_run_and_runs_nothing(home: Home) -> None:
    before = home.warehouse.ledger()
    told = document(home, "backfill", *DAYS, "--dry-run")
    assert [(s["start"], s["end"], s["history"]) for s in told["steps"]] == [(*DAYS, False)]
    assert told["table_days"] == len(told["tables"]) * ((LAST - FIRST).days + 1)
    assert home.warehouse.ledger().equals(before)
    nothing = document(home, "backfill", *DAYS, "--dry-run", "--missing")
    assert nothing["table_days"] == sum(s["days"] * len(s["tables"]) for s in nothing["steps"])


def test_a_dry_run_on_an_empty_home_knows_no_rate_and_writes_nothing(tmp_path: Path) -> None:
    told = document(Home(tmp_path / "home"), "backfill", *DAYS, "--dry-run")
    assert told["estimated_seconds"] is None
    assert not (tmp_path / "home" / "dagster").exists()


def test_a_query_prints_its_rows_as_csv(home: Home) -> None:
    done = invoke(home, "query", "select count(*) as games, 1 as games from nba_raw.schedule")
    assert done.stdout.splitlines()[0] == "games,games_2"
    assert int(done.stdout.splitlines()[1].split(",")[0]) > 0


@pytest.mark.parametrize("sql", ["", "drop table nba_raw.schedule", "select * from read_csv('/etc/hostname')"])
def test_a_query_without_result_or_beyond_the_tables_is_wrong_usage(home: Home, sql: str) -> None:
    assert invoke(home, "query", sql).exit_code == 2
