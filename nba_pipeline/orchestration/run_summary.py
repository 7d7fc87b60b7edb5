"""The summary of a run in which days were refused: what was refused, what waits for it, and what repairs it."""

from collections.abc import Mapping, Sequence

from nba_pipeline.orchestration.failures import StepFailure
from nba_pipeline.orchestration.tags import days_of_run


def summary(failures: Sequence[StepFailure], tags: Mapping[str, str]) -> str:
    """Return the summary of a run from the failures of its steps; empty where no day was refused.

    Args:
        failures: How steps failed, in the order of their ends.
        tags: The tags of the run, for its days.
    """
    refusing = [f for f in failures if f.refused_days]
    span = days_of_run(tags)
    if not refusing or span is None:
        return ""
    start, end = span
    lines = [f"refused: {f.table}: {f.refused}; {f.reason}" for f in refusing if f.refused]
    lines += [
        f"waiting: {f.table}: {f.waiting}" + ("" if f.refused else f"; {f.reason}") for f in refusing if f.waiting
    ]
    lines += [f"failed: {f.message}" for f in failures if not f.refused_days]
    table_days = sum(f.refused_days for f in refusing)
    return "\n".join(
        [
            f"{start}..{end}: {table_days} table-days of {len(refusing)} tables were not published, all others that ran were.",
            *lines,
            f"Fix: correct the source of the refused days, then run `nba-pipeline backfill {start} {end} --missing`, or "
            "materialize the failed days of these tables in the UI.",
        ]
    )
