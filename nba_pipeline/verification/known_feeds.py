"""Restrict the feeds of a source to rows published by the cut-offs of a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa

from nba_pipeline.common.errors import ContractError
from nba_pipeline.domain.calendar import season_of
from nba_pipeline.sources.landing import Feed, Known
from nba_pipeline.sources.protocol import Source


def declared(feed: Feed) -> Known:
    """Return when the rows of a feed were known.

    Raises:
        ContractError: The feed does not declare it, so that a row may have come from later.
    """
    if feed.known is None:
        raise ContractError(
            f"the feed {feed.name} does not declare when its rows were known",
            "give it `known` in nba_pipeline/sources/landing.py",
        )
    return feed.known


@dataclass(frozen=True)
class KnownFeeds:
    """Reads a source as of a day: its rows that were known at `cutoff`, the last cut-off of the day."""

    source: Source
    day: date
    cutoff: datetime

    def describe(self) -> dict[str, str]:
        return self.source.describe()

    def read(self, feed: Feed, days: Sequence[date]) -> pa.Table:
        """As `Source.read`, without the rows that were not known; a feed that does not declare when it was is refused."""
        known = declared(feed)
        rows = self.source.read(feed, days)
        return rows.filter(pa.array([self._was_known(known, feed, r) for r in rows.to_pylist()], pa.bool_()))

    def _was_known(self, known: Known, feed: Feed, row: dict) -> bool:
        on = row[feed.day] if feed.day else None
        match known.kind:
            case "always":
                return True
            case "before_the_day":
                return on is not None and on <= self.day
            case "after_the_game":
                return on is not None and on < self.day
            case "after_the_season":
                return row["season"] is not None and row["season"] < season_of(self.day)
            case "at_its_time":
                at = row[known.column]
                return at <= self.cutoff if at is not None else on is not None and on < self.day
