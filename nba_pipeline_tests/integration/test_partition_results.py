"""What the UI knows after a run: per day, per check, on any event log storage."""

import datetime
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from dagster._serdes import serialize_value

from nba_pipeline.engine.verdicts import CheckVerdict, PartitionVerdict
from nba_pipeline.orchestration.partition_results import check_specs, report, report_days
from nba_pipeline.orchestration.tags import RANGE_END, RANGE_START

DAILY = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-11", timezone="America/New_York")
KEY = dg.AssetKey(["analytics", "box_scores"])
CHILD = dg.AssetKey(["precompute", "form"])
NAMES = ("contract", "coverage")
MATERIALIZED = dg.DagsterEventType.ASSET_MATERIALIZATION


def verdict(key: str, *, bad: bool) -> PartitionVerdict:
    checks = {
        "contract": CheckVerdict(
            not bad, "points is NULL in 3 rows" if bad else "every row passed", {"bad_rows": 3 * bad}
        ),
        "coverage": CheckVerdict(True, "10 of 10 games", {"games": 10}),
    }
    day = datetime.date.fromisoformat(key)
    return PartitionVerdict(day, not bad, 200 + day.day, checks, {"expected_rows": 250})


def table(key: dg.AssetKey, deps: Sequence[dg.AssetKey] = (), lost: str = "") -> dg.AssetsDefinition:
    """An asset that refuses the days listed in the run's tag, and forgets to report the day `lost`."""

    @dg.asset(
        key=key,
        deps=deps,
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=dg.RetryPolicy(max_retries=1),
        check_specs=check_specs(key, NAMES, dict.fromkeys(NAMES, "rule"), DAILY),
    )
    def built(context: dg.AssetExecutionContext) -> Iterator[Any]:
        bad = context.run.tags.get("bad", "").split()
        days = [verdict(day, bad=day in bad) for day in context.partition_keys if day != lost]
        yield from report(context, key, days, {"season": "2023-24"}, {"origin": "of the whole table"})

    return built


def instance_on(stack: ExitStack, storage: str, home: Path) -> dg.DagsterInstance:
    if storage == "ephemeral":
        return stack.enter_context(dg.DagsterInstance.ephemeral())
    home.mkdir(exist_ok=True)
    batched = {
        "module": "nba_pipeline.orchestration.event_log.sqlite",
        "class": "BatchedSqliteEventLogStorage",
        "config": {"base_dir": str(home)},
    }
    overrides = {"event_log_storage": batched} if storage == "batched" else {}
    return stack.enter_context(dg.DagsterInstance.local_temp(str(home), overrides=overrides))


@pytest.fixture(params=["batched", "ephemeral"])
def instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with ExitStack() as stack:
        yield instance_on(stack, request.param, tmp_path)


@pytest.fixture
def batched(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with ExitStack() as stack:
        yield instance_on(stack, "batched", tmp_path)


def run(
    instance: dg.DagsterInstance, start: str, end: str, bad: str = "", assets: Sequence[dg.AssetsDefinition] = ()
) -> dg.ExecuteInProcessResult:
    tags = {RANGE_START: start, RANGE_END: end, "bad": bad}
    return dg.materialize(list(assets) or [table(KEY)], instance=instance, tags=tags, raise_on_error=False)


def partitions(instance: dg.DagsterInstance) -> tuple[set[str], set[str]]:
    """The materialized and the failed partitions, as the UI shows them."""
    status = get_and_update_asset_status_cache_value(instance, KEY, DAILY)
    assert status is not None
    return (
        set(status.deserialize_materialized_partition_subsets(DAILY).get_partition_keys()),
        set(status.deserialize_failed_partition_subsets(DAILY).get_partition_keys()),
    )


def check_statuses(instance: dg.DagsterInstance, name: str) -> Mapping[str, str]:
    """Status per partition; a verdict that is not about the latest materialization does not count."""
    infos = instance.event_log_storage.get_asset_check_partition_info([dg.AssetCheckKey(KEY, name)])
    return {
        info.partition_key: info.latest_execution_status.value
        for info in infos
        if info.partition_key
        and info.latest_target_materialization_storage_id == info.latest_materialization_storage_id
    }


def evaluations(instance: dg.DagsterInstance, run_id: str, name: str) -> Mapping[str | None, dg.AssetCheckEvaluation]:
    records = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [record.asset_check_evaluation for record in records]
    return {item.partition: item for item in found if item and item.check_name == name}


def materializations(instance: dg.DagsterInstance, run_id: str) -> Mapping[str | None, dg.AssetMaterialization]:
    found = [record.asset_materialization for record in instance.all_logs(run_id, of_type=MATERIALIZED)]
    return {item.partition: item for item in found if item}


def days(first: int, last: int) -> list[str]:
    return [f"2024-01-{day:02d}" for day in range(first, last + 1)]


def test_every_day_of_a_range_is_materialized_with_its_row_count(instance: dg.DagsterInstance) -> None:
    result = run(instance, "2024-01-02", "2024-01-05")
    assert result.success
    recorded = materializations(instance, result.run_id)
    assert list(recorded) == days(2, 5)
    counts = [item.metadata["dagster/partition_row_count"].value for item in recorded.values()]
    assert counts == [202, 203, 204, 205]
    assert all(item.metadata["expected_rows"].value == 250 for item in recorded.values())
    assert partitions(instance) == (set(days(2, 5)), set())


@pytest.mark.parametrize("bad", ["", "2024-01-03"])
def test_what_describes_the_table_goes_with_the_last_day_only(batched: dg.DagsterInstance, bad: str) -> None:
    result = run(batched, "2024-01-02", "2024-01-05", bad)
    recorded = materializations(batched, result.run_id)
    assert [day for day, item in recorded.items() if "origin" in item.metadata] == ["2024-01-05"]


def test_every_check_has_a_verdict_for_every_day_and_one_for_the_run(instance: dg.DagsterInstance) -> None:
    result = run(instance, "2024-01-02", "2024-01-05")
    for name in NAMES:
        assert check_statuses(instance, name) == dict.fromkeys(days(2, 5), "SUCCEEDED")
        found = evaluations(instance, result.run_id, name)
        assert set(found) == {None, *days(2, 5)}
        assert found[None].metadata["days"].value == 4
        assert found[None].metadata["season"].value == "2023-24"


def test_the_engine_does_not_read_the_materialization_that_a_step_has_just_stored(
    batched: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, read = batched.event_log_storage, list[dg.AssetKey]()
    records = storage.get_asset_records

    def noted(asset_keys: Sequence[dg.AssetKey] | None = None) -> Any:
        read.extend(asset_keys or ())
        return records(asset_keys)

    monkeypatch.setattr(storage, "get_asset_records", noted)
    result = run(batched, "2024-01-02", "2024-01-05")
    assert KEY not in read
    last = max(r.storage_id for r in batched.fetch_materializations(KEY, limit=10).records)
    for name in NAMES:
        target = evaluations(batched, result.run_id, name)[None].target_materialization_data
        assert target is not None
        assert (target.storage_id, target.run_id) == (last, result.run_id)


def test_a_refused_day_is_failed_while_its_neighbours_are_materialized(instance: dg.DagsterInstance) -> None:
    result = run(instance, "2024-01-02", "2024-01-05", bad="2024-01-04")
    assert not result.success
    assert partitions(instance) == ({"2024-01-02", "2024-01-03", "2024-01-05"}, {"2024-01-04"})
    found = evaluations(instance, result.run_id, "contract")
    assert [found[day].passed for day in days(2, 5)] == [True, True, False, True]
    assert found["2024-01-04"].description == "points is NULL in 3 rows"
    assert found["2024-01-04"].target_materialization_data is None
    assert not found[None].passed
    assert found[None].description == "failed on 2024-01-04 (1 day)\n2024-01-04: points is NULL in 3 rows"
    assert "backfill 2024-01-04 2024-01-04 --missing" in str(found[None].metadata["fix"].value)


def test_a_bad_day_after_a_good_run_keeps_pointing_at_the_earlier_materialization(instance: dg.DagsterInstance) -> None:
    good = run(instance, "2024-01-02", "2024-01-05")
    bad = run(instance, "2024-01-02", "2024-01-05", bad="2024-01-04")
    found = evaluations(instance, bad.run_id, "contract")
    targets = {day: found[day].target_materialization_data for day in days(2, 5)}
    assert {day: target and target.run_id for day, target in targets.items()} == {
        "2024-01-02": bad.run_id,
        "2024-01-03": bad.run_id,
        "2024-01-04": good.run_id,
        "2024-01-05": bad.run_id,
    }
    expected = {**dict.fromkeys(days(2, 5), "SUCCEEDED"), "2024-01-04": "FAILED"}
    assert check_statuses(instance, "contract") == expected
    assert check_statuses(instance, "coverage") == dict.fromkeys(days(2, 5), "SUCCEEDED")


def test_repairing_the_refused_day_alone_turns_everything_green(instance: dg.DagsterInstance) -> None:
    run(instance, "2024-01-02", "2024-01-05", bad="2024-01-04")
    assert run(instance, "2024-01-04", "2024-01-04").success
    assert partitions(instance) == (set(days(2, 5)), set())
    assert check_statuses(instance, "contract") == dict.fromkeys(days(2, 5), "SUCCEEDED")


def test_a_range_of_one_day_is_reported_for_that_day(instance: dg.DagsterInstance) -> None:
    refused = run(instance, "2024-01-04", "2024-01-04", bad="2024-01-04")
    assert partitions(instance) == (set(), {"2024-01-04"})
    assert not evaluations(instance, refused.run_id, "contract")["2024-01-04"].passed
    assert run(instance, "2024-01-04", "2024-01-04").success
    assert check_statuses(instance, "contract") == {"2024-01-04": "SUCCEEDED"}


def test_a_run_of_a_single_partition_is_reported_for_that_partition(instance: dg.DagsterInstance) -> None:
    result = dg.materialize([table(KEY)], instance=instance, partition_key="2024-01-04")
    assert materializations(instance, result.run_id)["2024-01-04"].metadata["dagster/partition_row_count"].value == 204
    assert check_statuses(instance, "contract") == {"2024-01-04": "SUCCEEDED"}
    refused = dg.materialize(
        [table(KEY)],
        instance=instance,
        partition_key="2024-01-05",
        tags={"bad": "2024-01-05"},
        raise_on_error=False,
    )
    assert not refused.success
    assert partitions(instance) == ({"2024-01-04"}, {"2024-01-05"})
    assert not evaluations(instance, refused.run_id, "contract")["2024-01-05"].passed


def test_a_materialization_beside_a_refused_day_has_the_provenance_the_engine_gives(
    instance: dg.DagsterInstance,
) -> None:
    child = [table(CHILD, [KEY])]
    run(instance, "2024-01-02", "2024-01-03")
    whole = run(instance, "2024-01-02", "2024-01-03", assets=child)
    partial = run(instance, "2024-01-02", "2024-01-03", bad="2024-01-02", assets=child)
    by_engine = materializations(instance, whole.run_id)["2024-01-03"]
    (own,) = materializations(instance, partial.run_id).values()
    assert own.partition == "2024-01-03"
    assert own.metadata == by_engine.metadata
    tags, expected = own.tags or {}, by_engine.tags or {}
    assert set(tags) == set(expected)
    assert "dagster/input_data_version/analytics/box_scores" in tags


def test_the_failure_names_the_table_the_days_the_reasons_and_what_to_do_and_is_not_retried(
    batched: dg.DagsterInstance,
) -> None:
    result = run(batched, "2024-01-01", "2024-01-10", bad=" ".join(days(2, 8)))
    failure = result.failure_data_for_node("analytics__box_scores")
    assert failure is not None
    assert failure.user_failure_data is not None
    text = failure.user_failure_data.description or ""
    assert "analytics/box_scores: refused 7 of 10 day(s): 2024-01-02..2024-01-08 (7 days)" in text
    assert "2024-01-02: contract: points is NULL in 3 rows" in text
    assert "and 2 more day(s)" in text
    assert "Fix:" in text
    assert not [event for event in result.all_node_events if event.event_type_value == "STEP_UP_FOR_RETRY"]


def test_a_day_without_a_verdict_is_an_error_and_publishes_no_claim(batched: dg.DagsterInstance) -> None:
    result = run(batched, "2024-01-01", "2024-01-03", assets=[table(KEY, lost="2024-01-02")])
    failure = result.failure_data_for_node("analytics__box_scores")
    assert failure is not None
    assert "wrong at 2024-01-02" in failure.error_display_string
    assert not materializations(batched, result.run_id)


def test_check_specs_are_blocking_and_partitioned_like_the_asset() -> None:
    specs = check_specs(KEY, NAMES, {"contract": "types and keys", "coverage": "all games"}, DAILY)
    assert [(spec.name, spec.description) for spec in specs] == [
        ("contract", "types and keys"),
        ("coverage", "all games"),
    ]
    assert all(spec.blocking and spec.partitions_def == DAILY and spec.asset_key == KEY for spec in specs)


@pytest.mark.parametrize(("bad", "materialized", "evaluated"), [("", 2 * 3, 2 * 8), ("2024-01-03", 2, 8)])
def test_the_events_of_a_batched_step_are_those_that_the_engine_stores(
    tmp_path: Path, bad: str, materialized: int, evaluated: int
) -> None:
    """Character by character the same as on a storage where the engine itself makes and logs every event."""
    stored = []
    for storage in ("batched", "stock"):
        with ExitStack() as stack:
            instance = instance_on(stack, storage, tmp_path / storage)
            result = run(instance, "2024-01-02", "2024-01-04", bad, [table(KEY), table(CHILD, [KEY])])
            entries = [entry for entry in instance.all_logs(result.run_id) if entry.step_key and entry.dagster_event]
            texts = [serialize_value(entry).replace(result.run_id, "RUN") for entry in entries]
            stored.append([VARIES.sub(r"\1", text) for text in texts if not SAYS_MORE.search(text)])
    assert stored[0] == stored[1]
    kinds = Counter(re.findall(r'"event_type_value": "(\w+)"', "".join(stored[0])))
    assert (kinds["ASSET_MATERIALIZATION"], kinds["ASSET_CHECK_EVALUATION"]) == (materialized, evaluated)


# Times, numbers of events and hashes of run ids; events with durations and tracebacks, which are not made here.
VARIES = re.compile(r'("timestamp": |"storage_id": |event_pointer/\S+ "|data_version\S* ")[0-9a-f.]+')
SAYS_MORE = re.compile("STEP_SUCCESS|STEP_FAILURE|STEP_START|PLANNED")


def test_an_error_after_some_days_leaves_these_recorded_with_their_checks(instance: dg.DagsterInstance) -> None:
    @dg.asset(key=KEY, partitions_def=DAILY, check_specs=check_specs(KEY, NAMES, dict.fromkeys(NAMES, "rule"), DAILY))
    def interrupted(context: dg.AssetExecutionContext) -> Iterator[Any]:
        ended = [verdict(day, bad=day == "2024-01-03") for day in context.partition_keys[:2]]
        yield from report_days(context, KEY, ended)
        raise dg.Failure("the file of the next days cannot be read", allow_retries=False)

    result = run(instance, "2024-01-02", "2024-01-05", assets=[interrupted])
    assert not result.success
    recorded = materializations(instance, result.run_id)
    assert {day: item.metadata["dagster/partition_row_count"].value for day, item in recorded.items()} == {
        "2024-01-02": 202
    }
    found = evaluations(instance, result.run_id, "contract")
    assert {day: item.passed for day, item in found.items()} == {"2024-01-02": True, "2024-01-03": False}
