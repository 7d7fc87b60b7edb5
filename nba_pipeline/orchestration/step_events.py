"""Records what a step made of the days of its run, as the engine of Dagster would, but many days at a time.

The engine makes and logs a materialization for each day, and an evaluation for each day and check, one after the other: a table
of four seasons has 6,715. On a batched event log and on Postgres they are stored here as the events that the engine would have
logged, of which all of a step differ in few values; on any other storage they are left to the engine. It is the only module
that touches these private parts of Dagster:

- `AssetCheckEvaluationTargetMaterializationData` says which materialization a verdict is about. Without it Dagster
  takes the verdicts of a range run for stale.
- `_get_output_asset_events` gives materializations the provenance tags of the engine (code version, data versions), the same
  for all days of a step.
- `StepExecutionContext._metadata_accumulator` holds metadata per partition until the engine records them. The
  public `add_asset_metadata` lists all partitions and copies everything recorded so far, once for every day.
- `DataVersionCache.input_asset_version_info` is what the engine knows of latest materializations. That of the table itself it
  would read from the log, for the results of checks over the whole run; it is told instead where this process stored it.
- `DagsterEvent.step_output_event` records an output, and `StepExecutionContext.observe_output` tells the engine of it, of a step
  whose materializations are recorded here. The executor of the jobs lets the tables below start on it (see `executor`).
- The named tuples `DagsterEvent`, `EventLogEntry` and `AssetMaterialization`, and what the engine puts into them, to which tests
  hold this module, character by character.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)
from dagster._core.definitions.assets.definition.asset_spec import AssetExecutionType
from dagster._core.definitions.data_version import extract_data_version_from_entry
from dagster._core.events import DagsterEvent
from dagster._core.execution.context.data_version_cache import InputAssetVersionInfo
from dagster._core.execution.context.metadata_logging import AssetMetadataHandle, OutputMetadataAccumulator
from dagster._core.execution.context.system import StepExecutionContext
from dagster._core.execution.plan.execute_step import _get_output_asset_events  # pyright: ignore[reportPrivateUsage]
from dagster._core.execution.plan.objects import TypeCheckData
from dagster._core.execution.plan.outputs import StepOutputData, StepOutputHandle
from dagster._core.storage.event_log.base import EventLogStorage

from nba_pipeline.engine.verdicts import PartitionVerdict

if TYPE_CHECKING:
    from nba_pipeline.orchestration.event_log.batching import BatchedEventLogStorage

Recorded = dg.MaterializeResult | dg.AssetCheckEvaluation | DagsterEvent

ROW_COUNT = "dagster/partition_row_count"


def attach_metadata(
    context: dg.AssetExecutionContext, asset_key: dg.AssetKey, by_partition: Mapping[str, Mapping[str, Any]]
) -> None:
    """Let the materializations that the engine is about to record carry each partition's own metadata."""
    step = context.get_step_execution_context()
    present = step._metadata_accumulator.per_output_metadata
    days = {AssetMetadataHandle(asset_key=asset_key, partition_key=k): dict(m) for k, m in by_partition.items()}
    step._metadata_accumulator = OutputMetadataAccumulator(per_output_metadata={**present, **days})


class StepEvents:
    """Records the events of one step."""

    def __init__(
        self, context: dg.AssetExecutionContext, asset_key: dg.AssetKey, latest_metadata: Mapping[str, Any]
    ) -> None:
        """Record nothing yet.

        Args:
            context: The context of the asset.
            asset_key: The key of the asset.
            latest_metadata: Metadata of the table as a whole, which the last materialization carries.
        """
        self._context = context
        self._asset_key = asset_key
        self._latest_metadata = latest_metadata
        self._step: StepExecutionContext = context.get_step_execution_context()
        self._output_name = context.assets_def.get_output_name_for_asset_key(asset_key)

    def succeed(self, verdicts: Sequence[PartitionVerdict]) -> Iterator[Recorded]:
        """Record the output of a step that published all days of its run, and a materialization of each."""
        with self._batching() as batched:
            if batched is None or self._context.has_partition_key:
                attach_metadata(self._context, self._asset_key, self._metadata(verdicts))
                yield dg.MaterializeResult(asset_key=self._asset_key)
                return
            yield self.output()
            self._step.observe_output(self._output_name)
            self._store_materializations(batched, verdicts)

    def materialize(self, verdicts: Sequence[PartitionVerdict]) -> None:
        """Record materializations of these days only, with the same tags as the engine gives."""
        if not verdicts:
            return
        with self._batching() as batched:
            if batched is None:
                attach_metadata(self._context, self._asset_key, self._metadata(verdicts))
                for event in self._made_by_the_engine(verdicts):
                    self._context.log_event(event)
            else:
                self._store_materializations(batched, verdicts)

    def output(self) -> DagsterEvent:
        """Record an output without a materialization: tables below may start, also where this step fails."""
        handle = StepOutputHandle(step_key=self._step.step.key, output_name=self._output_name)
        type_check = TypeCheckData(success=True, label=self._output_name, description=None, metadata={})
        return DagsterEvent.step_output_event(self._step, StepOutputData(handle, type_check_data=type_check))

    def evaluate(self, verdicts: Sequence[PartitionVerdict]) -> Iterator[dg.AssetCheckEvaluation]:
        """Record every check of every day, about the latest materialization of that day."""
        with self._batching() as batched:
            if batched is None:
                yield from self._evaluations(verdicts)
            else:
                events = ((evaluation, _message(evaluation)) for evaluation in self._evaluations(verdicts))
                self._store(batched, dg.DagsterEventType.ASSET_CHECK_EVALUATION, events)
                self._tell_latest(batched)

    def _metadata(self, verdicts: Sequence[PartitionVerdict]) -> dict[str, Mapping[str, Any]]:
        """Return the numbers of each day, and with those of the last what describes the table."""
        by_day: dict[str, Mapping[str, Any]] = {v.key: {ROW_COUNT: v.rows, **v.metadata} for v in verdicts}
        last = verdicts[-1].key
        by_day[last] = {**by_day[last], **self._latest_metadata}
        return by_day

    def _made_by_the_engine(self, verdicts: Sequence[PartitionVerdict]) -> Iterator[Any]:
        return _get_output_asset_events(
            self._asset_key,
            [verdict.key for verdict in verdicts],
            dg.Output(None, output_name=self._output_name),
            self._step.op_def.output_def_named(self._output_name),
            {},
            self._step,
            AssetExecutionType.MATERIALIZATION,
        )

    def _store_materializations(self, storage: "BatchedEventLogStorage", verdicts: Sequence[PartitionVerdict]) -> None:
        """Store the materializations of these days: the engine makes one, the others differ in day and metadata."""
        # deferred, as the event log is: with a Dagster that lacks them a home has the log of Dagster itself (see `surface`)
        from dagster._core.definitions.metadata import normalize_metadata
        from dagster._core.events import StepMaterializationData

        (made,) = self._made_by_the_engine(verdicts[:1])
        message = f"Materialized value {made.label}."
        events = (
            (StepMaterializationData(made._replace(partition=day, metadata={**made.metadata, **own})), message)
            for day, metadata in self._metadata(verdicts).items()
            for own in [normalize_metadata(metadata)]
        )
        self._store(storage, dg.DagsterEventType.ASSET_MATERIALIZATION, events)

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
        """Return the latest materialization per partition, from this run or an earlier one."""
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

    def _tell_latest(self, storage: "BatchedEventLogStorage") -> None:
        """Tell the engine the materialization that its results of the whole run are about, which it would read otherwise."""
        latest = storage.stored_materialization(self._asset_key, self._step.run_id)
        if latest:
            self._step._data_version_cache.input_asset_version_info[self._asset_key] = InputAssetVersionInfo(
                latest.storage_id,
                dg.DagsterEventType.ASSET_MATERIALIZATION,
                extract_data_version_from_entry(latest.event_log_entry),
                latest.run_id,
                latest.timestamp,
            )

    def _store(
        self, storage: "BatchedEventLogStorage", kind: dg.DagsterEventType, events: Iterator[tuple[Any, str]]
    ) -> None:
        """Store the events of a kind that the engine would have logged.

        Args:
            storage: Where to.
            kind: The type of the events.
            events: The data and the message of each.
        """
        from nba_pipeline.orchestration.event_log.batching import BATCH_SIZE

        event, entry = self._template(kind)
        while batch := [
            entry._replace(
                timestamp=time.time(),
                user_message=message,
                dagster_event=event._replace(event_specific_data=data, message=message),
            )
            for data, message in islice(events, BATCH_SIZE)
        ]:
            storage.store_event_batch(batch)

    def _template(self, kind: dg.DagsterEventType) -> tuple[Any, Any]:
        """Return what all events of a kind of this step have in common; data, message and time are to be filled in.

        The constructor wants data of the kind: the event is made as one that has none.
        """
        step = self._step
        event = DagsterEvent(
            event_type_value=dg.DagsterEventType.STEP_START.value,
            job_name=step.job_name,
            step_handle=step.step.handle,
            node_handle=step.step.node_handle,
            step_kind_value=step.step.kind.value,
            logging_tags=step.event_tags,
            pid=os.getpid(),
        )
        entry = dg.EventLogEntry(
            error_info=None,
            level=logging.DEBUG,
            user_message="",
            run_id=step.run_id,
            timestamp=time.time(),
            step_key=step.step.key,
            job_name=step.job_name,
            dagster_event=event,
        )
        return event._replace(event_type_value=kind.value), entry

    def _batching(self) -> "AbstractContextManager[BatchedEventLogStorage | None]":
        return _batching(self._context.instance.event_log_storage)


def _batching(storage: EventLogStorage) -> "AbstractContextManager[BatchedEventLogStorage | None]":
    """Open a way to write many events at once, if the storage has one."""
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
