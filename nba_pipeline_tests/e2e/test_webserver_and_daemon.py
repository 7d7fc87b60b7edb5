"""The incident once more, through a real web server and daemon, as an analyst sees it in the UI."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from nba_pipeline.contracts.checks import CHECKS, COVERAGE, HASHES
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline_tests.support.faults import FAULT_FILE, TABLE
from nba_pipeline_tests.support.homes import Home, all_days
from nba_pipeline_tests.support.services import Services, services

PREDICTIONS = "nba_predictions.player_prop_predictions"
START, BAD, END = date(2021, 10, 26), date(2021, 10, 28), date(2021, 10, 30)


@pytest.fixture
def fault(tmp_path: Path) -> Path:
    """The file with the days of the fault."""
    path = tmp_path / "fault.txt"
    path.write_text(f"{BAD}\n")
    return path


@pytest.fixture
def ui(home: Home, fault: Path, tmp_path: Path) -> Iterator[Services]:
    with home.instance():
        pass
    environment = home.environment | {FAULT_FILE: str(fault)}
    with services("nba_pipeline_tests.support.faulty_location", environment, tmp_path) as running:
        yield running


def but_for_the_bad_day(good: str, bad: str) -> dict[date, str]:
    return {d: bad if d == BAD else good for d in all_days()}


def test_a_refused_day_is_red_in_the_ui_stops_what_builds_on_it_and_turns_green_when_repaired(
    ui: Services, home: Home, finished_home: Home, fault: Path
) -> None:
    backfill = ui.launch_backfill([TABLE, PREDICTIONS], START, END, "features of late October")
    assert ui.title_of(backfill) == "features of late October"
    assert ui.runs_of(backfill) == ["FAILURE"]
    days, verdicts = ui.statuses(TABLE, HASHES)
    assert days == but_for_the_bad_day("MATERIALIZED", "FAILED")
    assert verdicts == but_for_the_bad_day("SUCCEEDED", "FAILED")
    assert "early_season_flag is missing" in home.refused(TABLE)[BAD]

    assert ui.status_of(ui.launch_run([PREDICTIONS], START, END)) == "FAILURE"
    days, verdicts = ui.statuses(PREDICTIONS, COVERAGE)
    assert days == but_for_the_bad_day("MATERIALIZED", "FAILED")
    assert verdicts == but_for_the_bad_day("SUCCEEDED", "FAILED")
    assert f"it lacks {BAD}" in home.refused(PREDICTIONS)[BAD]

    fault.write_text("")
    whole_graph = ui.launch_backfill(list(CATALOG), START, END, "the whole graph, repaired")
    assert ui.runs_of(whole_graph) == ["SUCCESS"]
    assert len({home.published_by(t)[d] for t in CATALOG for d in days_between(START, END)}) == 1
    for table in CATALOG:
        for check in CHECKS:
            days, verdicts = ui.statuses(table, check)
            assert days == dict.fromkeys(all_days(), "MATERIALIZED")
            assert verdicts == dict.fromkeys(all_days(), "SUCCEEDED")
    assert home.content() == finished_home.content()
