"""Help, the version and wrong arguments import none of the heavy libraries."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("dagster", "pandas", "pyarrow", "ibis", "duckdb", "numpy", "scipy", "xgboost", "google", "rich", "sqlalchemy")
ENTRY = (
    "import sys; from nba_pipeline.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit as e: code = e.code\n"
)
COMMANDS = sorted((Path(__file__).parents[2] / "nba_pipeline" / "cli").glob("*.py"))
LISTING = f"print([m for m in {HEAVY} if m in sys.modules], code, file=sys.stderr)"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["status", "--help"], 0),
        (["status", "2024-13-01"], 2),
        (["backfill", "2024-01-02", "2024-01-01"], 2),
        (["verify", "2024-01-01", "2999-01-01"], 2),
        (["leaderboard", "--tier", "none"], 2),
        (["no-such-command"], 2),
    ],
)
def test_help_version_and_wrong_arguments_import_no_heavy_library(arguments: list[str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENTRY + LISTING, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines()[-1] == f"[] {code}"


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_do_not_parse_the_environment(argument: str) -> None:
    listing = "print('pydantic' in sys.modules, code, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", ENTRY + listing, argument], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "False 0"


@pytest.mark.parametrize("module", ["nba_pipeline.definitions", "nba_pipeline.cli.status", "nba_pipeline.cli.backfill"])
def test_loading_imports_nothing_of_the_google_clients_and_builds_no_expression(module: str, tmp_path: Path) -> None:
    clients = (
        "[m for m in sys.modules if m.startswith(('google.cloud', 'google.auth', 'google.api_core', 'dagster_gcp'))]"
    )
    script = f"import sys, {module}\nfrom nba_pipeline.config.settings import Settings\n"
    script += f"Settings.from_environment().open_warehouse().ledger()\nprint({clients})\n"
    script += (
        "from nba_pipeline.tables.catalog import TRANSFORMS\nprint(any('expression' in vars(t) for t in TRANSFORMS))"
    )
    own = {k: v for k, v in os.environ.items() if not k.startswith("NBA_PIPELINE_")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env=own | {"NBA_PIPELINE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\nFalse\n"


@pytest.mark.parametrize("command", ["tables", "tables --json", "describe calls", "--help"])
def test_a_command_before_head_ends_without_a_word(command: str, tmp_path: Path) -> None:
    script = f"{shlex.quote(sys.executable)} -m nba_pipeline.cli {command} | head -n 1 > /dev/null"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        env=os.environ | {"NBA_PIPELINE_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode in (0, 1 if command == "--help" else 141)


# Modules of commands that need the extra `live`: of other services, and of the files that they give.
LIVE = ("check_sources", "import_data", "ingest")


@pytest.mark.parametrize(
    "arguments", [["ingest", "2024-01-01", "2024-01-01"], ["check", "--sources"], ["import", "directory", "."]]
)
def test_commands_of_live_services_name_the_extra_that_they_need_and_no_other_needs_it(arguments: list[str]) -> None:
    blocked = "import sys; sys.modules |= dict.fromkeys(('nba_api', 'pypdf', 'tenacity'))\n"
    others = "import nba_pipeline.definitions\n" + "".join(
        f"import nba_pipeline.cli.{p.stem}\n" for p in COMMANDS if p.stem not in (*LIVE, "__main__")
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", blocked + others + ENTRY, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Fix: pip install 'nba_pipeline[live]'" in done.stderr


def test_the_command_for_agents_names_its_extra_and_no_other_needs_it() -> None:
    blocked = "import sys; sys.modules['mcp'] = None\n"
    others = "".join(
        f"import nba_pipeline.cli.{p.stem}\n" for p in COMMANDS if p.stem not in ("mcp_server", "__main__")
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", blocked + others + ENTRY, "mcp"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Fix: pip install 'nba_pipeline[mcp]'" in done.stderr
