"""The command `backfill`: what is wrong is refused before anything changes."""

from datetime import date
from pathlib import Path

import pytest

from nba_pipeline import definitions
from nba_pipeline.cli.backfill import run_backfill
from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.config.home import Origin, record_origin, recorded_origin

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
