"""Carries codes of errors through Dagster, which keeps only the text of an exception: what failed, and whether it may pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from nba_pipeline.common.disk_space import storage_failure
from nba_pipeline.common.errors import PipelineError
from nba_pipeline.orchestration.tags import table_of

WRAPPER = dg.DagsterExecutionStepExecutionError.__name__
ERROR, TRANSIENT, REFUSED_DAYS = "error", "transient", "refused_days"
REFUSED, WAITING, REASON = "refused", "waiting", "reason"


@dataclass(frozen=True)
class StepFailure:
    """How a step failed.

    Attributes:
        table: The table that the step publishes.
        message: The table and the message of the error, for people.
        error: The class of the error; empty for refused days.
        transient: Whether the same run may succeed later without a change.
        refused_days: The number of refused days, waiting ones included; 0 where the step failed for another reason.
        refused: The days whose own rows were refused, in words; empty where there are none.
        waiting: The days that only lack days of other tables, in words; empty where there are none.
        reason: Why the first refused day was refused.
    """

    table: str
    message: str
    error: str
    transient: bool
    refused_days: int
    refused: str = ""
    waiting: str = ""
    reason: str = ""


@contextmanager
def coded_failures(home: Path) -> Iterator[None]:
    """Raise errors of pipeline, network and full disk as dg.Failure whose metadata hold their class and transience.

    Args:
        home: The directory of all data, whose volume may be full.

    Raises:
        dg.Failure: For every PipelineError, ConnectionError and TimeoutError, and for what cannot be written; other errors pass
            unchanged.
    """
    try:
        yield
    except PipelineError as e:
        raise _failure(e, transient=e.transient) from e
    except (ConnectionError, TimeoutError) as e:
        raise _failure(e, transient=True) from e
    except OSError as e:
        named = storage_failure(e, home)
        if named is None:
            raise
        raise _failure(named, transient=False) from e


def _failure(error: Exception, *, transient: bool) -> dg.Failure:
    name = type(error).__name__
    return dg.Failure(f"{name}: {error}", metadata={ERROR: name, TRANSIENT: transient})


def step_failure(event: dg.DagsterEvent) -> StepFailure:
    """Read how a step failed from its failure event."""
    data = event.step_failure_data
    table = table_of(event.step_key or "")
    if data.user_failure_data is not None:
        metadata = {name: value.value for name, value in data.user_failure_data.metadata.items()}
        return StepFailure(
            table=table,
            message=f"{table}: {data.user_failure_data.description or ''}",
            error=str(metadata.get(ERROR, "")),
            transient=metadata.get(TRANSIENT) is True,
            refused_days=int(str(metadata.get(REFUSED_DAYS, 0))),
            refused=str(metadata.get(REFUSED, "")),
            waiting=str(metadata.get(WAITING, "")),
            reason=str(metadata.get(REASON, "")),
        )
    error = data.error
    while error is not None and error.cause is not None and error.cls_name == WRAPPER:
        error = error.cause
    if error is None:
        return StepFailure(table, f"{table}: failed", "", transient=False, refused_days=0)
    return StepFailure(
        table, f"{table}: {error.message.strip()}", error.cls_name or "", transient=False, refused_days=0
    )
