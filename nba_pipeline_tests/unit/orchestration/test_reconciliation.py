"""Ledger and Dagster tell the same history: what each of them lacks is found, and a run that is not over is left alone."""

from datetime import date
from typing import Any

import dagster as dg

from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.reconciliation import compare, errors, record
from nba_pipeline.tables.catalog import CATALOG

SHOTS = "nba_raw.shots"
D1, D2, D3 = (date(2024, 1, day) for day in (1, 2, 3))


def entry(day: date, state: str = "published", run: str = "r", reasons: str = "[]") -> dict[str, Any]:
    counts = {"rows": 7, "expected": 7, "games": 1, "absent": "{}"}
    return {"table_id": SHOTS, "day": day, "state": state, "run_id": run, "reasons": reasons, **counts}


def test_published_days_that_dagster_does_not_know_are_unrecorded() -> None:
    found = compare([entry(D1), entry(D2)], {SHOTS: {D2}})
    assert [e["day"] for e in found.unrecorded] == [D1]
    assert found.unpublished == {}


def test_days_of_an_unfinished_run_are_left_to_it() -> None:
    assert compare([entry(D1, run="going on")], {SHOTS: set()}, {"going on"}).unrecorded == ()


def test_days_that_only_dagster_knows_are_errors_with_the_command_that_brings_them() -> None:
    found = compare([entry(D1), entry(D2, "refused")], {SHOTS: {D1, D2, D3}})
    assert found.unpublished == {SHOTS: (D2, D3)}
    (text,) = errors(found)
    assert "Fix: run `nba-pipeline backfill 2024-01-02 2024-01-03 --missing --select nba_raw.shots`" in text


def test_a_day_refused_after_it_was_published_counts_as_published() -> None:
    found = compare([entry(D1), entry(D1, "refused")], {SHOTS: set()})
    assert [e["state"] for e in found.unrecorded] == ["published"]


def test_after_a_report_nothing_differs() -> None:
    key = asset_key(CATALOG[SHOTS].table)
    ledger = [entry(D1), entry(D2, "refused", reasons='["coverage: 1 game is absent"]')]
    with dg.DagsterInstance.ephemeral() as instance:
        assert record(instance, compare(ledger, {SHOTS: set()})) == 1
        assert instance.event_log_storage.get_materialized_partitions(key) == {"2024-01-01"}
    assert record(instance, compare(ledger, {SHOTS: {D1}})) == 0
