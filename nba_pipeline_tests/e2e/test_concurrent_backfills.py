"""Backfills that run at the same time over the same days."""

import subprocess
import sys
from datetime import date

from nba_pipeline.domain.calendar import days_between
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline_tests.support.homes import Home, all_days, partitions

RANGES = ((date(2021, 10, 19), date(2021, 10, 24)), (date(2021, 10, 22), date(2021, 10, 27)))


def test_two_backfills_over_overlapping_days_leave_the_rows_of_one(home: Home, finished_home: Home) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "nba_pipeline.cli", "backfill", str(first), str(last)],
            env=home.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for first, last in RANGES
    ]
    said = [process.communicate(timeout=180)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], "\n".join(said)[-3000:]
    assert home.content() == finished_home.content()
    redone = set(days_between(RANGES[0][0], RANGES[1][1]))
    for table in CATALOG:
        before, after = finished_home.published_by(table), home.published_by(table)
        assert home.refused(table) == {}
        assert {d for d in after if after[d] != before[d]} == redone
    with home.instance() as instance:
        for table in CATALOG:
            assert partitions(instance, table) == (all_days(), set())
