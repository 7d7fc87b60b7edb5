"""Days that were published before an error are recorded in Dagster, whatever the error is."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from nba_pipeline.common.errors import SourceError
from nba_pipeline.definitions import ASSETS
from nba_pipeline.engine.publish import publish
from nba_pipeline.orchestration import table_run
from nba_pipeline.orchestration.assets import Pipeline
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.tags import RANGE_END, RANGE_START
from nba_pipeline.tables.raw.schedule import SCHEDULE

pytestmark = pytest.mark.integration
KEY = asset_key(SCHEDULE)


@pytest.mark.parametrize(
    "error",
    [SourceError("a file is damaged"), OSError(errno.ENOSPC, "no space"), ConnectionResetError("reset")],
    ids=repr,
)
def test_the_blocks_before_an_error_are_materialized(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(
        transform: Any, blocks: Any, warehouse: Any, source: Any, schedule: Any, run: Any, _: Any
    ) -> Iterator[Any]:
        yield publish(transform, blocks[0][:2], warehouse, source, schedule, run)
        raise error

    monkeypatch.setenv("NBA_PIPELINE_HOME", str(tmp_path))
    monkeypatch.setattr(table_run, "publish_in_blocks", failing)
    done = dg.materialize(
        [a for a in ASSETS if a.key == KEY],
        resources={"pipeline": Pipeline()},
        tags={RANGE_START: "2021-10-19", RANGE_END: "2021-10-21"},
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        raise_on_error=False,
    )
    assert not done.success
    recorded = [e.partition for e in done.get_asset_materialization_events()]
    assert recorded == ["2021-10-19", "2021-10-20"]
    assert type(error).__name__ in str(done.get_step_failure_events()) or "no space is left" in str(
        done.get_step_failure_events()
    )
