"""A table that refuses days does not stop the tables below it; a table that fails for another reason does."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from nba_pipeline.domain.calendar import EPOCH
from nba_pipeline.engine.refusals import ReasonCode
from nba_pipeline.engine.verdicts import CheckVerdict, PartitionVerdict
from nba_pipeline.orchestration.executor import refusal_tolerant_executor
from nba_pipeline.orchestration.local_run import execute
from nba_pipeline.orchestration.partition_results import check_specs, report
from nba_pipeline.orchestration.partitions import daily_partitions
from nba_pipeline.orchestration.tags import PARTITION, RANGE_END, RANGE_START

DAILY = daily_partitions(EPOCH, None)

BOX_SCORES, FORM, PRICES = (dg.AssetKey(["nba", name]) for name in ("box_scores", "form", "prices"))
DAYS = [f"2024-01-{day:02d}" for day in range(1, 6)]
BAD = DAYS[2]
EXPECTED = {BOX_SCORES: ({*DAYS} - {BAD}, {BAD}), FORM: ({*DAYS} - {BAD}, {BAD}), PRICES: ({*DAYS}, set())}


def verdict(day: str, code: ReasonCode | None) -> PartitionVerdict:
    text = f"points is NULL in 3 rows of {day}" if code is ReasonCode.CONTRACT else f"box_scores lacks {day}"
    check = CheckVerdict(
        code is None, "no problems" if code is None else text, {"problems": int(code is not None)}, code
    )
    return PartitionVerdict(
        DAILY.time_window_for_partition_key(day).start.date(), code is None, 3, {"contract": check}, {}
    )


def table(key: dg.AssetKey, deps: Sequence[dg.AssetKey], refusals: dict[str, ReasonCode]) -> dg.AssetsDefinition:
    """An asset that refuses these days."""

    @dg.asset(
        key=key,
        deps=deps,
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=check_specs(key, ["contract"], {"contract": "types and keys"}, DAILY),
    )
    def built(context: dg.AssetExecutionContext) -> Iterator[Any]:
        if "crash" in context.run.tags and key == BOX_SCORES:
            raise dg.Failure("the disk is full")
        yield from report(context, key, [verdict(day, refusals.get(day)) for day in context.partition_keys])

    return built


ASSETS = [
    table(BOX_SCORES, [], {BAD: ReasonCode.CONTRACT}),
    table(FORM, [BOX_SCORES], {BAD: ReasonCode.UPSTREAM_MISSING}),
    table(PRICES, [FORM], {}),
]
JOB = dg.Definitions(assets=ASSETS, executor=refusal_tolerant_executor).resolve_implicit_global_asset_job_def()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(instance: dg.DagsterInstance, tags: dict[str, str]) -> dg.JobExecutionResult:
    return execute(JOB, instance, str(uuid4()), [BOX_SCORES, FORM, PRICES], tags)


def days(instance: dg.DagsterInstance, key: dg.AssetKey) -> tuple[set[str], set[str]]:
    """The materialized and the failed days, as the UI shows them and as `Failed` selects them in its launch dialog."""
    status = get_and_update_asset_status_cache_value(instance, key, DAILY)
    assert status is not None
    return (
        set(status.deserialize_materialized_partition_subsets(DAILY).get_partition_keys()),
        set(status.deserialize_failed_partition_subsets(DAILY).get_partition_keys()),
    )


def test_a_refusal_costs_its_own_day_and_what_looks_back_on_it(instance: dg.DagsterInstance) -> None:
    result = run(instance, {RANGE_START: DAYS[0], RANGE_END: DAYS[-1]})
    assert not result.success
    assert {key: days(instance, key) for key in EXPECTED} == EXPECTED


def test_a_run_of_a_single_partition_that_is_refused_counts_as_failed_below_too(instance: dg.DagsterInstance) -> None:
    assert not run(instance, {PARTITION: BAD}).success
    assert {key: days(instance, key)[0] for key in EXPECTED} == {BOX_SCORES: set(), FORM: set(), PRICES: {BAD}}
    assert {key: days(instance, key)[1] for key in EXPECTED} == {BOX_SCORES: {BAD}, FORM: {BAD}, PRICES: set()}


def test_a_table_that_fails_for_another_reason_stops_the_tables_below_it(instance: dg.DagsterInstance) -> None:
    result = run(instance, {RANGE_START: DAYS[0], RANGE_END: DAYS[-1], "crash": "yes"})
    started = {e.step_key for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_START}
    assert started == {"nba__box_scores"}
    assert {key: days(instance, key)[0] for key in EXPECTED} == {key: set() for key in EXPECTED}


def test_the_log_of_the_run_ends_with_what_was_refused_what_waits_and_what_repairs_it(
    instance: dg.DagsterInstance,
) -> None:
    result = run(instance, {RANGE_START: DAYS[0], RANGE_END: DAYS[-1]})
    (text,) = [e.user_message for e in instance.all_logs(result.run_id) if "were not published" in e.user_message]
    assert "refused: nba.box_scores: 2024-01-03 (1 day); contract: points is NULL in 3 rows of 2024-01-03" in text
    assert "waiting: nba.form: 2024-01-03 (1 day)" in text
    assert "Fix:" in text
    assert "`nba-pipeline backfill 2024-01-01 2024-01-05 --missing`" in text


def test_the_output_of_a_table_that_refused_days_is_recorded_as_any_other(instance: dg.DagsterInstance) -> None:
    """The page of a run shows no log at all where an output has no result of a type check."""

    def outputs(first: str, last: str) -> list[str]:
        result = run(instance, {RANGE_START: first, RANGE_END: last})
        outputs = [e.step_output_data for e in result.all_events if e.event_type_value == "STEP_OUTPUT"]
        return sorted(repr(data._replace(version=None)) for data in outputs)

    assert outputs(DAYS[0], DAYS[-1]) == outputs(DAYS[3], DAYS[4])


def test_a_run_without_a_refusal_has_no_summary(instance: dg.DagsterInstance) -> None:
    result = run(instance, {RANGE_START: DAYS[3], RANGE_END: DAYS[4]})
    assert result.success
    assert not [e for e in instance.all_logs(result.run_id) if "were not published" in e.user_message]
