"""What is defined: every table as an asset with its days, checks, contract and neighbours; the job; the schedules."""

import re
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from nba_pipeline.automation import schedules, selections
from nba_pipeline.automation.schedules import SCHEDULES
from nba_pipeline.automation.sensors import SENSORS
from nba_pipeline.common.timezone import ZONE
from nba_pipeline.contracts.checks import CHECKS
from nba_pipeline.definitions import ASSETS, defs
from nba_pipeline.domain.calendar import EPOCH
from nba_pipeline.engine.plan import compile_plan
from nba_pipeline.orchestration.asset_metadata import lineage
from nba_pipeline.orchestration.executor import refusal_tolerant_executor
from nba_pipeline.orchestration.jobs import WHOLE_GRAPH
from nba_pipeline.orchestration.keys import asset_key
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.orchestration.tags import RANGE_END, RANGE_START
from nba_pipeline.reporting.asset import KEY as REPORT_KEY
from nba_pipeline.reporting.pages import REPORT
from nba_pipeline.tables.catalog import CATALOG, TRANSFORMS
from nba_pipeline_tests.support.homes import Home, all_days, partitions

DAILY = daily_partitions(EPOCH, None)

TABLES = {t.table.id for t in TRANSFORMS}
SPECS = {".".join(spec.key.path): spec for asset in ASSETS for spec in asset.specs}
EASTERN = ZoneInfo(ZONE)
Value = TypeVar("Value")
each_table = pytest.mark.parametrize("table", sorted(TABLES))


def spec_of(table: str) -> dg.AssetSpec:
    return SPECS[table]


def _value(table: str, name: str, kind: type[Value]) -> Value:
    value = spec_of(table).metadata[name]
    assert isinstance(value, kind)
    return value


def test_the_definitions_load() -> None:
    dg.Definitions.validate_loadable(defs)


def test_every_table_of_the_catalog_is_an_asset() -> None:
    assert SPECS.keys() == TABLES  # groups and neighbours: test_definitions_snapshot.py


@each_table
def test_the_key_is_dataset_and_table(table: str) -> None:
    assert spec_of(table).key == asset_key(CATALOG[table].table) == dg.AssetKey(table.split("."))


@each_table
def test_all_tables_share_their_days_and_run_a_range_in_one_run(table: str) -> None:
    (asset,) = (a for a in ASSETS if a.key == spec_of(table).key)
    assert asset.partitions_def is DAILY
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()


@each_table
def test_edges_are_same_day_edges(table: str) -> None:
    assert all(dep.partition_mapping is None for dep in spec_of(table).deps)


@each_table
def test_every_table_has_the_four_blocking_checks_by_day(table: str) -> None:
    (asset,) = (a for a in ASSETS if a.key == spec_of(table).key)
    checks = {c.name: c for c in asset.check_specs}
    assert list(checks) == list(CHECKS) == ["contract", "hash_fields_complete", "coverage", "business_rules"]
    assert all(c.blocking and c.partitions_def == DAILY and c.description for c in checks.values())


@each_table
def test_owner_kinds_and_code_are_given(table: str) -> None:
    spec = spec_of(table)
    assert spec.owners == ["team:analytics"]
    assert spec.kinds in ({"duckdb", "ibis"}, {"duckdb", "python"})
    (reference,) = _value(table, "dagster/code_references", dg.CodeReferencesMetadataValue).code_references
    assert isinstance(reference, dg.LocalFileCodeReference)
    path = Path(reference.file_path)
    assert path.stem == table.split(".")[1]
    line = path.read_text().splitlines()[(reference.line_number or 1) - 1]
    assert line.startswith("def ")


@each_table
def test_the_description_states_the_grain_and_every_input(table: str) -> None:
    said = spec_of(table).description or ""
    head = said.split("\n", 1)[0]
    assert re.search(r"One row per [^.]+\.$", head)
    for dep in spec_of(table).deps:
        assert f"`{'.'.join(dep.asset_key.path)}`" in said
    for feed in CATALOG[table].feeds.values():
        assert f"`{feed.name}`" in said


@each_table
def test_the_description_says_which_partitions_the_plots_cover(table: str) -> None:
    assert "Plots cover the latest 120 partitions" in (spec_of(table).description or "").split("\n")[-1]


@each_table
def test_the_column_schema_is_the_contract(table: str) -> None:
    contract = CATALOG[table].table
    schema = _value(table, "dagster/column_schema", dg.TableSchema)
    assert [c.name for c in schema.columns] == list(contract.columns)
    assert tuple(c.name for c in schema.columns if "hash_field" in c.tags) == contract.hash_fields
    assert {c.name for c in schema.columns if "key" in c.tags} == set(contract.key)
    for shown, declared in zip(schema.columns, contract.columns.values(), strict=True):
        assert shown.constraints.nullable == declared.nullable
        for fact in (declared.description, declared.unit, declared.formula):
            assert fact in (shown.description or "")


@each_table
def test_column_lineage_points_to_columns_that_exist(table: str) -> None:
    upstream = {d.asset_key for d in spec_of(table).deps}
    for column, origins in lineage(
        CATALOG[table], compile_plan(CATALOG[table], "duckdb").origins
    ).deps_by_column.items():
        assert column in CATALOG[table].table.columns
        for origin in origins:
            assert origin.asset_key in upstream
            assert origin.column_name in CATALOG[".".join(origin.asset_key.path)].table.columns


def test_the_job_covers_every_table_for_the_same_days() -> None:
    job = defs.resolve_job_def(WHOLE_GRAPH)
    assert job.partitions_def == DAILY
    selected = job.asset_layer.executable_asset_keys
    assert {".".join(k.path) for k in selected} == {*TABLES, REPORT}
    assert job.executor_def is refusal_tolerant_executor


AUTOMATION = {
    "overnight": "overnight_results",
    "morning_slate": "morning_slate_tables",
    "line_refresh": "line_refresh_tables",
    "weekly_catch_up": WHOLE_GRAPH,
    "monthly_training": "monthly_training_models",
    "landing": WHOLE_GRAPH,
    "corrections": WHOLE_GRAPH,
    "failed_partitions": WHOLE_GRAPH,
    "housekeeping": None,
    "reconciliation_of_history": None,
    "alerts": None,
}


def test_schedules_and_sensors_are_off_until_switched_on_and_tick_on_eastern_time() -> None:
    jobs = {s.name: s.job_name for s in SCHEDULES} | {s.name: s.job_name if s.targets else None for s in SENSORS}
    assert jobs == AUTOMATION
    assert {s.default_status for s in SCHEDULES} == {dg.DefaultScheduleStatus.STOPPED}
    assert {s.default_status for s in SENSORS} == {dg.DefaultSensorStatus.STOPPED}
    assert {s.execution_timezone for s in SCHEDULES} == {ZONE}
    assert all(what.description for what in (*SCHEDULES, *SENSORS))


@pytest.mark.parametrize(
    ("name", "now", "day"),
    [
        ("overnight", datetime(2021, 11, 2, 6, 30, tzinfo=EASTERN), "2021-11-01"),
        ("morning_slate", datetime(2021, 11, 8, 10, 45, tzinfo=EASTERN), "2021-11-08"),
        ("morning_slate", datetime(2022, 3, 13, 10, 45, tzinfo=EASTERN), "2022-03-13"),
    ],
)
def test_a_schedule_asks_for_one_run_over_a_range_that_ends_on_its_eastern_day(
    home: Home, monkeypatch: pytest.MonkeyPatch, name: str, now: datetime, day: str
) -> None:
    monkeypatch.setenv("NBA_PIPELINE_HOME", str(home.path))
    monkeypatch.setattr(schedules, "_results_are_published", lambda *_: False)
    (schedule,) = (s for s in SCHEDULES if s.name == name)
    with dg.DagsterInstance.ephemeral() as instance:
        tick = schedule.evaluate_tick(dg.build_schedule_context(instance, scheduled_execution_time=now))
    (request,) = tick.run_requests or []
    assert request.partition_key is None
    start, end = (date.fromisoformat(request.tags[t]) for t in (RANGE_START, RANGE_END))
    assert start <= end == date.fromisoformat(day)
    wanted = selections.whole(start, end)
    assert request.asset_selection == [*(asset_key(CATALOG[t].table) for t in wanted), REPORT_KEY]


def materialize_by_command(home: Home, select: str, *days: str) -> subprocess.CompletedProcess[str]:
    command = ["-m", "dagster", "asset", "materialize", "-m", "nba_pipeline.definitions", "--select", select, *days]
    return subprocess.run(
        [sys.executable, *command], env=home.environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_command_of_dagster_materializes_a_range_of_selected_tables(home: Home) -> None:
    first, last = date(2021, 10, 22), date(2021, 10, 24)
    table = "nba_analytics.player_game_summary"
    before, content = home.published_by(table), home.content()
    done = materialize_by_command(
        home, 'key:"nba_analytics/player_game_summary"+1', "--partition-range", f"{first}...{last}"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    after = home.published_by(table)
    assert {d for d in after if after[d] != before[d]} == {first, date(2021, 10, 23), last}
    below = "nba_analytics.upcoming_player_game_context"
    assert after[first] == home.published_by(below)[first]
    assert home.content() == content
    with home.instance() as instance:
        assert partitions(instance, table) == (all_days(), set())


def test_the_command_of_dagster_materializes_a_single_day_of_one_table(home: Home) -> None:
    table, day = "nba_analytics.player_game_summary", date(2021, 10, 22)
    before, content = home.published_by(table), home.content()
    done = materialize_by_command(home, table.replace(".", "/"), "--partition", day.isoformat())
    assert done.returncode == 0, done.stderr[-2000:]
    after = home.published_by(table)
    assert {d for d in after if after[d] != before[d]} == {day}
    assert home.content() == content
