"""Alerts are checks of the tables that they are about, and events of their days when they open and when they are resolved."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest

from nba_pipeline import definitions
from nba_pipeline.automation import alert_checks, observations, sensors
from nba_pipeline.automation.alert_delivery import LINES_A_MESSAGE
from nba_pipeline.automation.alert_store import Alert, AlertKind, AlertStore
from nba_pipeline.automation.observations import AlertObservations
from nba_pipeline.automation.run_requests import run_request
from nba_pipeline.automation.schedule_rules import RunPlan
from nba_pipeline.automation.selections import FEATURES, FORECASTS, GRADES, SCHEDULE
from nba_pipeline.contracts.checks import CHECKS
from nba_pipeline.orchestration import jobs, watch_checks
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.local_run import execute
from nba_pipeline.orchestration.tags import RANGE_END, RANGE_START
from nba_pipeline.orchestration.watch_checks import WATCH_CHECKS
from nba_pipeline.state.home import HomeState
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline_tests.support.homes import LAST, Home, HomePipeline

assert definitions.defs  # every table is registered
LATE = Alert(AlertKind.FRESHNESS, f"freshness {FORECASTS} 2024-11-06", "no forecasts of 2024-11-06")
GAP = Alert(AlertKind.GAP, "gap 2024-11-05", "2024-11-05 is not complete")
DRIFT = Alert(AlertKind.DRIFT, "drift ridge_v1", "forecasts got worse: ridge_v1")
FEATURE = Alert(AlertKind.FEATURE, "feature usage_rate", "the feature usage_rate drifts")
RUN = Alert(AlertKind.RUN, "run abc", "a run failed")
REFUSED = Alert(AlertKind.REFUSED, f"refused {GRADES} 2024-11-05", "grades were refused")


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance without events, beside an empty home."""
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(tmp_path))
    with dg.DagsterInstance.ephemeral() as empty:
        yield empty


def shown(instance: dg.DagsterInstance, table: str) -> list[tuple[str | None, str]]:
    """The partition and the description of each observation of a table, oldest first."""
    records = instance.fetch_observations(asset_key(CATALOG[table].table), limit=50, ascending=True).records
    found = [record.asset_observation for record in records]
    return [(o.partition, o.description or "") for o in found if o is not None]


def verdicts(instance: dg.DagsterInstance) -> dict[tuple[str, str], tuple[bool, str]]:
    """What the UI shows of every check that was evaluated: whether it passed, and its description."""
    found = {}
    for check in WATCH_CHECKS:
        for record in instance.event_log_storage.get_asset_check_execution_history(check.key, limit=1):
            assert record.event is not None
            evaluation = record.event.get_dagster_event().asset_check_evaluation_data
            found[check.table, check.name] = (evaluation.passed, evaluation.description or "")
    return found


def evaluations(instance: dg.DagsterInstance) -> int:
    """The number of evaluations of all checks."""
    storage = instance.event_log_storage
    return sum(len(storage.get_asset_check_execution_history(c.key, limit=99)) for c in WATCH_CHECKS)


def look(
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    *alerts: Alert,
    judged: Collection[AlertKind] = AlertKind,
) -> None:
    seen = AlertObservations(list(alerts), list(judged), {})
    monkeypatch.setattr(observations, "observe_alerts", lambda *_: seen)
    sensors.alerts(dg.build_sensor_context(instance))


def test_an_alert_is_an_event_of_its_table_and_day_when_it_opens_and_when_it_is_resolved(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        look(instance, monkeypatch, LATE, GAP, DRIFT, FEATURE, RUN, REFUSED)
    look(instance, monkeypatch, DRIFT, FEATURE)
    assert shown(instance, FORECASTS) == [
        ("2024-11-06", f"alert opened: {LATE.text}"),
        ("2024-11-06", f"alert resolved: {LATE.text}"),
    ]
    assert shown(instance, GRADES) == [
        ("2024-11-05", f"alert opened: {GAP.text}"),
        ("2024-11-05", f"alert resolved: {GAP.text}"),
    ]
    for table in (FORECASTS, GRADES):
        assert not instance.get_materialized_partitions(asset_key(CATALOG[table].table))


def test_a_check_fails_while_an_alert_of_its_table_is_open_and_passes_again_when_it_is_over(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(instance, monkeypatch, LATE, GAP, DRIFT, FEATURE, RUN, REFUSED)
    failed = {
        (FORECASTS, watch_checks.ON_TIME): LATE.text,
        (GRADES, watch_checks.NO_GAPS): GAP.text,
        (GRADES, watch_checks.STEADY): DRIFT.text,
        (FEATURES, watch_checks.STEADY_FEATURES): FEATURE.text,
    }
    assert len(verdicts(instance)) == len(WATCH_CHECKS)
    assert {k: text.removeprefix("- ") for k, (passed, text) in verdicts(instance).items() if not passed} == failed
    look(instance, monkeypatch, DRIFT)
    assert [key for key, (passed, _) in verdicts(instance).items() if not passed] == [(GRADES, watch_checks.STEADY)]
    look(instance, monkeypatch)
    assert all(passed for passed, _ in verdicts(instance).values())


def test_an_evaluation_is_reported_where_something_changed_and_not_at_each_look(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        look(instance, monkeypatch, GAP)
    assert evaluations(instance) == len(WATCH_CHECKS)
    look(instance, monkeypatch, GAP, replace(GAP, key="gap 2024-11-06", text="2024-11-06 is not complete"))
    assert evaluations(instance) == len(WATCH_CHECKS) + 1
    assert verdicts(instance)[GRADES, watch_checks.NO_GAPS] == (
        False,
        f"- {GAP.text}\n- 2024-11-06 is not complete",
    )
    with dg.DagsterInstance.ephemeral() as lost:
        look(lost, monkeypatch, GAP)
        assert verdicts(lost)[GRADES, watch_checks.NO_GAPS] == (False, f"- {GAP.text}")


def test_a_check_names_some_of_many_alerts_and_how_many_there_are(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [replace(GAP, key=f"gap 2024-11-{n:02d}", text=f"day {n:02d}") for n in range(1, LINES_A_MESSAGE + 4)]
    look(instance, monkeypatch, *many)
    _, text = verdicts(instance)[GRADES, watch_checks.NO_GAPS]
    assert text.splitlines()[-2:] == [f"- day {LINES_A_MESSAGE:02d}", "- and 3 more: `nba-pipeline alerts`"]


def test_what_was_not_judged_keeps_its_verdict_and_has_none_before(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(instance, monkeypatch, GAP, judged=[AlertKind.GAP])
    assert verdicts(instance) == {(GRADES, watch_checks.NO_GAPS): (False, f"- {GAP.text}")}
    look(instance, monkeypatch, judged=[AlertKind.BOOK])
    assert verdicts(instance)[GRADES, watch_checks.NO_GAPS] == (False, f"- {GAP.text}")


def test_every_kind_of_alert_about_a_table_has_a_check_and_a_late_table_its_own() -> None:
    assert {c.name for c in WATCH_CHECKS} == set(alert_checks.KIND_OF)
    assert set(AlertKind) - set(alert_checks.KIND_OF.values()) == {AlertKind.REFUSED, AlertKind.RUN, AlertKind.OUTAGE}
    late_grades = replace(LATE, key=f"freshness {GRADES} 2024-11-06")
    assert [c.table for a in (LATE, late_grades) if (c := alert_checks.check_of(a))] == [FORECASTS, GRADES]


def test_runs_of_the_jobs_leave_the_checks_to_the_sensor_and_the_ui_can_evaluate_them() -> None:
    name = alert_checks.evaluate_watch_checks.node_def.name
    every = definitions.defs.resolve_implicit_global_asset_job_def()
    assert name in {node.name for node in every.nodes}
    checks = every.asset_layer.asset_graph.asset_check_keys
    assert checks > {c.key for c in WATCH_CHECKS}
    whole = run_request(RunPlan(tuple(CATALOG), date(2024, 11, 5), date(2024, 11, 5), "why", "key"), "overnight")
    for job in (definitions.defs.resolve_job_def(j.name) for j in jobs.JOBS):
        assert job.asset_layer.asset_graph.asset_check_keys == checks - {c.key for c in WATCH_CHECKS}
        assert job.asset_layer.asset_graph.asset_check_keys == set(whole.asset_check_keys or ())


def test_a_run_of_the_command_line_leaves_the_checks_to_the_sensor(home: Home) -> None:
    with home.instance() as instance:
        job = definitions.defs.resolve_job_def(jobs.WHOLE_GRAPH)
        schedule = asset_key(CATALOG[SCHEDULE].table)
        days = {RANGE_START: str(LAST), RANGE_END: str(LAST)}
        result = execute(job, instance, str(uuid4()), [schedule], days)
    assert result.success
    evaluated = {e.check_name for e in result.get_asset_check_evaluations()}
    assert evaluated == {*CHECKS, "season_frame"}


def test_a_check_that_is_executed_judges_now_and_one_that_cannot_be_judged_has_no_result(home: Home) -> None:
    tables = [a for a in definitions.ASSETS if a.key in {c.key.asset_key for c in WATCH_CHECKS}]
    with home.instance() as instance:
        AlertStore(HomeState(home.path)).report([AlertKind.DRIFT], [DRIFT], datetime.now(UTC))
        result = dg.materialize(
            [*tables, alert_checks.evaluate_watch_checks],
            instance=instance,
            selection=dg.AssetSelection.checks(*(c.key for c in WATCH_CHECKS)),
            resources={"pipeline": HomePipeline(home=str(home.path))},
        )
        assert result.success
        found = {e.check_name: e.passed for e in result.get_asset_check_evaluations()}
    assert found[watch_checks.STEADY] is False  # open, and not judged in an invented league
    assert watch_checks.PLAUSIBLE not in found
    assert found[watch_checks.KNOWN_STATES] is True
