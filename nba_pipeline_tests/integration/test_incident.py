"""A build that forgets hash fields: it cannot load, and what it computes cannot be published or built upon."""

from collections.abc import Iterator
from datetime import date

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


@pytest.fixture
def faulty() -> Iterator[dg.AssetsDefinition]:
    """The asset with the fault on the bad day."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CATALOG, TABLE, CATALOG[TABLE])
        yield asset_of(empty_flag([BAD]))


def test_a_build_without_its_hash_fields_cannot_be_declared() -> None:
    with pytest.raises(ContractError) as error:
        without_fields().check()
    assert TABLE in str(error.value)
    assert f"hash fields missing: {', '.join(FIELDS)}" in str(error.value)


@pytest.mark.guard
def test_a_day_with_an_empty_hash_field_is_refused_naming_table_field_and_day(
    home: Home, faulty: dg.AssetsDefinition
) -> None:
    result = home.materialize(START, END, [faulty])
    assert not result.success
    said = failure_text(result, TABLE)
    assert f"{TABLE.replace('.', '/')}: refused 1 of 5 day(s): {BAD}" in said
    assert f"{BAD}: {HASHES}: early_season_flag is missing in" in said
    assert "Fix:" in said
    assert list(home.refused(TABLE)) == [BAD]
    assert "early_season_flag is missing" in home.refused(TABLE)[BAD]


def test_the_refused_day_stays_byte_for_byte_while_the_others_are_published(
    home: Home, faulty: dg.AssetsDefinition
) -> None:
    before = home.bytes_of(TABLE, BAD)
    result = home.materialize(START, END, [faulty])
    assert home.bytes_of(TABLE, BAD) == before
    published_by = home.published_by(TABLE)
    assert {d for d in published_by if published_by[d] == result.run_id} == GOOD
    with home.instance() as instance:
        assert partitions(instance, TABLE) == (all_days() - {BAD}, {BAD})
        expected = {d: "FAILED" if d == BAD else "SUCCEEDED" for d in all_days()}
        assert check_statuses(instance, TABLE, HASHES) == expected
        assert check_statuses(instance, TABLE, COVERAGE) == dict.fromkeys(all_days(), "SUCCEEDED")


def test_the_rows_that_broke_the_rule_can_be_looked_at(home: Home, faulty: dg.AssetsDefinition) -> None:
    home.materialize(START, END, [faulty])
    kept = home.warehouse.quarantine(TABLE).to_pylist()
    assert {row["day"] for row in kept} == {BAD}
    assert all("early_season_flag is missing" in row["reason"] for row in kept)


def test_tables_below_refuse_the_day_in_the_same_run_and_compute_the_others(
    home: Home, faulty: dg.AssetsDefinition
) -> None:
    before = home.bytes_of(PREDICTIONS, BAD)
    later = home.materialize(START, END, [faulty, *BELOW.values()])
    assert not later.success
    said = failure_text(later, PREDICTIONS)
    assert f"{BAD}: {COVERAGE}: needs the day itself of {TABLE}, but it lacks {BAD} (1 day): refused" in said
    assert list(home.refused(PREDICTIONS)) == [BAD]
    assert home.bytes_of(PREDICTIONS, BAD) == before
    published_by = home.published_by(PREDICTIONS)
    assert {d for d in published_by if published_by[d] == later.run_id} == GOOD
    with home.instance() as instance:
        assert partitions(instance, PREDICTIONS) == (all_days() - {BAD}, {BAD})
        assert check_statuses(instance, PREDICTIONS, COVERAGE)[BAD] == "FAILED"


def test_repairing_the_one_day_turns_everything_green(
    home: Home, finished_home: Home, faulty: dg.AssetsDefinition
) -> None:
    home.materialize(START, END, [faulty, *BELOW.values()])
    assert home.materialize(BAD, BAD, [asset_of(CATALOG[TABLE]), *BELOW.values()]).success
    with home.instance() as instance:
        for table in (TABLE, *BELOW):
            assert home.refused(table) == {}
            assert partitions(instance, table) == (all_days(), set())
            for check in CHECKS:
                assert check_statuses(instance, table, check) == dict.fromkeys(all_days(), "SUCCEEDED")
    assert home.content() == finished_home.content()
