"""Alerts are events of the tables that they are about, once when they open and once when they are resolved."""

from pathlib import Path

import dagster as dg
import pytest

from nba_pipeline import definitions
from nba_pipeline.automation import observations, sensors
from nba_pipeline.automation.alert_store import Alert, AlertKind
from nba_pipeline.automation.observations import AlertObservations
from nba_pipeline.automation.selections import FEATURES, FORECASTS, GRADES
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.tables.catalog import CATALOG

assert definitions.defs  # every table is registered
LATE = Alert(AlertKind.FRESHNESS, f"freshness {FORECASTS} 2024-11-06", "no forecasts of 2024-11-06")
GAP = Alert(AlertKind.GAP, "gap 2024-11-05", "2024-11-05 is not complete")
DRIFT = Alert(AlertKind.DRIFT, "drift ridge_v1", "forecasts got worse: ridge_v1")
FEATURE = Alert(AlertKind.FEATURE, "feature usage_rate", "the feature usage_rate drifts")
RUN = Alert(AlertKind.RUN, "run abc", "a run failed")
REFUSED = Alert(AlertKind.REFUSED, f"refused {GRADES} 2024-11-05", "grades were refused")


def shown(instance: dg.DagsterInstance, table: str) -> list[tuple[str | None, str]]:
    """The partition and the description of each observation of a table, oldest first."""
    records = instance.fetch_observations(asset_key(CATALOG[table].table), limit=50, ascending=True).records
    found = [record.asset_observation for record in records]
    return [(o.partition, o.description or "") for o in found if o is not None]


def look(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, *alerts: Alert) -> None:
    seen = AlertObservations(list(alerts), list(AlertKind), {})
    monkeypatch.setattr(observations, "observe_alerts", lambda *_: seen)
    sensors.alerts(dg.build_sensor_context(instance))


def test_an_alert_is_an_event_of_its_table_and_day_when_it_opens_and_when_it_is_resolved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(tmp_path))
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            look(instance, monkeypatch, LATE, GAP, DRIFT, FEATURE, RUN, REFUSED)
        look(instance, monkeypatch, DRIFT, FEATURE)
        assert shown(instance, FORECASTS) == [
            ("2024-11-06", f"alert opened: {LATE.text}"),
            ("2024-11-06", f"alert resolved: {LATE.text}"),
        ]
        assert shown(instance, GRADES) == [
            (None, f"alert opened: {DRIFT.text}"),
            ("2024-11-05", f"alert opened: {GAP.text}"),
            ("2024-11-05", f"alert resolved: {GAP.text}"),
        ]
        assert shown(instance, FEATURES) == [(None, f"alert opened: {FEATURE.text}")]
        for table in (FORECASTS, GRADES):
            assert not instance.get_materialized_partitions(asset_key(CATALOG[table].table))
