"""SQL and shell in paths, names, notes and configuration are text: tables come out as without, and nothing is executed."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner

from nba_pipeline.cli.main import main
from nba_pipeline.domain.identity.aliases import OWN
from nba_pipeline.engine.waivers import COLUMNS, FILE
from nba_pipeline.sources.landing import FEEDS
from nba_pipeline.tables.catalog import CATALOG, graph_order
from nba_pipeline.warehouse import Days
from nba_pipeline_tests.support.homes import Home
from tools.reliability.ground import ROOT, AlteredSource, Ground, differing
from tools.reliability.same_answer import Copy

pytestmark = pytest.mark.integration
SQL, SHELL = "x'; DROP TABLE nba_raw.schedule; --", "$(touch pwned) `touch pwned` ; touch pwned | touch pwned"
NASTY = f'{SQL} {SHELL} "q" é 名\t\\ \n end'
FIRST, LAST = date(2021, 10, 19), date(2021, 10, 20)
SELECTED = ("nba_raw", "nba_analytics.player_game_summary")
TABLES = tuple(t for t in graph_order() if t.startswith("nba_raw.")) + SELECTED[1:]
WAIVED = "nba_raw.shots"


def run(place: Path, word: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, whose directory, home and landing files are named by the word."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("NBA_PIPELINE_", "DAGSTER_"))}
    home = {"NBA_PIPELINE_HOME": str(place / f"home {word}"), "NBA_PIPELINE_DATA": str(place / f"landing {word}")}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "nba_pipeline.cli", *arguments],
        env=own | home | {"NBA_PIPELINE_SOURCE": "files", "PYTHONPATH": str(ROOT)},
        cwd=place / f"home {word}",
        capture_output=True,
        text=True,
        timeout=300,
    )


def furnish(place: Path, word: str, simulated: Path) -> None:
    """A home with a waiver and an alias that contain the word, and landing files."""
    home = place / f"home {word}"
    home.mkdir()
    shutil.copytree(simulated, place / f"landing {word}")
    with (home / FILE).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, ["2021-10-21", WAIVED, FIRST, FIRST, "", f"ann {word}", word]])
    with (home / OWN).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["alias", "player_name", "note"], [f"Nobody {word}", f"Somebody {word}", word]])


@pytest.mark.e2e
def test_paths_waivers_and_aliases_with_sql_and_shell_in_them_change_nothing(
    finished_home: Home, tmp_path: Path
) -> None:
    (simulated,) = finished_home.path.glob("simulator/seed-*/2021-22")
    select = [part for name in SELECTED for part in ("--select", name)]
    furnish(tmp_path, NASTY, simulated)
    said = {
        "backfill": run(tmp_path, NASTY, "backfill", str(FIRST), str(LAST), *select),
        **{c: run(tmp_path, NASTY, c) for c in ("check", "names", "quarantine", "backfills")},
        "export": run(tmp_path, NASTY, "export", str(FIRST), str(LAST), "--table", "schedule", "--format", "csv"),
    }
    failed = {c: d.stderr[-600:] for c, d in said.items() if "Traceback" in d.stderr or (d.returncode and c != "check")}
    assert failed == {}
    before = Ground(finished_home.settings).contents(FIRST, LAST, TABLES)
    after = Ground(Home(tmp_path / f"home {NASTY}").settings).contents(FIRST, LAST, TABLES)
    assert len(before) > 10
    assert differing(before, after) == []
    assert not list(tmp_path.rglob("pwned"))


def renamed(rows: pa.Table, ids: set[int], name: str) -> pa.Table:
    records = rows.to_pylist()
    for r in records:
        if r.get("player_id") in ids:
            r["player_name"] = name
    return pa.Table.from_pylist(records, rows.schema)


def test_a_player_who_is_called_like_sql_and_shell_has_his_own_row_and_changes_no_other(
    finished_home: Home, tmp_path: Path
) -> None:
    ground, name = Copy.of(finished_home.settings, tmp_path), f"{SQL} $(touch pwned) `touch pwned`"
    days, tables = [FIRST, LAST], tuple(t for t in TABLES if t != WAIVED)
    ground.publish(days, tables)
    before = cells(ground, tables)
    ids = {min(r["player_id"] for r in before["nba_raw.player_boxscores"])}
    changes = {f: lambda rows: renamed(rows, ids, name) for f in FEEDS if f != "player_ages"}
    ground.publish(days, tables, source=AlteredSource(ground.source, changes))
    after = cells(ground, tables)
    assert {r["player_name"] for r in after["nba_raw.player_boxscores"] if r["player_id"] in ids} == {name}
    for table in tables:
        assert without_names(after[table]) == without_names(before[table]), table
    assert not list(tmp_path.rglob("pwned"))


def cells(ground: Ground, tables: tuple[str, ...]) -> dict[str, list[dict]]:
    wanted = {t: (CATALOG[t].table, Days(FIRST, LAST)) for t in tables}
    return {t: rows.to_pylist() for t, rows in ground.warehouse.read(wanted).items()}


def without_names(rows: list[dict]) -> list[str]:
    changing = ("player_name", "player_lookup", "data_hash", "computed_at", "resolved_by")
    return sorted(str({c: v for c, v in r.items() if c not in changing}) for r in rows)


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["export", str(FIRST), str(LAST), "--table", NASTY], {}),
        (["export", str(FIRST), str(LAST), "--table", "schedule", "--format", NASTY], {}),
        (["backfill", str(FIRST), str(LAST), "--select", NASTY], {}),
        (["backfill", NASTY, str(LAST)], {}),
        (["check", NASTY], {}),
        (["quarantine", "--table", NASTY], {}),
        (["ingest", str(FIRST), str(LAST), "--only", NASTY], {}),
        (["copy", str(FIRST), str(LAST), "--to", NASTY], {}),
        (["status"], {"NBA_PIPELINE_SOURCE": NASTY}),
        (["status"], {"NBA_PIPELINE_MARKETS": f"points,{NASTY}"}),
        (["status"], {"NBA_PIPELINE_BUCKET": f"gs://{NASTY}"}),
        (["status"], {"NBA_PIPELINE_SEED": NASTY}),
        (["status"], {"NBA_PIPELINE_ODDS_API_KEY": NASTY}),
        (["status"], {"NBA_PIPELINE_WAREHOUSE": "bigquery", "NBA_PIPELINE_BIGQUERY_PROJECT": NASTY}),
        (
            ["status"],
            {
                "NBA_PIPELINE_WAREHOUSE": "bigquery",
                "NBA_PIPELINE_BIGQUERY_PROJECT": "p",
                "NBA_PIPELINE_BIGQUERY_PREFIX": NASTY,
            },
        ),
        (["quarantine"], {"NBA_PIPELINE_ODDS_API_URL": f"http://{NASTY}"}),
    ],
    ids=lambda given: " ".join(given)[:40].replace("\n", " ") if isinstance(given, list) else ",".join(given) or "-",
)
def test_arguments_and_configuration_with_sql_and_shell_in_them_are_refused_by_name(
    finished_home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    variables: Mapping[str, str],
) -> None:
    assert harmless(finished_home, tmp_path, monkeypatch, arguments, variables) != 0


def test_what_is_only_passed_on_to_others_may_contain_anything(
    finished_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert harmless(finished_home, tmp_path, monkeypatch, ["quarantine"], {"NBA_PIPELINE_ODDS_REGIONS": NASTY}) == 0


def harmless(
    home: Home, place: Path, patch: pytest.MonkeyPatch, arguments: list[str], variables: Mapping[str, str]
) -> int:
    """The exit code of a command that changes no table, runs nothing, and says what is wrong without a traceback."""
    before = home.content()
    patch.chdir(place)
    patch.setenv("NBA_PIPELINE_HOME", str(home.path))
    for name, value in variables.items():
        patch.setenv(name, value)
    done = CliRunner().invoke(main, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "Traceback" not in done.output
    assert home.content() == before
    assert not list(place.rglob("pwned"))
    return done.exit_code
