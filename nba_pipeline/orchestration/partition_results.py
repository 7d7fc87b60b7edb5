"""Tells Dagster, day by day, what a run of one table published and what it refused.

A run covers a set of days, and the truth differs from day to day: some are published, some are refused and keep
their old content. This module records that truth so that the UI shows it: a materialization for each published
day, a verdict of every check for every day, and one summary per check for the run as a whole.

Events of days are recorded by `step_events`. Partitioned asset checks are a preview API of Dagster.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from nba_pipeline.domain.calendar import describe_days
from nba_pipeline.engine.verdicts import Metadata, PartitionVerdict
from nba_pipeline.orchestration.failures import REASON, REFUSED, REFUSED_DAYS, WAITING
from nba_pipeline.orchestration.step_events import Recorded, StepEvents

Reported = Recorded | dg.AssetCheckResult

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
    events = StepEvents(context, asset_key, latest_metadata or {})
    if refused:
        events.materialize([verdict for verdict in verdicts if verdict.published])
        _observe(context, asset_key, refused)
        yield events.output()
    else:
        yield from events.succeed(verdicts)
    if context.has_partition_key:
        yield from _results_of_one_day(asset_key, verdicts[0])
    else:
        yield from events.evaluate(verdicts)
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
    events = StepEvents(context, asset_key, {})
    events.materialize([verdict for verdict in verdicts if verdict.published])
    _observe(context, asset_key, [verdict for verdict in verdicts if not verdict.published])
    yield from events.evaluate(verdicts)


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


def _observe(context: dg.AssetExecutionContext, asset_key: dg.AssetKey, refused: Sequence[PartitionVerdict]) -> None:
    """Record why each of these days was refused, for the page of the partition in the UI."""
    table = ".".join(asset_key.path)
    for verdict in refused:
        failed = {name: check.description for name, check in verdict.checks.items() if not check.passed}
        context.log_event(
            dg.AssetObservation(
                asset_key,
                partition=verdict.key,
                description=f"refused: {verdict.reason}",
                metadata={"refused": True, **failed, "fix": remedy(table, [verdict])},
            )
        )


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
