"""What becomes of a day on which witnesses disagree: it is refused with the way out, unless it is waived."""

from collections.abc import Mapping, Sequence
from datetime import date

from nba_pipeline.engine.waivers import FILE, Waiver, waiver_line

# A day is refused where at least so many of its rows, and more than this share, could not be used.
LEAST_REJECTED, LARGEST_SHARE = 10, 0.5

REPEATED = "the same row is there more than once; one was kept"

Disagreements = Mapping[date, Sequence[str]]


def rejected_share(reasons: Mapping[str, int], rows: int, ordinary: frozenset[str]) -> str | None:
    """Return the sentence on a day of which too many rows were set aside; None for any other day.

    Args:
        reasons: Rows set aside, by reason.
        rows: Rows that are fit to be published.
        ordinary: Reasons that say nothing against the feed, such as a quote captured after tip-off.
    """
    counted = {r: n for r, n in reasons.items() if r not in ordinary and r != REPEATED}
    rejected = sum(counted.values())
    if rejected < LEAST_REJECTED or rejected <= LARGEST_SHARE * (rejected + rows):
        return None
    worst = max(counted, key=lambda r: counted[r])
    return f"{rejected} of {rejected + rows} rows could not be used, more than {LARGEST_SHARE:.0%}; most often: {worst}"


def settle(
    disagreements: Disagreements, waived: Mapping[date, Waiver], table: str, today: date
) -> tuple[dict[date, list[str]], dict[date, Waiver]]:
    """Return the problems of the days that are refused, and the waivers of those that are published all the same."""
    allowed = {d: waived[d] for d in disagreements if d in waived}
    refused = {d: list(said) for d, said in disagreements.items() if d not in waived}
    return {d: [*said, _way_out(table, d, today)] for d, said in refused.items()}, allowed


def _way_out(table: str, day: date, today: date) -> str:
    return (
        f"Fix: correct the source and run `nba-pipeline backfill {day} {day}`; or, if the source is right, add the line "
        f"`{waiver_line(table, day, today)}` to {FILE} in the home"
    )
