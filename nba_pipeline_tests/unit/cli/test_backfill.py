"""The command `backfill`: what is wrong is refused before anything changes."""

from datetime import date
from pathlib import Path

import pytest

from nba_pipeline import definitions
from nba_pipeline.cli.backfill import Request, report_outcomes, run_backfill
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.config.home import Origin, record_origin, recorded_origin
from nba_pipeline.config.settings import Settings
from nba_pipeline.orchestration.backfill import Outcome

assert definitions.defs  # loaded before the days of this home are


def test_a_selection_of_nothing_leaves_the_last_day_of_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_origin(tmp_path, Origin("simulator", 20211019, last_day=date(2025, 1, 1)))
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(tmp_path))
    with pytest.raises(ConfigurationError, match="'no_such_table'"):
        run_backfill(date(2025, 2, 1), date(2025, 2, 2), ["no_such_table"], missing=False)
    recorded = recorded_origin(tmp_path)
    assert recorded is not None
    assert recorded.last_day == date(2025, 1, 1)


def test_a_failed_check_of_the_whole_run_is_told_and_makes_the_command_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(tmp_path))
    monkeypatch.setenv("NBA_PIPELINE_SOURCE", "simulator")
    ended = Outcome("a run", success=True, refusing=(), error="", failed_checks=("prices: replay: 3 cells differ",))
    day = date(2024, 11, 6)
    asked = Request(day, day, (), missing=False, tables=("nba_raw.schedule",), table_days=1)
    assert not report_outcomes([ended], Settings.from_environment().open_warehouse(), asked, 1.0)
    said = capsys.readouterr().err
    assert "failed check: prices: replay: 3 cells differ\n" in said
    assert "nba-pipeline verify DAY DAY" in said
