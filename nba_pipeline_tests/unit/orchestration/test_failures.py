"""What failed and whether it may pass survives Dagster's event log as codes, not as wording."""

import errno
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from nba_pipeline.common.errors import ContractError, SourceError, WarehouseBusyError
from nba_pipeline.orchestration.failures import REFUSED_DAYS, StepFailure, coded_failures, step_failure


def fail_with(error: Exception) -> Callable[[], None]:
    def run() -> None:
        with coded_failures(Path("home")):
            raise error

    return run


def failure_of(run: Callable[[], None]) -> StepFailure:
    """Run one asset in memory and read its failure event."""

    @dg.asset(key=["nba_raw", "shots"])
    def asset() -> None:
        run()

    result = dg.materialize([asset], raise_on_error=False, instance=dg.DagsterInstance.ephemeral())
    (event,) = [e for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_FAILURE]
    return step_failure(event)


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (WarehouseBusyError("held by another process"), True),
        (SourceError("no answer", "wait", transient=True), True),
        (SourceError("a column is missing"), False),
        (ContractError("no such column"), False),
        (ConnectionResetError("reset"), True),
        (TimeoutError("late"), True),
    ],
)
def test_a_named_error_keeps_its_class_and_whether_it_may_pass(error: Exception, transient: bool) -> None:
    failure = failure_of(fail_with(error))
    assert (failure.error, failure.transient, failure.refused_days) == (type(error).__name__, transient, 0)
    assert failure.message == f"nba_raw.shots: {type(error).__name__}: {error}"


def test_any_other_error_is_not_transient_and_is_shown_without_the_wrapping_of_dagster() -> None:
    failure = failure_of(fail_with(KeyError("pts")))
    assert (failure.error, failure.transient) == ("KeyError", False)
    assert failure.message == "nba_raw.shots: KeyError: 'pts'"


def test_a_full_disk_is_named_with_its_fix_whatever_was_written() -> None:
    failure = failure_of(fail_with(OSError(errno.ENOSPC, "Error writing bytes to file")))
    assert (failure.error, failure.transient) == ("PipelineError", False)
    assert "no space is left on the volume of home" in failure.message
    assert "Fix: free some space" in failure.message


def test_refused_days_are_counted_and_are_no_error() -> None:
    def refuse() -> None:
        raise dg.Failure("refused 2 of 3 days", metadata={REFUSED_DAYS: 2})

    failure = failure_of(refuse)
    assert (failure.error, failure.transient, failure.refused_days) == ("", False, 2)
