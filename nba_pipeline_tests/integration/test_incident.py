"""A build that forgets hash fields: it cannot load, and what it computes cannot be published or built upon."""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from nba_pipeline.common.errors import ContractError
from nba_pipeline.contracts.checks import CHECKS, COVERAGE, HASHES
from nba_pipeline.domain.calendar import days_between
from nba_pipeline.tables.catalog import CATALOG
from nba_pipeline_tests.support.faults import FIELDS, TABLE, empty_flag, without_fields
from nba_pipeline_tests.support.homes import Home, all_days, asset_of, check_statuses, failure_text, partitions

PREDICTIONS = "nba_predictions.player_prop_predictions"
BELOW = {
    t: asset_of(CATALOG[t])
    for t in (PREDICTIONS, "nba_predictions.prediction_accuracy", "nba_predictions.system_daily_performance")
}
START, BAD, END = date(2021, 10, 26), date(2021, 10, 28), date(2021, 10, 30)
GOOD = set(days_between(START, END)) - {BAD}


def publish_with_the_fault(home: Home, *below: dg.AssetsDefinition) -> dg.JobExecutionResult:
    """One run of the table, with the fault on the bad day, and of tables below it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CATALOG, TABLE, CATALOG[TABLE])
        return home.materialize(START, END, [asset_of(empty_flag(BAD)), *below])


@dataclass(frozen=True)
class Incident:
    """A home after a run with the fault, and how the run ended."""

    home: Home
    result: dg.JobExecutionResult


@pytest.fixture(scope="module")
def incident(finished_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Incident:
    """The fault in the table and what it does below, only to be read or copied."""
    home = Home(tmp_path_factory.mktemp("incident") / "home")
    shutil.copytree(finished_home.path, home.path)
    return Incident(home, publish_with_the_fault(home, *BELOW.values()))


def test_a_build_without_its_hash_fields_cannot_be_declared() -> None:
    with pytest.raises(ContractError) as error:
        without_fields().check()
    assert TABLE in str(error.value)
    assert f"hash fields missing: {', '.join(FIELDS)}" in str(error.value)


@pytest.mark.guard
def test_a_day_with_an_empty_hash_field_is_refused_naming_table_field_and_day(home: Home) -> None:
    result = publish_with_the_fault(home)
    assert not result.success
    said = failure_text(result, TABLE)
    assert f"{TABLE.replace('.', '/')}: refused 1 of 5 day(s): {BAD}" in said
    assert f"{BAD}: {HASHES}: early_season_flag is missing in" in said
    assert "Fix:" in said
    assert list(home.refused(TABLE)) == [BAD]
    assert "early_season_flag is missing" in home.refused(TABLE)[BAD]


@pytest.mark.parametrize(("table", "broken"), [(TABLE, HASHES), (PREDICTIONS, COVERAGE)])
def test_the_refused_day_stays_byte_for_byte_while_the_others_are_published(
    incident: Incident, finished_home: Home, table: str, broken: str
) -> None:
    home = incident.home
    assert list(home.refused(table)) == [BAD]
    assert home.bytes_of(table, BAD) == finished_home.bytes_of(table, BAD)
    published_by = home.published_by(table)
    assert {d for d in published_by if published_by[d] == incident.result.run_id} == GOOD
    with home.instance() as instance:
        assert partitions(instance, table) == (all_days() - {BAD}, {BAD})
        expected = {d: "FAILED" if d == BAD else "SUCCEEDED" for d in all_days()}
        assert check_statuses(instance, table, broken) == expected


def test_a_check_that_a_refused_day_passed_is_green(incident: Incident) -> None:
    with incident.home.instance() as instance:
        assert check_statuses(instance, TABLE, COVERAGE) == dict.fromkeys(all_days(), "SUCCEEDED")


def test_the_rows_that_broke_the_rule_can_be_looked_at(incident: Incident) -> None:
    kept = incident.home.warehouse.quarantine([TABLE]).to_pylist()
    assert {row["day"] for row in kept} == {BAD}
    assert all("early_season_flag is missing" in row["reason"] for row in kept)


def test_tables_below_refuse_the_day_in_the_same_run_and_say_what_it_lacks(incident: Incident) -> None:
    assert not incident.result.success
    said = failure_text(incident.result, PREDICTIONS)
    assert f"{BAD}: {COVERAGE}: needs the day itself of {TABLE}, but it lacks {BAD} (1 day): refused" in said


def test_repairing_the_one_day_turns_everything_green(incident: Incident, finished_home: Home, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(incident.home.path, home.path)
    assert home.materialize(BAD, BAD, [asset_of(CATALOG[TABLE]), *BELOW.values()]).success
    with home.instance() as instance:
        for table in (TABLE, *BELOW):
            assert home.refused(table) == {}
            assert partitions(instance, table) == (all_days(), set())
            for check in CHECKS:
                assert check_statuses(instance, table, check) == dict.fromkeys(all_days(), "SUCCEEDED")
    assert home.content() == finished_home.content()
