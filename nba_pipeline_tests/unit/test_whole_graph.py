"""The measures of the whole graph stand beside those of another checkout."""

import sqlite3
from contextlib import closing
from pathlib import Path

from benchmarks.whole_graph import last_step_seconds, lines


def test_every_row_has_the_median_of_its_rounds_and_the_share_of_the_baseline() -> None:
    before = [{"seasons, s": s, "days an hour": 100_000.0} for s in (200.0, 240.0, 1000.0)]
    now = [{"seasons, s": s, "days an hour": 250_000.0} for s in (60.0, 50.0, 70.0)]
    head, seasons, features = lines([before, now])
    assert head.split() == ["before", "now", "now/before"]
    assert seasons.split() == ["seasons,", "s", "240.0", "60.0", "0.25"]
    assert features.split() == ["days", "an", "hour", "100,000", "250,000", "2.50"]


def test_a_checkout_alone_has_no_share() -> None:
    head, row = lines([[{"seasons, s": 5.0}]])
    assert (head.split(), row.split()) == (["now"], ["seasons,", "s", "5.00"])


def test_the_time_of_a_step_is_that_of_its_last_run(tmp_path: Path) -> None:
    (tmp_path / "dagster").mkdir()
    events = [
        ("train", "STEP_START", "2025-01-01 10:00:00.000000"),
        ("train", "STEP_SUCCESS", "2025-01-01 10:05:00.000000"),
        ("train", "STEP_START", "2025-01-01 23:59:59.000000"),
        ("train", "STEP_SUCCESS", "2025-01-02 00:00:01.500000"),
        ("other", "STEP_SUCCESS", "2025-01-03 00:00:00.000000"),
    ]
    with closing(sqlite3.connect(tmp_path / "dagster" / "event_log.db")) as log, log:
        log.execute("CREATE TABLE event_logs (step_key TEXT, dagster_event_type TEXT, timestamp TEXT)")
        log.executemany("INSERT INTO event_logs VALUES (?, ?, ?)", events)
    assert last_step_seconds(tmp_path, "train") == 2.5
