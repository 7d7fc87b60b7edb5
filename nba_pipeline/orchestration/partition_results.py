"""Tells Dagster, day by day, what a run of one table published and what it refused.

A run covers a set of days, and the truth differs from day to day: some are published, some are refused and keep
their old content. This module records that truth so that the UI shows it: a materialization for each published
day, a verdict of every check for every day, and one summary per check for the run as a whole.

It is the only module that touches Dagster's partitioned asset checks, a preview API, and these private parts of it:

- `AssetCheckEvaluationTargetMaterializationData` says which materialization a verdict is about. Without it Dagster
  takes the verdicts of a range run for stale.
- `_get_output_asset_events` gives materializations the provenance tags of the engine (code version, data versions). A
  run with refused days records its published days itself, since the engine would mark every day of the range.
- `StepExecutionContext._metadata_accumulator` holds metadata per partition until the engine records them. The
  public `add_asset_metadata` lists all partitions and copies everything recorded so far, once for every day.
- `DagsterEvent.step_output_event` records an output of a step that refused days. The executor of the jobs lets the tables below
  start on it (see `executor`); the materializing `MaterializeResult` cannot be used, since it marks every day of the run.
- `StepExecutionContext` and the named-tuple `DagsterEvent` and `EventLogEntry`: on a batched event log and on Postgres,
  verdicts are stored as the events the engine would have logged, but many at a time. On any other storage they are yielded.
"""

import logging
import os
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)
from dagster._core.definitions.assets.definition.asset_spec import AssetExecutionType
from dagster._core.events import DagsterEvent
from dagster._core.execution.context.metadata_logging import AssetMetadataHandle, OutputMetadataAccumulator
from dagster._core.execution.context.system import StepExecutionContext
from dagster._core.execution.plan.execute_step import _get_output_asset_events  # pyright: ignore[reportPrivateUsage]
from dagster._core.execution.plan.objects import TypeCheckData
from dagster._core.execution.plan.outputs import StepOutputData, StepOutputHandle
from dagster._core.storage.event_log.base import EventLogStorage

from nba_pipeline.domain.calendar import describe_days
from nba_pipeline.engine.verdicts import Metadata, PartitionVerdict
from nba_pipeline.orchestration.failures import REASON, REFUSED, REFUSED_DAYS, WAITING

if TYPE_CHECKING:
    from nba_pipeline.orchestration.event_log.batching import BatchedEventLogStorage

Reported = dg.MaterializeResult | dg.AssetCheckEvaluation | dg.AssetCheckResult | DagsterEvent

ROW_COUNT = "dagster/partition_row_count"
EXAMPLES = 5


def check_specs(
    asset_key: dg.AssetKey,
    names: Sequence[str],
    descriptions: Mapping[str, str],
    partitions_def: dg.PartitionsDefinition,
) -> list[dg.AssetCheckSpec]:
    """Blocking checks of one table with a result per partition."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                name, asset=asset_key, description=descriptions[name], blocking=True, partitions_def=partitions_def
            )
            for name in names
        ]


def report(
    context: dg.AssetExecutionContext,
    asset_key: dg.AssetKey,
    verdicts: Sequence[PartitionVerdict],
    aggregate_metadata: Metadata | None = None,
    latest_metadata: Mapping[str, Any] | None = None,
) -> Iterator[Reported]:
    """Record the verdicts of all days of this run; to be yielded from, last, by the asset.

    Args:
        context: The context of the asset.
        asset_key: The key of the asset.
        verdicts: One for each day of the run.
        aggregate_metadata: Metadata of the results of checks over all days.
        latest_metadata: Metadata of the table as a whole, which the last materialization carries.

    Raises:
        dg.Failure: not to be retried, when any day was refused. Everything is recorded by then.
    """
    _require_all_days(context, asset_key, verdicts)
    refused = [verdict for verdict in verdicts if not verdict.published]
    recorder = _Recorder(context, asset_key, latest_metadata or {})
    if refused:
        recorder.materialize([verdict for verdict in verdicts if verdict.published])
        recorder.observe(refused)
        yield recorder.output()
    else:
        recorder.attach_metadata(verdicts)
        yield dg.MaterializeResult(asset_key=asset_key)
    if context.has_partition_key:
        yield from _results_of_one_day(asset_key, verdicts[0])
    else:
        yield from recorder.evaluate(verdicts)
        yield from _summaries(asset_key, verdicts, aggregate_metadata or {})
    if refused:
        raise _failure(asset_key, verdicts, refused)


def report_days(
    context: dg.AssetExecutionContext, asset_key: dg.AssetKey, verdicts: Sequence[PartitionVerdict]
) -> Iterator[Reported]:
    """Record the verdicts of those days of this run that were published or refused before an error that now ends it.

    Args:
        context: The context of the asset.
        asset_key: The key of the asset.
        verdicts: The verdicts, of some days of the run.
    """
    if not verdicts:
        return
    recorder = _Recorder(context, asset_key, {})
    recorder.materialize([verdict for verdict in verdicts if verdict.published])
    recorder.observe([verdict for verdict in verdicts if not verdict.published])
    yield from recorder.evaluate(verdicts)


def attach_metadata(
    context: dg.AssetExecutionContext, asset_key: dg.AssetKey, by_partition: Mapping[str, Mapping[str, Any]]
) -> None:
    """Let the materializations that the engine is about to record carry each partition's own metadata."""
    step = context.get_step_execution_context()
    present = step._metadata_accumulator.per_output_metadata
    days = {AssetMetadataHandle(asset_key=asset_key, partition_key=k): dict(m) for k, m in by_partition.items()}
    step._metadata_accumulator = OutputMetadataAccumulator(per_output_metadata={**present, **days})


def _require_all_days(
    context: dg.AssetExecutionContext, asset_key: dg.AssetKey, verdicts: Sequence[PartitionVerdict]
) -> None:
    """A day without a verdict would be marked as materialized although nothing was published for it."""
    expected, reported = set(context.partition_keys), [verdict.key for verdict in verdicts]
    if len(reported) != len(expected) or set(reported) != expected:
        odd = sorted(expected.symmetric_difference(reported)) or sorted({k for k in reported if reported.count(k) > 1})
        raise dg.DagsterInvariantViolationError(
            f"{asset_key.to_user_string()}: the run covers {len(expected)} day(s), {len(reported)} verdict(s) were "
            f"reported; wrong at {', '.join(odd[:EXAMPLES])}.\n"
            "  Fix: report exactly one verdict for each day of the run."
        )


class _Recorder:
    """Writes events of one step as the engine would, many at a time."""

    def __init__(
        self, context: dg.AssetExecutionContext, asset_key: dg.AssetKey, latest_metadata: Mapping[str, Any]
    ) -> None:
        self._context = context
        self._asset_key = asset_key
        self._latest_metadata = latest_metadata
        self._step: StepExecutionContext = context.get_step_execution_context()

    def attach_metadata(self, verdicts: Sequence[PartitionVerdict]) -> None:
        """Let the materializations that the engine is about to record carry each day's numbers."""
        by_day: dict[str, Mapping[str, Any]] = {v.key: {ROW_COUNT: v.rows, **v.metadata} for v in verdicts}
        last = verdicts[-1].key
        by_day[last] = {**by_day[last], **self._latest_metadata}
        attach_metadata(self._context, self._asset_key, by_day)

    def materialize(self, verdicts: Sequence[PartitionVerdict]) -> None:
        """Record materializations of these days only, with the same tags as the engine gives."""
        if not verdicts:
            return
        self.attach_metadata(verdicts)
        output_name = self._context.assets_def.get_output_name_for_asset_key(self._asset_key)
        for event in _get_output_asset_events(
            self._asset_key,
            [verdict.key for verdict in verdicts],
            dg.Output(None, output_name=output_name),
            self._step.op_def.output_def_named(output_name),
            {},
            self._step,
            AssetExecutionType.MATERIALIZATION,
        ):
            self._context.log_event(event)

    def observe(self, refused: Sequence[PartitionVerdict]) -> None:
        """Record why each of these days was refused, for the page of the partition in the UI."""
        table = ".".join(self._asset_key.path)
        for verdict in refused:
            failed = {name: check.description for name, check in verdict.checks.items() if not check.passed}
            self._context.log_event(
                dg.AssetObservation(
                    self._asset_key,
                    partition=verdict.key,
                    description=f"refused: {verdict.reason}",
                    metadata={"refused": True, **failed, "fix": remedy(table, [verdict])},
                )
            )

    def output(self) -> DagsterEvent:
        """Return the event of an output without a materialization: tables below may start although this step fails."""
        output_name = self._context.assets_def.get_output_name_for_asset_key(self._asset_key)
        handle = StepOutputHandle(step_key=self._step.step.key, output_name=output_name)
        type_check = TypeCheckData(success=True, label=output_name, description=None, metadata={})
        return DagsterEvent.step_output_event(self._step, StepOutputData(handle, type_check_data=type_check))

    def evaluate(self, verdicts: Sequence[PartitionVerdict]) -> Iterator[dg.AssetCheckEvaluation]:
        """Record every check of every day, about the latest materialization of that day."""
        storage, evaluations = self._context.instance.event_log_storage, self._evaluations(verdicts)
        with _batching(storage) as batched:
            if batched is None:
                yield from evaluations
            else:
                self._record(batched, list(evaluations))

    def _evaluations(self, verdicts: Sequence[PartitionVerdict]) -> Iterator[dg.AssetCheckEvaluation]:
        targets = self._targets({verdict.key for verdict in verdicts})
        for name in verdicts[0].checks:
            for verdict in verdicts:
                check = verdict.checks[name]
                yield dg.AssetCheckEvaluation(
                    asset_key=self._asset_key,
                    check_name=name,
                    partition=verdict.key,
                    passed=check.passed,
                    description=check.description,
                    metadata=check.metadata,
                    severity=dg.AssetCheckSeverity.ERROR,
                    blocking=True,
                    target_materialization_data=targets.get(verdict.key),
                )

    def _targets(self, keys: set[str]) -> Mapping[str, Target]:
        """The latest materialization per partition, from this run or an earlier one."""
        instance, materialized = self._context.instance, dg.DagsterEventType.ASSET_MATERIALIZATION
        latest = instance.event_log_storage.get_latest_storage_id_by_partition(self._asset_key, materialized, keys)
        if not latest:
            return {}
        records = instance.get_asset_event_summary_records(
            materialized, asset_key=self._asset_key, storage_ids=list(latest.values())
        )
        return {
            record.partition: Target(
                storage_id=record.storage_id, run_id=record.run_id or "", timestamp=record.timestamp
            )
            for record in records
            if record.partition
        }

    def _record(self, storage: "BatchedEventLogStorage", evaluations: Sequence[dg.AssetCheckEvaluation]) -> None:
        """Store the events that the engine would have logged for these evaluations."""
        if not evaluations:
            return
        event, entry = self._template(evaluations[0])
        from nba_pipeline.orchestration.event_log.batching import BATCH_SIZE

        for start in range(0, len(evaluations), BATCH_SIZE):
            storage.store_event_batch(
                [
                    entry._replace(
                        timestamp=time.time(),
                        user_message=message,
                        dagster_event=event._replace(event_specific_data=evaluation, message=message),
                    )
                    for evaluation in evaluations[start : start + BATCH_SIZE]
                    if (message := _message(evaluation))
                ]
            )

    def _template(self, evaluation: dg.AssetCheckEvaluation) -> tuple[dg.DagsterEvent, dg.EventLogEntry]:
        """The event of one evaluation, of which all others of this step differ in data, message and time only."""
        step = self._step
        event = dg.DagsterEvent(
            event_type_value=dg.DagsterEventType.ASSET_CHECK_EVALUATION.value,
            job_name=step.job_name,
            step_handle=step.step.handle,
            node_handle=step.step.node_handle,
            step_kind_value=step.step.kind.value,
            logging_tags=step.event_tags,
            event_specific_data=evaluation,
            message=_message(evaluation),
            pid=os.getpid(),
        )
        entry = dg.EventLogEntry(
            error_info=None,
            level=logging.DEBUG,
            user_message=_message(evaluation),
            run_id=step.run_id,
            timestamp=time.time(),
            step_key=step.step.key,
            job_name=step.job_name,
            dagster_event=event,
        )
        return event, entry


def _batching(storage: EventLogStorage) -> "AbstractContextManager[BatchedEventLogStorage | None]":
    """A way to write many events at once, if the storage has one."""
    if type(storage).__module__.startswith("nba_pipeline."):
        from nba_pipeline.orchestration.event_log.batching import BatchedEventLogStorage

        assert isinstance(storage, BatchedEventLogStorage)
        return nullcontext(storage)
    if type(storage).__module__.startswith("dagster_postgres."):
        from nba_pipeline.orchestration.event_log.postgres import batching_postgres

        return batching_postgres(storage)
    return nullcontext(None)


def _message(evaluation: dg.AssetCheckEvaluation) -> str:
    verb = "passed." if evaluation.passed else "did not pass."
    message = f"Asset check '{evaluation.check_name}' on '{evaluation.asset_key.to_user_string()}' {verb}"
    return message if evaluation.description is None else f"{message} Description: '{evaluation.description}'"


def _results_of_one_day(asset_key: dg.AssetKey, verdict: PartitionVerdict) -> Iterator[dg.AssetCheckResult]:
    """A run of a single partition: the engine adds the partition and its materialization itself."""
    for name, check in verdict.checks.items():
        yield dg.AssetCheckResult(
            asset_key=asset_key,
            check_name=name,
            passed=check.passed,
            description=check.description,
            metadata=check.metadata,
        )


def _summaries(
    asset_key: dg.AssetKey, verdicts: Sequence[PartitionVerdict], metadata: Metadata
) -> Iterator[dg.AssetCheckResult]:
    """One result per check for the whole run, which is what stops or releases the tables downstream."""
    for name in verdicts[0].checks:
        bad = [verdict for verdict in verdicts if not verdict.checks[name].passed]
        failed = [verdict.day for verdict in bad]
        text = f"failed on {describe_days(failed)}" if failed else f"passed on all {len(verdicts)} day(s)"
        reasons = "\n".join(f"{verdict.key}: {verdict.checks[name].description}" for verdict in bad[:EXAMPLES])
        fix = {"fix": remedy(".".join(asset_key.path), bad)} if bad else {}
        yield dg.AssetCheckResult(
            asset_key=asset_key,
            check_name=name,
            passed=not failed,
            description=f"{text}\n{reasons}" if bad else text,
            metadata={"days": len(verdicts), "failed_days": len(failed), **metadata, **fix},
        )


def _failure(
    asset_key: dg.AssetKey, verdicts: Sequence[PartitionVerdict], refused: Sequence[PartitionVerdict]
) -> dg.Failure:
    """Return the failure of a step that refused days: which days, why, what was published, and how to repair it."""
    own = [verdict for verdict in refused if not verdict.waits]
    named = sorted(refused, key=lambda verdict: verdict.waits)[:EXAMPLES]
    lines = [f"  {verdict.key}: {verdict.reason}" for verdict in named]
    if len(refused) > EXAMPLES:
        lines.append(f"  and {len(refused) - EXAMPLES} more day(s)")
    days = describe_days([verdict.day for verdict in refused])
    waiting = [verdict.day for verdict in refused if verdict.waits]
    if own and waiting:
        lines.append(f"Of these, {describe_days(waiting)} only wait for days of other tables.")
    return dg.Failure(
        "\n".join(
            [
                f"{asset_key.to_user_string()}: refused {len(refused)} of {len(verdicts)} day(s): {days}",
                *lines,
                "Nothing was written for these days, they keep their previous content; the other days are published.",
                f"Fix: {remedy('.'.join(asset_key.path), refused)}",
            ]
        ),
        metadata={
            REFUSED_DAYS: len(refused),
            REFUSED: describe_days([verdict.day for verdict in own]) if own else "",
            WAITING: describe_days(waiting) if waiting else "",
            REASON: named[0].reason,
        },
        allow_retries=False,
    )


def remedy(table: str, refused: Sequence[PartitionVerdict]) -> str:
    """Return the commands, or the clicks in the UI, that repair refused days of a table.

    Args:
        table: The table, such as `nba_raw.schedule`.
        refused: The verdicts of its refused days.
    """
    days = [verdict.day for verdict in refused]
    command = f"`nba-pipeline backfill {min(days)} {max(days)} --missing`"
    clicks = "or materialize the failed days in the UI, with the assets downstream"
    if all(verdict.waits for verdict in refused):
        return f"repair the days that are waited for; {command} runs them with these days, {clicks}."
    rows = f"`nba-pipeline quarantine --table {table}`"
    return f"read the failed checks of these days and the rejected rows ({rows}), correct the source, run {command}, {clicks}."
