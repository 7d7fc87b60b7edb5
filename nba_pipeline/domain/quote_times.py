"""What the times of a source of quotes mean: what was captured when, and how far a capture may lie behind the tip-off."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class QuoteTimes:
    """The declared meaning of a source's times.

    `captured`: what its capture time is. `tolerance`: how long after the scheduled tip-off a capture still counts as made before
    the game; games begin about ten minutes late, but a book may reprice from the scheduled minute on. `documents_close`: whether
    a quote that the source marks as the last one before the game may count without a capture time. `close_within`: how long
    after the scheduled tip-off a quote that is so marked is still the close of the game, which really begins later; it is kept
    for evaluation, and no forecast may read it.
    """

    captured: str
    tolerance: timedelta = timedelta(0)
    documents_close: bool = True
    close_within: timedelta = timedelta(0)


# What holds for landing files of a source that is not listed below.
LANDED = QuoteTimes(
    "the first and the last time at which the source saw the quote; a close is often captured a few minutes after the scheduled "
    "tip-off, before the real one",
    close_within=timedelta(minutes=10),
)
BY_SOURCE: Mapping[str, QuoteTimes] = {
    "The Odds API": QuoteTimes(
        "the time of the service's snapshot, up to five minutes before the time asked for; of a current answer the time of the "
        "request",
        documents_close=False,
    ),
}


def times_of(source: str | None) -> QuoteTimes:
    """The meaning of a source's times; that of landing files for a source that is not listed."""
    return BY_SOURCE.get(source or "", LANDED)
